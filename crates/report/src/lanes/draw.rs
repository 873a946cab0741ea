//! Draws the lanes of one stage.

use maud::{Markup, html};
use plotters::coord::ranged1d::Ranged;
use plotters::coord::types::RangedCoordf64;
use recorder::{Kind, Lane, Segment, Stall};

use super::facts::{self, Span};
use super::lane::{in_order, inks, job, totals};
use super::legend;
use super::thin::{self, Part, Piece};
use crate::canvas::{self, WIDTH};
use crate::comparison::StageLanes;
use crate::picture::{Drawing, Picture};
use crate::table::stage_number;
use crate::units::Time;
use crate::{sentences, theme};

/// The left end of the lanes: the labels stand left of it.
const LEFT: f64 = 76.0;
/// The right end of the lanes of the longest run.
const RIGHT: f64 = WIDTH as f64 - 14.0;
/// The height of a lane and of the gap below it.
const LANE: f64 = 17.0;
const GAP: f64 = 5.0;
/// Above a lane, or above all: the height of a line of text, and the size of its
/// letters.
const NOTE: f64 = 16.0;
const NOTES: f64 = 11.5;
/// The height of the axis below the lanes.
const AXIS: f64 = 26.0;
/// At most: the height of a row of waiting tasks, and of all rows. At least, below a
/// stall: the room for its text.
const ROW: f64 = 7.0;
const ROWS: f64 = 72.0;
const STILL: f64 = 22.0;
/// The most pieces of a picture.
const PIECES: usize = 450;
/// The least width of a piece, which must be seen and touched.
const LEAST: f64 = 2.5;

/// Returns the stages that have something to draw.
pub(super) fn shown(stages: &[StageLanes]) -> Vec<&StageLanes> {
    stages.iter().filter(|stage| !stage.lanes.is_empty() && stage.seconds > 0.0).collect()
}

/// Returns the picture of each stage, all on the same scale of time.
pub(crate) fn pictures(stages: &[StageLanes]) -> Vec<Picture> {
    let shown = shown(stages);
    let scale = Scale::of(&shown);
    let of = |name: &str| match stage_number(name) {
        Some(_) => format!("stage {}", theme::short(name)),
        None => name.to_owned(),
    };
    let picture = |stage: &&StageLanes| Picture {
        name: format!("lanes-{}", stage.stage),
        title: format!("What each thread of {} did", of(&stage.stage)),
        says: sentences::of_lanes(stage),
        legend: Some(legend::drawing(stage)),
        drawing: draw(stage, &scale),
    };
    shown.iter().map(picture).collect()
}

/// The scale of time: places moments in the picture.
struct Scale {
    seconds: f64,
    /// Segments of this length or longer are pieces by themselves; the same for all
    /// stages, so that they can be compared.
    grain: f64,
}

impl Scale {
    fn of(stages: &[&StageLanes]) -> Scale {
        let seconds = stages.iter().map(|stage| stage.seconds).fold(0.0, f64::max);
        let least = LEAST * seconds / (RIGHT - LEFT);
        let grains = stages.iter().map(|stage| thin::grain(&stage.lanes, least, PIECES));
        Scale { seconds, grain: grains.fold(least, f64::max) }
    }

    fn x(&self, moment: f64) -> f64 {
        LEFT + (RIGHT - LEFT) * moment / self.seconds
    }

    fn span(&self, (begin, end): Span) -> Span {
        (self.x(begin), self.x(end))
    }
}

