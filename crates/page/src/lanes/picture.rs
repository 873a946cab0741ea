//! Draws the lanes of one stage.

use std::rc::Rc;

use maud::{Markup, html};
use plotters::coord::ranged1d::Ranged;
use plotters::coord::types::RangedCoordf64;
use recorder::{Kind, Lane, Role, Segment};
use results::{StageLanes, Time};

use super::thin::{self, Part, Piece};
use super::words::{self, Span};
use super::{class, in_order, job, labels, solid, stall};
use crate::canvas::{self, Width};
use crate::picture::{Drawing, Picture};
use crate::theme;

/// The height of a lane and of the gap below it.
const LANE: f64 = 17.0;
const GAP: f64 = 5.0;
/// Above the loop: its stalls.
const NOTE: f64 = 17.0;
/// Above the lanes: when the output blocks, and what that does to the others.
const HEAD: f64 = 2.0 * NOTE - 2.0;
/// The size of the letters of a note, in pixels.
const NOTES: f64 = 11.5;
/// Below the lanes.
const AXIS: f64 = 30.0;
/// How many pieces a picture has at most.
const PIECES: usize = 450;
/// How wide a piece is at least: it is to be seen, and touched.
const LEAST: f64 = 2.5;
/// How many reads are marked at most.
const MARKED: usize = 100;

/// Returns the picture of each stage, all on the same scale of time.
pub(crate) fn pictures<'a>(stages: &'a [StageLanes]) -> Vec<Picture<'a>> {
    let shown: Vec<&StageLanes> =
        stages.iter().filter(|stage| !stage.lanes.is_empty() && stage.seconds > 0.0).collect();
    let all: Rc<[&StageLanes]> = shown.into();
    let picture = |stage: &'a StageLanes| Picture {
        name: format!("lanes-{}", stage.stage),
        title: format!("What each thread of stage {} did", theme::short(&stage.stage)),
        says: words::sentence(stage),
        parts: true,
        legend: Some(legend(stage)),
        draw: Box::new({
            let all = Rc::clone(&all);
            move |width| draw(stage, &Scale::new(&all, width), width)
        }),
    };
    all.iter().map(|stage| picture(stage)).collect()
}

/// What the signs of a picture mean: those that are in it.
fn legend(stage: &StageLanes) -> Drawing {
    let has = |kind: Kind| {
        let mut segments = stage.lanes.iter().flat_map(|it| it.segments.iter().chain(&it.waiting));
        segments.any(|segment| segment.kind == kind)
    };
    let stalls = stage.lanes.iter().any(|lane| !lane.stalls.is_empty());
    let signs = super::KINDS.iter().filter(|(kind, ..)| has(*kind));
    let mut signs: Vec<(&str, &str)> = signs.map(|(_, class, name)| (*class, *name)).collect();
    if stalls {
        signs.push(("h-alarm", "stall: the loop stands still"));
    }
    if !words::blocked(stage).is_empty() {
        signs.push(("f-blocked", "the output takes nothing"));
    }
    let width = f64::from(Width::Wide.pixels());
    let (mut x, mut y) = (0.0, 0.0);
    let mut placed = Vec::new();
    for (class, name) in signs {
        let room = 26.0 + canvas::width_of(name) + 14.0;
        if x + room > width {
            (x, y) = (0.0, y + 20.0);
        }
        placed.push((class, name, x, y));
        x += room;
    }
    let inside = html! {
        @for (class, name, x, y) in placed {
            // A stall lies over the write that stops the loop.
            @if class == "h-alarm" {
                rect class="f-write" x=(n(x)) y=(n(y + 1.0)) width="20" height="12" {}
            }
            rect class=(class) x=(n(x)) y=(n(y + 1.0)) width="20" height="12" {}
            text class="f-text" x=(n(x + 26.0)) y=(n(y + 11.5)) font-size="12.5" { (name) }
        }
    };
    Drawing { width: Width::Wide.pixels(), height: y as u32 + 26, inside: inside.into_string() }
}

/// Where a moment is in the picture.
struct Scale {
    /// Where the lanes begin.
    left: f64,
    /// Where they end, had the run lasted as long as the longest.
    right: f64,
    seconds: f64,
    /// From which duration on a segment is drawn by itself; the same for all
    /// stages, or they could not be compared.
    grain: f64,
}

