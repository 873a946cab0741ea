//! Draws the lanes of one stage.

use std::rc::Rc;

use crate::{StageLanes, Time};
use maud::{Markup, html};
use plotters::coord::ranged1d::Ranged;
use plotters::coord::types::RangedCoordf64;
use recorder::{Kind, Lane, Segment};

use super::millis::millis;
use super::tasks::{self, Tasks};
use super::thin::{self, Part, Piece};
use super::words::{self, Span};
use super::{class, effect, in_order, job, labels, legend, on_loop, solid, stall};
use crate::canvas::{self, Width};
use crate::picture::{Drawing, Picture};
use crate::theme;

/// The height of a lane and of the gap below it.
const LANE: f64 = 17.0;
const GAP: f64 = 5.0;
/// Above a lane or all of them: a line of text.
const NOTE: f64 = 16.0;
/// The size of the letters of a note, in pixels.
const NOTES: f64 = 11.5;
/// Below the lanes.
const AXIS: f64 = 30.0;
/// How many pieces a picture has at most.
const PIECES: usize = 450;
/// How wide a piece is at least: it is to be seen, and touched.
const LEAST: f64 = 2.5;

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
        legend: Some(legend::drawing(stage)),
        draw: Box::new({
            let all = Rc::clone(&all);
            move |width| draw(stage, &Scale::new(&all, width), width)
        }),
    };
    all.iter().map(|stage| picture(stage)).collect()
}

/// Where a moment is in the picture.
pub(super) struct Scale {
    /// Where the lanes begin.
    pub(super) left: f64,
    /// Where they end, had the run lasted as long as the longest.
    right: f64,
    seconds: f64,
    /// From which duration on a segment is drawn by itself; the same for all
    /// stages, or they could not be compared.
    grain: f64,
}

