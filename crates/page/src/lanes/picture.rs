//! Draws the lanes of one stage.

use maud::{Markup, html};
use plotters::coord::ranged1d::Ranged;
use plotters::coord::types::RangedCoordf64;
use recorder::{Kind, Lane, Stall};
use results::{StageLanes, Time};

use super::thin::{self, Part, Piece};
use super::{class, in_order, job, words};
use crate::canvas::{self, Width};
use crate::picture::{Drawing, Picture};
use crate::theme;

/// The height of a lane and of the gap below it.
const LANE: f64 = 17.0;
const GAP: f64 = 4.0;
/// Above the lanes: when the output blocks. Above the loop: its stalls.
const NOTE: f64 = 17.0;
/// Below the lanes.
const AXIS: f64 = 30.0;
/// How many pieces a picture has at most.
const PIECES: usize = 600;

/// Returns the picture of each stage, all on the same scale of time.
pub(crate) fn pictures(stages: &[StageLanes]) -> Vec<Picture<'_>> {
    let longest = stages.iter().map(|stage| stage.seconds).fold(0.0, f64::max);
    let shown = stages.iter().filter(|stage| !stage.lanes.is_empty() && stage.seconds > 0.0);
    let pictures = shown.map(|stage| Picture {
        name: format!("lanes-{}", stage.stage),
        title: format!("What each thread of stage {} did", theme::short(&stage.stage)),
        says: words::sentence(stage),
        parts: true,
        draw: Box::new(move |width| draw(stage, longest, width)),
    });
    pictures.collect()
}

/// Where a moment is in the picture.
struct Scale {
    /// Where the lanes begin.
    left: f64,
    /// Where they end, had the run lasted as long as the longest.
    right: f64,
    seconds: f64,
}

impl Scale {
    fn x(&self, moment: f64) -> f64 {
        self.left + (self.right - self.left) * moment / self.seconds
    }

    /// The ticks, as plotters chooses them, in seconds.
    fn ticks(&self, at_most: usize) -> Vec<f64> {
        let axis: RangedCoordf64 = (0.0..self.seconds).into();
        axis.key_points(at_most)
    }
}

fn draw(stage: &StageLanes, longest: f64, width: Width) -> Drawing {
    let pixels = f64::from(width.pixels());
    let (left, ticks) = match width {
        Width::Wide => (172.0, 11),
        Width::Half => (70.0, 6),
        Width::Narrow => (66.0, 5),
    };
    let scale = Scale { left, right: pixels - 14.0, seconds: longest };
    let pixel = longest / (scale.right - scale.left);
    let limit = if width == Width::Wide { PIECES } else { PIECES / 2 };
    let grain = thin::grain(&stage.lanes, pixel, limit);

    let mut top = NOTE;
    let lanes: Vec<Markup> = in_order(&stage.lanes)
        .into_iter()
        .map(|(label, lane)| {
            let (drawn, height) = draw_lane(&label, lane, top, &scale, grain, width);
            top += height;
            drawn
        })
        .collect();
    let bottom = top;
    let inside = html! {
        @for (begin, end) in words::blocked(stage) {
            (draw_blocked(begin, end, bottom, &scale, width))
        }
        (draw_axis(&scale, bottom, ticks))
        @for lane in &lanes { (lane) }
        // Where the run ended: what is right of it did not happen.
        line class="l-muted" x1=(n(scale.x(stage.seconds))) x2=(n(scale.x(stage.seconds)))
            y1=(n(NOTE)) y2=(n(bottom)) {}
    };
    let height = (bottom + AXIS).ceil() as u32;
    Drawing { width: width.pixels(), height, inside: inside.into_string() }
}

/// A band through all lanes, for as long as the output takes nothing.
fn draw_blocked(begin: f64, end: f64, bottom: f64, scale: &Scale, width: Width) -> Markup {
    let (from, to) = (scale.x(begin), scale.x(end));
    let says = match width {
        Width::Wide => format!("output blocks for {}", Time(end - begin)),
        Width::Half | Width::Narrow => format!("blocks {}", Time(end - begin)),
    };
    html! {
        rect class="f-blocked" x=(n(from)) width=(n(to - from)) y="0" height=(n(bottom)) {}
        @if canvas::width_of(&says) * 0.9 <= to - from {
            text class="f-text" x=(n(f64::midpoint(from, to))) y=(n(NOTE - 5.0))
                text-anchor="middle" font-size="11.5" { (says) }
        }
    }
}