impl Scale {
    fn new(stages: &[&StageLanes], width: Width) -> Scale {
        let left = if width == Width::Wide { 172.0 } else { 80.0 };
        let right = f64::from(width.pixels()) - 14.0;
        let seconds = stages.iter().map(|stage| stage.seconds).fold(0.0, f64::max);
        let least = LEAST * seconds / (right - left);
        let limit = if width == Width::Wide { PIECES } else { PIECES / 2 };
        let grains = stages.iter().map(|stage| thin::grain(&stage.lanes, least, limit));
        Scale { left, right, seconds, grain: grains.fold(least, f64::max) }
    }

    fn x(&self, moment: f64) -> f64 {
        self.left + (self.right - self.left) * moment / self.seconds
    }

    fn span(&self, (begin, end): Span) -> Span {
        (self.x(begin), self.x(end))
    }

    /// Labels over boxes, in letters that are so much `wider` than others.
    fn labels(&self, boxes: &[Span], wordings: &[Vec<String>], wider: f64) -> Vec<(f64, String)> {
        let bounds = (self.left - 8.0, self.right + 13.0);
        labels::placed(boxes, wordings, bounds, |says| wider * width_of(says))
    }

    /// The ticks, as plotters chooses them, in seconds.
    fn ticks(&self, at_most: usize) -> Vec<f64> {
        let axis: RangedCoordf64 = (0.0..self.seconds).into();
        axis.key_points(at_most)
    }
}

fn draw(stage: &StageLanes, scale: &Scale, width: Width) -> Drawing {
    let ticks = if width == Width::Wide { 11 } else { 5 };
    let blocked = words::blocked(stage);
    // Very many would make a large file, and no mark would be seen.
    let marks = words::begun(stage, &blocked) <= MARKED;
    let marked: &[Span] = if marks { &blocked } else { &[] };
    let free: Vec<Span> =
        blocked.iter().copied().filter(|span| !words::stands_still(stage, *span)).collect();

    let head = if blocked.is_empty() { 4.0 } else { HEAD };
    let mut top = head;
    let lanes: Vec<Markup> = in_order(&stage.lanes)
        .into_iter()
        .map(|(label, lane)| {
            let (drawn, height) = draw_lane(&label, lane, (&free, marked), top, scale, width);
            top += height;
            drawn
        })
        .collect();
    let bottom = top;
    let inside = html! {
        (draw_blocked(stage, &blocked, bottom, scale))
        (draw_axis(scale, head, bottom, ticks))
        @for lane in &lanes { (lane) }
        // Where the run ended: what is right of it did not happen.
        line class="l-muted" x1=(n(scale.x(stage.seconds))) x2=(n(scale.x(stage.seconds)))
            y1=(n(head)) y2=(n(bottom)) {}
    };
    let height = (bottom + AXIS).ceil() as u32;
    Drawing { width: width.pixels(), height, inside: inside.into_string() }
}

/// A band through all lanes, for as long as the output takes nothing; over it
/// how long that was, and what it did to the others.
fn draw_blocked(stage: &StageLanes, spans: &[Span], bottom: f64, scale: &Scale) -> Markup {
    let boxes: Vec<Span> = spans.iter().map(|span| scale.span(*span)).collect();
    let times: Vec<Time> = spans.iter().map(|span| Time(span.1 - span.0)).collect();
    let told = |says: fn(&Time) -> String| times.iter().map(says).collect::<Vec<_>>();
    let block = [
        told(|time| format!("output blocks for {time}")),
        told(|time| format!("blocks {time}")),
        told(Time::to_string),
    ];
    let effect = [0, 1].map(|at| {
        spans.iter().map(|span| words::label(stage, *span)[at].clone()).collect::<Vec<_>>()
    });
    html! {
        @for (from, to) in &boxes {
            rect class="f-blocked" x=(n(*from)) width=(n(to - from)) y="0" height=(n(bottom)) {}
        }
        @for (x, says) in scale.labels(&boxes, &block, 1.0) {
            text class="f-text" x=(n(x)) y="12" text-anchor="middle" font-size=(NOTES) { (says) }
        }
        // Bold letters take more room.
        @for (x, says) in scale.labels(&boxes, &effect, 1.08) {
            text class="f-text effect" x=(n(x)) y=(n(HEAD - 5.0)) text-anchor="middle"
                font-size=(NOTES) font-weight="700" { (says) }
        }
    }
}