impl Scale {
    fn new(stages: &[&StageLanes], width: Width) -> Scale {
        let left = if width == Width::Wide { 150.0 } else { 76.0 };
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

    pub(super) fn span(&self, (begin, end): Span) -> Span {
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
    let bands = Bands::of(stage, width);
    let head = bands.head();
    let mut top = head;
    let lanes: Vec<Markup> = in_order(&stage.lanes)
        .into_iter()
        .map(|(label, lane)| {
            let (drawn, height) = draw_lane(&label, lane, stage, top, scale, width);
            top += height;
            drawn
        })
        .collect();
    let bottom = top;
    let (below, room) = bands.below(bottom + AXIS);
    let inside = html! {
        (bands.draw(bottom, scale))
        (draw_axis(scale, head, bottom, ticks))
        @for lane in &lanes { (lane) }
        // Where the run ended: what is right of it did not happen.
        line class="l-muted" x1=(n(scale.x(stage.seconds))) x2=(n(scale.x(stage.seconds)))
            y1=(n(head)) y2=(n(bottom)) stroke-width="2" {}
        (below)
    };
    let height = (bottom + AXIS + room).ceil() as u32;
    Drawing { width: width.pixels(), height, inside: inside.into_string() }
}

/// The bands through all lanes, for as long as the output takes nothing: how
/// long each was, and what it did to the others. That stands over the band where
/// there is room, and under the picture where there is not.
struct Bands {
    spans: Vec<Span>,
    effects: Vec<Vec<String>>,
    over: bool,
}

impl Bands {
    fn of(stage: &StageLanes, width: Width) -> Bands {
        let spans = words::blocked(stage);
        let effects = spans.iter().map(|span| effect::effect(stage, *span)).collect();
        Bands { spans, effects, over: width != Width::Narrow }
    }

    /// How many lines stand over each band below its length.
    fn lines(&self) -> usize {
        if self.over { self.effects.iter().map(Vec::len).max().unwrap_or(0) } else { 0 }
    }

    /// How much room there is above the lanes.
    fn head(&self) -> f64 {
        if self.spans.is_empty() { 4.0 } else { NOTE * (1 + self.lines()) as f64 + 2.0 }
    }

    fn draw(&self, bottom: f64, scale: &Scale) -> Markup {
        let boxes: Vec<Span> = self.spans.iter().map(|span| scale.span(*span)).collect();
        let times: Vec<String> = self.spans.iter().map(|span| millis(span.1 - span.0)).collect();
        let told = |before: &str| times.iter().map(|it| format!("{before}{it}")).collect();
        let block = [told("output blocks "), told("blocks "), told("")];
        let lines = (0..self.lines()).map(|at| {
            let line = |lines: &Vec<String>| lines.get(at).cloned().unwrap_or_default();
            self.effects.iter().map(line).collect::<Vec<_>>()
        });
        html! {
            @for (from, to) in &boxes {
                rect class="f-blocked" x=(n(*from)) width=(n(to - from)) y="0" height=(n(bottom)) {}
            }
            @for (x, says) in scale.labels(&boxes, &block, 1.0) {
                text class="f-text" x=(n(x)) y="12" text-anchor="middle" font-size=(NOTES) { (says) }
            }
            @for (at, line) in lines.enumerate() {
                // Bold letters take more room.
                @for (x, says) in scale.labels(&boxes, &[line], 1.08) {
                    text class="f-text effect" x=(n(x)) y=(n(12.0 + NOTE * (at + 1) as f64))
                        text-anchor="middle" font-size=(NOTES) font-weight="700" { (says) }
                }
            }
        }
    }

    /// The effects as lines under the picture, and the room that they take.
    fn below(&self, top: f64) -> (Markup, f64) {
        let mut said: Vec<String> = Vec::new();
        if !self.over {
            let told: Vec<String> = self.effects.iter().map(|lines| lines.join(" ")).collect();
            let same = told.windows(2).all(|pair| pair[0] == pair[1]);
            for (told, span) in told.iter().zip(&self.spans).take(if same { 1 } else { 8 }) {
                let when = match same {
                    true => "Grey".to_owned(),
                    false => format!("Grey from {:.0} ms", span.0 * 1e3),
                };
                said.extend(canvas::wrapped(
                    &format!("{when}: {told}."),
                    f64::from(Width::Narrow.pixels()) * canvas::LETTERS / NOTES / 1.08,
                ));
            }
        }
        let drawn = html! {
            @for (at, says) in said.iter().enumerate() {
                text class="f-text effect" x="0" y=(n(top + 10.0 + 15.0 * at as f64))
                    font-size=(NOTES) font-weight="700" { (says) }
            }
        };
        (drawn, if said.is_empty() { 0.0 } else { 15.0 * said.len() as f64 + 4.0 })
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

/// Draws one lane; returns it with its height. Above that of the loop stands what
/// the loop is for, since little of that is recorded.
fn draw_lane(
    label: &str,
    lane: &Lane,
    stage: &StageLanes,
    top: f64,
    scale: &Scale,
    width: Width,
) -> (Markup, f64) {
    let told =
        on_loop(lane, stage).map(|told| if width == Width::Wide { told[0] } else { told[1] });
    let notes = NOTE * f64::from(u8::from(told.is_some()) + u8::from(!lane.stalls.is_empty()));
    let y = top + notes;
    let pieces = thin::pieces(&lane.segments, scale.grain);
    let tasks = Tasks::of(lane, scale.grain);
    let height = notes + LANE + tasks.height + GAP;
    let end = lane.segments.last().map_or(0.0, |last| last.end);
    let mut says = format!("{label}, thread {}, {}: {}", lane.thread, job(lane.role), totals(lane));
    if let Some(still) = tasks::in_words(lane, stage) {
        says += &format!(", {still}");
    }
    let drawn = html! {
        g class="lane" tabindex="0" role="img" aria-label=(says) {
            // What a finger finds where nothing is drawn.
            rect class="ground" x=(n(scale.left)) y=(n(y)) width=(n(scale.right - scale.left))
                height=(n(LANE + tasks.height)) fill="transparent" {}
            text class="f-text" x=(n(scale.left - 8.0)) y=(n(y + 13.0)) text-anchor="end"
                font-size="12.5" {
                @if width == Width::Wide {
                    tspan class="f-muted" font-size="11" { (short(&lane.thread, label)) " " }
                }
                tspan font-weight="600" { (label) }
            }
            @if let Some(told) = told {
                text class="f-muted" x=(n(scale.left)) y=(n(top + 11.0)) font-size=(NOTES) { (told) }
            }
            // What the thread does stands on this line.
            line class="l-muted" x1=(n(scale.x(0.0))) x2=(n(scale.x(end)))
                y1=(n(y + LANE + 0.5)) y2=(n(y + LANE + 0.5)) opacity=".8" {}
            @for piece in &pieces { (draw_piece(piece, y, LANE, scale)) }
            @if let Some(finish) = only_finish(lane) {
                text class="f-muted" x=(n(scale.x(finish.begin) - 6.0)) y=(n(y + 13.0))
                    text-anchor="end" font-size=(NOTES) { "finish" }
            }
            (tasks.draw(y + LANE, scale, width))
            (draw_stalls(lane, y, scale))
        }
    };
    (drawn, height)
}

/// The finish of the output, on a lane on which nothing else stands.
fn only_finish(lane: &Lane) -> Option<&Segment> {
    let mut busy = lane.segments.iter().filter(|it| it.kind != Kind::Idle);
    busy.next().filter(|it| is_finish(it.kind, it.source.as_deref()) && busy.next().is_none())
}

/// What is written and is of no source is the finish.
fn is_finish(kind: Kind, source: Option<&str>) -> bool {
    kind == Kind::Write && source.is_none()
}

/// The stalls: an outline round what the loop was at, and above it what it was.
fn draw_stalls(lane: &Lane, y: f64, scale: &Scale) -> Markup {
    let boxes: Vec<Span> =
        lane.stalls.iter().map(|stall| scale.span(stall::drawn(stall, lane))).collect();
    let short: Vec<String> = lane.stalls.iter().map(stall::in_short).collect();
    let first = |says: &String| says.split(':').next().unwrap_or_default().to_owned();
    let shorter = short.iter().map(first).collect();
    let shortest = lane.stalls.iter().map(|it| millis(it.end - it.begin)).collect();
    html! {
        @for (stall, (from, to)) in lane.stalls.iter().zip(&boxes) {
            g class="stall piece" {
                title { (stall::in_words(stall)) ", measured from " (Time(stall.begin)) " to " (Time(stall.end)) }
                rect class="h-alarm" x=(n(*from)) width=(n((to - from).max(2.0))) y=(n(y - 2.0))
                    height=(n(LANE + 4.0)) stroke-width="2" {}
            }
        }
        @for (x, says) in scale.labels(&boxes, &[short, shorter, shortest], 1.08) {
            text class="f-alarm" x=(n(x)) y=(n(y - 6.0)) text-anchor="middle" font-size=(NOTES)
                font-weight="600" { (says) }
        }
    }
}

/// One piece. What is long fills the lane. What is short is put together, and as
/// high as its part of the time, from the bottom up: the higher, the busier.
pub(super) fn draw_piece(piece: &Piece, y: f64, height: f64, scale: &Scale) -> Markup {
    let (from, to) = (scale.x(piece.begin), scale.x(piece.end));
    // What follows at once is not to hide it, and nothing happened after the end.
    let x = n(from.min(to - LEAST).max(scale.left));
    let width = n((to - from).max(LEAST));
    if let [part] = &piece.parts[..]
        && piece.whole
    {
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
    let parts: Vec<String> = match &piece.parts[..] {
        [only] if only.count == 1 && is_finish(only.kind, piece.source.as_deref()) => {
            vec![format!("finish {}", Time(only.seconds))]
        }
        parts => parts.iter().map(part).collect(),
    };
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

/// The name of a thread as it fits beside the label; none if it says no more. The
/// end of a name tells it from others: `…worker 10`.
fn short(thread: &str, label: &str) -> String {
    const ROOM: usize = 12;
    let letters = thread.chars().count();
    match thread.rsplit_once('-') {
        _ if thread == label => String::new(),
        _ if letters <= ROOM => thread.to_owned(),
        Some((_, end)) if end.chars().count() < ROOM => format!("…{end}"),
        _ => thread.chars().take(ROOM - 1).collect::<String>() + "…",
    }
}

/// Returns about how wide a note is, in pixels.
pub(super) fn width_of(note: &str) -> f64 {
    canvas::width_of(note) * NOTES / canvas::LETTERS
}

/// A number with at most two decimals, as SVG takes it.
pub(super) fn n(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