fn draw_axis(scale: &Scale, bottom: f64, at_most: usize) -> Markup {
    let ticks = scale.ticks(at_most);
    html! {
        @for tick in &ticks {
            line class="l-rule" x1=(n(scale.x(*tick))) x2=(n(scale.x(*tick)))
                y1=(n(NOTE)) y2=(n(bottom + 4.0)) {}
            text class="f-muted" x=(n(scale.x(*tick))) y=(n(bottom + 17.0)) text-anchor="middle"
                font-size="11.5" {
                (format!("{:.0}", tick * 1e3)) @if *tick == 0.0 { " ms" }
            }
        }
    }
}

/// Draws one lane; returns it with its height.
fn draw_lane(
    label: &str,
    lane: &Lane,
    top: f64,
    scale: &Scale,
    grain: f64,
    width: Width,
) -> (Markup, f64) {
    let note = if lane.stalls.is_empty() { 0.0 } else { NOTE };
    let y = top + note;
    let pieces = thin::pieces(&lane.segments, grain);
    let rows = thin::rows(&lane.waiting, grain);
    // As many rows as wait at once; very many share what room there is.
    let row = (48.0 / rows.len().max(1) as f64).clamp(1.0, 5.0);
    let waits = if rows.is_empty() { 0.0 } else { row * rows.len() as f64 + 3.0 };
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
            line class="l-muted" x1=(n(scale.x(0.0))) x2=(n(scale.x(end)))
                y1=(n(y + LANE / 2.0)) y2=(n(y + LANE / 2.0)) {}
            @for piece in &pieces { (draw_piece(piece, y, LANE, scale)) }
            @if !rows.is_empty() {
                text class="f-muted" x=(n(scale.left - 8.0)) y=(n(y + LANE + 3.0 + (waits - 3.0) / 2.0 + 4.0))
                    text-anchor="end" font-size="11" {
                    @if width == Width::Wide { "tasks that wait" } @else { "tasks" }
                }
            }
            @for (at, pieces) in rows.iter().enumerate() {
                @for piece in pieces {
                    (draw_piece(piece, y + LANE + 3.0 + row * at as f64, row - 0.5, scale))
                }
            }
            @for stall in &lane.stalls { (draw_stall(stall, y, scale)) }
        }
    };
    (drawn, height)
}

/// A stall: an outline round what the loop was at, and what it was.
fn draw_stall(stall: &Stall, y: f64, scale: &Scale) -> Markup {
    let (from, to) = (scale.x(stall.begin), scale.x(stall.end));
    let says = stall_in_words(stall);
    // To the left of its end where the picture has no room to its right.
    let room = scale.right - from;
    let (x, anchor) =
        if canvas::width_of(&says) <= room { (from, "start") } else { (to, "end") };
    html! {
        g class="stall piece" {
            title { (says) ", from " (Time(stall.begin)) " to " (Time(stall.end)) }
            rect class="h-alarm" x=(n(from)) width=(n((to - from).max(2.0))) y=(n(y - 2.0))
                height=(n(LANE + 4.0)) stroke-width="2" {}
            text class="f-alarm" x=(n(x)) y=(n(y - 6.0)) text-anchor=(anchor) font-size="11.5"
                font-weight="600" { (says) }
        }
    }
}

/// `stall 151 ms: append of a.log`.
pub(super) fn stall_in_words(stall: &Stall) -> String {
    let operation = stall.operation.as_deref().unwrap_or("an unnamed operation");
    let mut says = format!("stall {}: {operation}", Time(stall.end - stall.begin));
    if let Some(source) = &stall.source {
        says += &format!(" of {}", file_name(source));
    }
    says
}

/// One piece; several kinds in it share its height as they share its time.
fn draw_piece(piece: &Piece, y: f64, height: f64, scale: &Scale) -> Markup {
    let (from, to) = (scale.x(piece.begin), scale.x(piece.end));
    // What is shorter than a pixel is there all the same.
    let width = (to - from).max(1.0);
    let all: f64 = piece.parts.iter().map(|part| part.seconds).sum();
    let mut below = y;
    let parts = piece.parts.iter().map(|part| {
        let share = if all > 0.0 { height * part.seconds / all } else { height };
        let place = (below, share);
        below += share;
        (part.kind, place)
    });
    html! {
        g class="piece" {
            title { (in_words(piece)) }
            @for (kind, (y, height)) in parts {
                @if kind != Kind::Idle {
                    rect class=(class(kind)) x=(n(from)) width=(n(width)) y=(n(y)) height=(n(height)) {}
                }
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
    parts.extend(lane.stalls.iter().map(stall_in_words));
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

/// A number with at most two decimals, as SVG takes it.
fn n(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