fn draw_axis(scale: &Scale, top: f64, bottom: f64, at_most: usize) -> Markup {
    let ticks = scale.ticks(at_most);
    html! {
        @for tick in &ticks {
            line class="l-rule" x1=(n(scale.x(*tick))) x2=(n(scale.x(*tick)))
                y1=(n(top)) y2=(n(bottom + 4.0)) {}
            text class="f-muted" x=(n(scale.x(*tick))) y=(n(bottom + 17.0)) text-anchor="middle"
                font-size=(NOTES) {
                (format!("{:.0}", tick * 1e3)) @if *tick == 0.0 { " ms" }
            }
        }
    }
}

/// Draws one lane; returns it with its height. On that of the loop it says of
/// the spans in which the loop is `free` that it is; reads that begin within the
/// `marked` ones are as high as their lane.
fn draw_lane(
    label: &str,
    lane: &Lane,
    (free, marked): (&[Span], &[Span]),
    top: f64,
    scale: &Scale,
    width: Width,
) -> (Markup, f64) {
    let note = if lane.stalls.is_empty() { 0.0 } else { NOTE };
    let y = top + note;
    let is_marked = |it: &Segment| words::begins_meanwhile(it, marked);
    let pieces = thin::pieces(&lane.segments, scale.grain, is_marked);
    let rows = thin::rows(&lane.waiting, scale.grain);
    // As many rows as wait at once; very many share what room there is.
    let row = (48.0 / rows.len().max(1) as f64).clamp(1.0, 5.0);
    let waits = if rows.is_empty() { 0.0 } else { row * rows.len() as f64 + 4.0 };
    let height = note + LANE + waits + GAP;
    let end = lane.segments.last().map_or(0.0, |last| last.end);
    let says = format!("{label}, thread {}, {}: {}", lane.thread, job(lane.role), totals(lane));
    let drawn = html! {
        g class="lane" tabindex="0" role="img" aria-label=(says) {
            // What a finger finds where nothing is drawn.
            rect class="ground" x=(n(scale.left)) y=(n(y)) width=(n(scale.right - scale.left))
                height=(n(LANE + waits)) fill="transparent" {}
            text class="f-text" x=(n(scale.left - 8.0)) y=(n(y + 13.0)) text-anchor="end"
                font-size="12.5" {
                @if width == Width::Wide {
                    tspan class="f-muted" font-size="11" { (short(&lane.thread, label)) " " }
                }
                tspan font-weight="600" { (label) }
            }
            // What the thread does stands on this line.
            line class="l-muted" x1=(n(scale.x(0.0))) x2=(n(scale.x(end)))
                y1=(n(y + LANE + 0.5)) y2=(n(y + LANE + 0.5)) opacity=".8" {}
            @if lane.role == Role::Loop { @for span in free { (draw_free(*span, y, scale)) } }
            @for piece in &pieces { (draw_piece(piece, y, LANE, scale)) }
            @if !rows.is_empty() {
                text class="f-muted" x=(n(scale.left - 8.0)) y=(n(y + LANE + 4.0 + (waits - 4.0) / 2.0 + 4.0))
                    text-anchor="end" font-size="11" {
                    @if width == Width::Wide { "tasks that wait" } @else { "tasks" }
                }
            }
            @for (at, pieces) in rows.iter().enumerate() {
                @for piece in pieces {
                    (draw_piece(piece, y + LANE + 4.0 + row * at as f64, row - 0.5, scale))
                }
            }
            (draw_stalls(lane, y, scale))
        }
    };
    (drawn, height)
}

/// Says on the lane of the loop that a blocked output does not stop it.
fn draw_free(span: Span, y: f64, scale: &Scale) -> Markup {
    let (from, to) = (scale.x(span.0), scale.x(span.1));
    let says = "no stall";
    html! {
        @if width_of(says) <= to - from {
            text class="f-muted" x=(n(f64::midpoint(from, to))) y=(n(y + 13.0)) text-anchor="middle"
                font-size=(NOTES) { (says) }
        }
    }
}