fn draw(stage: &StageLanes, scale: &Scale) -> Drawing {
    let blocked: Vec<Span> = facts::blocked(stage);
    let head = if blocked.is_empty() { 4.0 } else { NOTE + 2.0 };
    let mut bottom = head;
    let lanes: Vec<Markup> = in_order(&stage.lanes)
        .into_iter()
        .map(|(label, lane)| {
            let (drawn, height) = draw_lane(&label, lane, bottom, scale);
            bottom += height;
            drawn
        })
        .collect();
    let boxes: Vec<Span> = blocked.iter().map(|span| scale.span(*span)).collect();
    let texts = blocked.iter().map(|(begin, end)| {
        let time = Time(end - begin);
        [format!("output blocks {time}"), format!("blocks {time}"), time.to_string()]
    });
    let end = n(scale.x(stage.seconds));
    let inside = html! {
        // Through all lanes: while the output blocks, the others may wait.
        @for (from, to) in &boxes {
            rect class="f-blocked" x=(n(*from)) width=(n(to - from)) y="0" height=(n(bottom)) {}
        }
        @for (x, says) in labels(&boxes, texts) {
            text class="f-text" x=(n(x)) y="12" text-anchor="middle" font-size=(NOTES) { (says) }
        }
        (draw_axis(scale, head, bottom))
        @for lane in &lanes { (lane) }
        // The end of the run: nothing right of it happened.
        line class="l-muted" x1=(end) x2=(end) y1=(n(head)) y2=(n(bottom)) stroke-width="2" {}
    };
    Drawing { height: (bottom + AXIS).ceil() as u32, inside: inside.into_string() }
}

/// Returns the middle and the text of a label over each box: the first wording that is
/// about as wide as the box, or else the last. A label that would meet another is left
/// out.
fn labels(
    boxes: &[Span],
    wordings: impl Iterator<Item = [String; 3]>,
) -> impl Iterator<Item = (f64, String)> {
    let mut taken = f64::NEG_INFINITY;
    boxes.iter().zip(wordings).filter_map(move |((from, to), [long, short, shortest])| {
        let fits = |says: &String| note_width(says) <= to - from + 20.0;
        let says = [long, short].into_iter().find(fits).unwrap_or(shortest);
        let half = note_width(&says) / 2.0;
        let middle = f64::midpoint(*from, *to).clamp(LEFT + half - 8.0, RIGHT + 13.0 - half);
        (middle - half >= taken).then(|| {
            taken = middle + half + 6.0;
            (middle, says)
        })
    })
}

fn draw_axis(scale: &Scale, top: f64, bottom: f64) -> Markup {
    // The same ticks as plotters would choose.
    let axis: RangedCoordf64 = (0.0..scale.seconds).into();
    html! {
        @for tick in axis.key_points(9) {
            @let x = n(scale.x(tick));
            line class="l-rule" x1=(x) x2=(x) y1=(n(top)) y2=(n(bottom + 4.0)) {}
            text class="f-muted" x=(x) y=(n(bottom + 17.0)) text-anchor="middle" font-size=(NOTES) {
                (format!("{:.0}", tick * 1e3)) @if tick == 0.0 { " ms" }
            }
        }
    }
}

/// Draws one lane and, below that of a loop, its tasks. Returns the drawing and its
/// height.
fn draw_lane(label: &str, lane: &Lane, top: f64, scale: &Scale) -> (Markup, f64) {
    let y = if lane.stalls.is_empty() { top } else { top + NOTE };
    let rows = thin::rows(&lane.waiting, scale.grain);
    // A row for each task that waits at once; very many share the room.
    let row = (ROWS / rows.len().max(1) as f64).clamp(1.0, ROW);
    let least = if lane.stalls.is_empty() { 0.0 } else { STILL };
    let tasks = (row * rows.len() as f64).max(least);
    let below = y + LANE + if tasks == 0.0 { 0.0 } else { 4.0 };
    let end = scale.x(lane.segments.last().map_or(0.0, |last| last.end));
    let says = format!("{label}, thread {}, {}: {}", lane.thread, job(lane.role), totals(lane));
    let drawn = html! {
        g class="lane" tabindex="0" role="img" aria-label=(says) {
            // A finger finds the lane here, where nothing is drawn.
            rect class="ground" x=(LEFT) y=(n(y)) width=(RIGHT - LEFT)
                height=(n(below + tasks - y)) fill="transparent" {}
            text class="f-text" x=(LEFT - 8.0) y=(n(y + 13.0)) text-anchor="end"
                font-size="12.5" font-weight="600" { (label) }
            @if tasks > 0.0 {
                text class="f-muted" x=(LEFT - 8.0) y=(n(below + tasks / 2.0 + 4.0))
                    text-anchor="end" font-size="11" { "tasks" }
            }
            // The ground line of what the thread does.
            line class="l-muted" x1=(LEFT) x2=(n(end)) y1=(n(y + LANE + 0.5))
                y2=(n(y + LANE + 0.5)) opacity=".8" {}
            @for piece in thin::pieces(&lane.segments, scale.grain) {
                (draw_piece(&piece, y, LANE, scale))
            }
            @for (at, pieces) in rows.iter().enumerate() {
                @for piece in pieces { (draw_piece(piece, below + row * at as f64, row - 1.0, scale)) }
            }
            (draw_stalls(lane, y, (below, tasks), scale))
        }
    };
    (drawn, below + tasks + GAP - top)
}

