//! The tasks of a loop, below its lane: when they wait, and when none of them
//! runs, since the loop stands still.

use crate::{StageLanes, Time};
use maud::{Markup, html};
use recorder::Lane;

use super::millis::millis;
use super::picture::{Scale, draw_piece, n, width_of};
use super::thin::{self, Piece};
use super::words::Span;
use super::{effect, stall};
use crate::canvas::Width;

/// How high the row of a task is at most, with the gap below it.
const ROW: f64 = 7.0;
/// How high all rows are at most; and at least, where a text stands in them.
const ROWS: f64 = 72.0;
const STILL: f64 = 22.0;
/// Between the line of the loop and the first row.
const GAP: f64 = 4.0;

/// What is drawn below the lane of a loop.
pub(super) struct Tasks {
    rows: Vec<Vec<Piece>>,
    /// Where none of them runs, and for how long, as the stall was measured.
    still: Vec<(Span, f64)>,
    row: f64,
    /// With the gap above; nothing, if there is nothing to draw.
    pub(super) height: f64,
}

impl Tasks {
    pub(super) fn of(lane: &Lane, grain: f64) -> Tasks {
        let rows = thin::rows(&lane.waiting, grain);
        let still = lane.stalls.iter().map(|it| (stall::drawn(it, lane), it.end - it.begin));
        let still: Vec<(Span, f64)> = still.collect();
        // As many rows as wait at once; very many share what room there is.
        let row = (ROWS / rows.len().max(1) as f64).clamp(1.0, ROW);
        let least = if still.is_empty() { 0.0 } else { STILL };
        let room = (row * rows.len() as f64).max(least);
        let height = if room == 0.0 { 0.0 } else { GAP + room };
        Tasks { rows, still, row, height }
    }

    /// Draws them; `y` is where the lane of the loop ends.
    pub(super) fn draw(&self, y: f64, scale: &Scale, width: Width) -> Markup {
        let (top, room) = (y + GAP, self.height - GAP);
        let middle = top + room / 2.0;
        html! {
            @if self.height > 0.0 {
                text class="f-muted" x=(n(scale.left - 8.0)) y=(n(middle + 4.0)) text-anchor="end"
                    font-size="11" {
                    @match (width, self.still.is_empty()) {
                        (Width::Narrow, _) => "tasks",
                        (_, true) => "tasks that wait",
                        (_, false) => "tasks, held up",
                    }
                }
            }
            @for (at, pieces) in self.rows.iter().enumerate() {
                @for piece in pieces {
                    (draw_piece(piece, top + self.row * at as f64, self.row - 1.0, scale))
                }
            }
            @for (span, seconds) in &self.still {
                @let (from, to) = scale.span(*span);
                g class="piece still" {
                    title {
                        "no task runs for " (millis(*seconds)) ": the loop stands still, from "
                        (Time(span.0)) " to " (Time(span.1))
                    }
                    rect class="h-still" x=(n(from)) width=(n((to - from).max(2.0))) y=(n(top))
                        height=(n(room)) {}
                    @if let Some(says) = ["no task runs", "none runs"].into_iter()
                        .find(|says| width_of(says) * 1.08 + 4.0 <= to - from) {
                        text class="f-alarm haloed" x=(n(f64::midpoint(from, to))) y=(n(middle + 4.0))
                            text-anchor="middle" font-size="11.5" font-weight="600" { (says) }
                    }
                }
            }
        }
    }
}

/// For how long no task of a lane runs, for who does not see the picture.
pub(super) fn in_words(lane: &Lane, stage: &StageLanes) -> Option<String> {
    let lengths = lane.stalls.iter().map(|it| it.end - it.begin);
    let seconds = super::millis::sum(lengths);
    let tasks = effect::source_count(stage);
    (!lane.stalls.is_empty()).then(|| format!("none of {tasks} tasks runs for {seconds} ms"))
}