/// The stalls: an outline round what the loop was at, and above it what it was.
fn draw_stalls(lane: &Lane, y: f64, scale: &Scale) -> Markup {
    let boxes: Vec<Span> =
        lane.stalls.iter().map(|stall| scale.span(stall::drawn(stall, lane))).collect();
    let short: Vec<String> = lane.stalls.iter().map(stall::in_short).collect();
    let first = |says: &String| says.split(':').next().unwrap_or_default().to_owned();
    let shorter = short.iter().map(first).collect();
    html! {
        @for (stall, (from, to)) in lane.stalls.iter().zip(&boxes) {
            g class="stall piece" {
                title { (stall::in_words(stall)) ", measured from " (Time(stall.begin)) " to " (Time(stall.end)) }
                rect class="h-alarm" x=(n(*from)) width=(n((to - from).max(2.0))) y=(n(y - 2.0))
                    height=(n(LANE + 4.0)) stroke-width="2" {}
            }
        }
        @for (x, says) in scale.labels(&boxes, &[short, shorter], 1.08) {
            text class="f-alarm" x=(n(x)) y=(n(y - 6.0)) text-anchor="middle" font-size=(NOTES)
                font-weight="600" { (says) }
        }
    }
}

/// One piece. What is long fills the lane. What is short is put together, and as
/// high as its part of the time, from the bottom up: the higher, the busier.
fn draw_piece(piece: &Piece, y: f64, height: f64, scale: &Scale) -> Markup {
    let (from, to) = (scale.x(piece.begin), scale.x(piece.end));
    let (x, width) = (n(from), n((to - from).max(LEAST)));
    if let [part] = &piece.parts[..]
        && piece.whole
    {
        // What follows at once is not to hide it.
        let x = n(from.min(to - LEAST));
        return html! {
            rect class={ "piece " (class(part.kind)) } x=(x) width=(width) y=(n(y)) height=(n(height)) {
                title { (in_words(piece)) }
            }
        };
    }
    let busy = piece.parts.iter().filter(|part| part.kind != Kind::Idle);
    let seconds: f64 = busy.clone().map(|part| part.seconds).sum();
    let share = seconds / (piece.end - piece.begin).max(scale.grain);
    // What takes next to no time is there all the same.
    let high = (height * share).clamp((height * 0.4).max(1.0), height);
    let mut bottom = y + height;
    let parts = busy.map(|part| {
        let height = high * part.seconds / seconds;
        bottom -= height;
        (solid(part.kind), bottom, height)
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

/// What a piece stands for: the text that is shown for it.
fn in_words(piece: &Piece) -> String {
    let part = |part: &Part| {
        let seconds = Time(part.seconds);
        match part.count {
            1 => format!("{} {seconds}", part.kind),
            many => format!("{many} × {}, {seconds} in all", part.kind),
        }
    };
    let parts: Vec<String> = piece.parts.iter().map(part).collect();
    let of = match &piece.source {
        Some(source) => format!(" of {}", file_name(source)),
        None if piece.parts.iter().any(|part| part.count > 1) => " of several sources".to_owned(),
        None => String::new(),
    };
    format!("{}{of}, from {} to {}", parts.join("; "), Time(piece.begin), Time(piece.end))
}

/// What a lane went into, in all.
fn totals(lane: &Lane) -> String {
    let of = |wanted: Kind| {
        let those = lane.segments.iter().chain(&lane.waiting).filter(|it| it.kind == wanted);
        let seconds: f64 = those.map(|it| it.end - it.begin).sum();
        (seconds > 0.0).then(|| format!("{wanted} {}", Time(seconds)))
    };
    let kinds = super::KINDS.iter().map(|(kind, ..)| *kind).chain([Kind::Idle]);
    let mut parts: Vec<String> = kinds.filter_map(of).collect();
    parts.extend(lane.stalls.iter().map(stall::in_words));
    parts.join(", ")
}

/// The last part of a path, which is what tells sources apart.
pub(super) fn file_name(path: &str) -> &str {
    path.rsplit('/').find(|part| !part.is_empty()).unwrap_or(path)
}

/// The name of a thread as it fits beside the label; none if it says no more.
fn short(thread: &str, label: &str) -> String {
    if thread == label {
        return String::new();
    }
    let room = 17;
    match thread.chars().count() {
        0..18 => thread.to_owned(),
        _ => thread.chars().take(room - 1).collect::<String>() + "…",
    }
}

/// Returns about how wide a note is, in pixels.
fn width_of(note: &str) -> f64 {
    canvas::width_of(note) * NOTES / canvas::LETTERS
}

/// A number with at most two decimals, as SVG takes it.
fn n(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