/// Draws the stalls: an outline round the operation that blocked the loop, its name
/// above, and below it that no task runs.
fn draw_stalls(lane: &Lane, y: f64, (below, tasks): (f64, f64), scale: &Scale) -> Markup {
    let boxes: Vec<Span> =
        lane.stalls.iter().map(|stall| scale.span(place_of(stall, lane))).collect();
    let texts = lane.stalls.iter().map(|stall| {
        let time = Time(stall.end - stall.begin);
        let operation = stall.operation.as_deref().unwrap_or("an unnamed operation");
        [format!("stall {time}: {operation}"), format!("stall {time}"), time.to_string()]
    });
    html! {
        @for (stall, ((from, to), [says, ..])) in lane.stalls.iter().zip(boxes.iter().zip(texts.clone())) {
            @let (x, width) = (n(*from), n((to - from).max(2.0)));
            g class="stall piece" {
                title {
                    (says)
                    @if let Some(source) = &stall.source { " of " (source) }
                    ", from " (Time(stall.begin)) " to " (Time(stall.end)) ": no task runs"
                }
                rect class="h-alarm" x=(x) width=(width) y=(n(y - 2.0)) height=(n(LANE + 4.0))
                    stroke-width="2" {}
                rect class="h-still" x=(x) width=(width) y=(n(below)) height=(n(tasks)) {}
            }
            @if note_width("no task runs") + 4.0 <= to - from {
                text class="f-alarm haloed" x=(n(f64::midpoint(*from, *to)))
                    y=(n(below + tasks / 2.0 + 4.0)) text-anchor="middle" font-size=(NOTES)
                    font-weight="600" { "no task runs" }
            }
        }
        @for (x, says) in labels(&boxes, texts) {
            text class="f-alarm" x=(n(x)) y=(n(y - 6.0)) text-anchor="middle" font-size=(NOTES)
                font-weight="600" { (says) }
        }
    }
}

/// Returns the beginning and the end of a stall's drawing, in seconds.
///
/// A stall is measured with pings that wait for their turn on the loop, so it seems to
/// begin and end a little late. If the lane has the operation that the stall names, the
/// drawing begins with that operation. It is as long as the stall, and at least as long
/// as the operation. Otherwise it is where the stall was measured.
fn place_of(stall: &Stall, lane: &Lane) -> Span {
    let length = stall.end - stall.begin;
    let common = |it: &Segment| it.end.min(stall.end) - it.begin.max(stall.begin);
    let is_it = |it: &&Segment| {
        let named = match stall.operation.as_deref() {
            Some("append" | "finish" | "note") => it.kind == Kind::Write,
            Some("read_lines") => it.kind == Kind::Read,
            _ => false,
        };
        named && ((it.begin..it.end).contains(&stall.begin) || common(it) >= length / 2.0)
    };
    let those = lane.segments.iter().filter(is_it);
    match those.max_by(|a, b| common(a).total_cmp(&common(b))) {
        Some(it) => (it.begin, it.end.max(it.begin + length)),
        None => (stall.begin, stall.end),
    }
}

/// Draws one piece. A long segment is as high as the lane. Short ones are drawn
/// together, from the bottom up: as high as their share of the time, so the higher, the
/// busier.
fn draw_piece(piece: &Piece, y: f64, height: f64, scale: &Scale) -> Markup {
    let (from, to) = scale.span((piece.begin, piece.end));
    // A narrow piece grows to the left: on the right the next piece would hide it, or
    // the run has ended.
    let x = n(from.min(to - LEAST).max(LEFT));
    let width = n((to - from).max(LEAST));
    if let [part] = &piece.parts[..]
        && piece.whole
    {
        return html! {
            rect class={ "piece " (inks(part.kind)[0]) } x=(x) width=(width) y=(n(y)) height=(n(height)) {
                title { (in_words(piece)) }
            }
        };
    }
    let seconds: f64 = piece.parts.iter().map(|part| part.seconds).sum();
    let share = seconds / (piece.end - piece.begin).max(scale.grain);
    // However little time it takes, it can be seen.
    let high = (height * share).clamp((height * 0.4).max(1.0), height);
    let mut bottom = y + height;
    let parts = piece.parts.iter().map(|part| {
        let height = high * part.seconds / seconds;
        bottom -= height;
        (inks(part.kind)[1], bottom, height)
    });
    html! {
        g class="piece" {
            title { (in_words(piece)) }
            @for (class, y, height) in parts.filter(|(.., height)| *height >= 0.3) {
                rect class=(class) x=(x) width=(width) y=(n(y)) height=(n(height)) {}
            }
        }
    }
}

/// Returns the text of a piece: what it stands for.
fn in_words(piece: &Piece) -> String {
    let source = piece.source.as_deref();
    let part = |part: &Part| {
        let seconds = Time(part.seconds);
        match (part.count, part.kind, source) {
            // A write without a source is the finish.
            (1, Kind::Write, None) if piece.parts.len() == 1 => format!("finish {seconds}"),
            (1, kind, _) => format!("{kind} {seconds}"),
            (many, kind, _) => format!("{many} × {kind}, {seconds} in all"),
        }
    };
    let parts: Vec<String> = piece.parts.iter().map(part).collect();
    let of = match source {
        Some(source) => format!(" of {source}"),
        None if piece.whole => String::new(),
        None if piece.parts.iter().any(|part| part.count > 1) => " of several sources".to_owned(),
        None => String::new(),
    };
    format!("{}{of}, from {} to {}", parts.join("; "), Time(piece.begin), Time(piece.end))
}

/// Returns about how wide a note is, in pixels, if it is bold.
fn note_width(note: &str) -> f64 {
    canvas::width_of(note) * 1.08 * NOTES / canvas::LETTERS
}

/// Formats a number for SVG, with at most two decimals.
fn n(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stall_is_drawn_where_its_operation_is_or_where_it_was_measured() {
        let write = Segment { kind: Kind::Write, source: None, begin: 0.05, end: 0.2 };
        let (thread, role) = ("t".to_owned(), recorder::Role::Loop);
        let (segments, waiting, stalls) = (vec![write], vec![], vec![]);
        let lane = Lane { thread, role, segments, waiting, stalls };
        let stall = |operation: &str, begin, end| {
            let operation = Some(operation.to_owned());
            Stall { begin, end, operation, source: None, task: None }
        };
        let (begin, end) = place_of(&stall("append", 0.053, 0.208), &lane);
        assert!(begin == 0.05 && (end - 0.205).abs() < 1e-9, "{begin}, {end}");
        assert_eq!(place_of(&stall("append", 0.09, 0.201), &lane), (0.05, 0.2));
        assert_eq!(place_of(&stall("read_lines", 0.053, 0.208), &lane), (0.053, 0.208));
        assert_eq!(place_of(&stall("append", 0.21, 0.29), &lane), (0.21, 0.29));
    }

    #[test]
    fn a_label_is_as_wide_as_its_box_and_left_out_where_it_would_meet_another() {
        let wordings =
            || std::iter::repeat_n(["a long wording", "short", "s"].map(str::to_owned), 3);
        let said = |boxes: &[Span]| labels(boxes, wordings()).map(|it| it.1).collect::<Vec<_>>();
        assert_eq!(said(&[(100.0, 200.0), (300.0, 320.0)]), ["a long wording", "short"]);
        assert_eq!(said(&[(100.0, 101.0), (102.0, 103.0), (190.0, 191.0)]), ["s", "s"]);
    }
}
