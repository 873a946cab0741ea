//! The lanes of a stage in numbers, for who cannot see the picture, and for who
//! wants them.

use std::iter;

use crate::{Grouped, StageLanes};
use maud::{Markup, html};
use recorder::{Kind, Lane, Role};

use super::{effect, in_order, job, millis, words};
use crate::theme;

/// A column of figures: its head, and the lengths that are added up in it.
struct Column {
    head: &'static str,
    lengths: fn(&Lane) -> Vec<f64>,
    /// Whether it is told how many there were.
    counted: bool,
    whose: Whose,
}

/// Whose time is added up in a column.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// That of a thread, or of a task.
    One,
    /// That of a loop, of which it is a finding that there is none.
    Loop,
    /// That of all tasks at once.
    AllTasks,
}

const COLUMNS: [Column; 7] = [
    one("read", |it| those(it, Kind::Read), true),
    one("write", |it| those(it, Kind::Write), true),
    one("wait for the lock", |it| those(it, Kind::WaitForLock), true),
    one("nothing recorded", |it| those(it, Kind::Idle), false),
    Column { head: "the loop stands still", lengths: stalls, counted: true, whose: Whose::Loop },
    Column {
        head: "tasks stand still with the loop",
        lengths: stalls,
        counted: false,
        whose: Whose::AllTasks,
    },
    one(
        "tasks wait, each for itself",
        |lane| lane.waiting.iter().map(|it| it.end - it.begin).collect(),
        true,
    ),
];

const fn one(head: &'static str, lengths: fn(&Lane) -> Vec<f64>, counted: bool) -> Column {
    Column { head, lengths, counted, whose: Whose::One }
}

fn stalls(lane: &Lane) -> Vec<f64> {
    lane.stalls.iter().map(|it| it.end - it.begin).collect()
}

fn those(lane: &Lane, kind: Kind) -> Vec<f64> {
    let those = lane.segments.iter().filter(|it| it.kind == kind);
    those.map(|it| it.end - it.begin).collect()
}

pub(super) fn table(stage: &StageLanes) -> Markup {
    let lanes = in_order(&stage.lanes);
    let tasks = effect::source_count(stage);
    let has_loop = lanes.iter().any(|(_, lane)| lane.role == Role::Loop);
    // What no thread has is no column; but that a loop has no stall is a finding.
    let told = |column: &&Column| {
        lanes.iter().any(|(_, lane)| !(column.lengths)(lane).is_empty())
            || (has_loop && column.whose == Whose::Loop)
    };
    let columns: Vec<&Column> = COLUMNS.iter().filter(told).collect();
    let stalls = lanes.iter().any(|(_, lane)| !lane.stalls.is_empty());
    let waits = lanes.iter().any(|(_, lane)| !lane.waiting.is_empty());
    html! {
        details class="totals" {
            summary { "In numbers: " (words::counted(lanes.len(), "thread", "threads")) }
            div class="scroll" tabindex="0" role="region" aria-label=(format!("Totals of stage {}", theme::short(&stage.stage))) {
                table {
                    thead { tr {
                        th scope="col" { "thread" }
                        th scope="col" { "what it does" }
                        @for column in &columns {
                            th scope="col" class="number" {
                                (column.head) ", ms"
                                @if column.counted { " (times)" }
                            }
                        }
                    } }
                    tbody {
                        @for (label, lane) in &lanes {
                            tr {
                                th scope="row" { (label) @if lane.thread != *label { " " small { (lane.thread) } } }
                                td class="job" { (job(lane.role)) }
                                @for column in &columns {
                                    td class="number" { (cell(column, lane, tasks)) }
                                }
                            }
                        }
                    }
                }
            }
            @if stalls {
                p class="quiet" {
                    "While the loop stands still, none of its " (tasks) " tasks runs, whether it has \
                     lines or not: the time counts for each of them."
                }
            }
            @if waits {
                p class="quiet" {
                    "A wait is that of one task and holds up no other; the sum is over all of them."
                }
            }
            @if stage.left_out > 0 {
                p class="quiet" {
                    (Grouped(stage.left_out)) " operations were more than the recorder keeps."
                }
            }
        }
    }
}

fn cell(column: &Column, lane: &Lane, tasks: usize) -> String {
    let lengths = (column.lengths)(lane);
    let each = if column.whose == Whose::AllTasks { tasks } else { 1 };
    let sum = millis::sum(lengths.iter().flat_map(|length| iter::repeat_n(*length, each)));
    match (lengths.len(), column.counted) {
        // A loop that was not seen to stand still, and a thread that has none.
        (0, _) if column.whose == Whose::Loop => {
            if lane.role == Role::Loop { "none seen" } else { "no loop" }.to_owned()
        }
        (0, _) => "-".to_owned(),
        (_, false) => sum,
        (count, true) => format!("{sum} ({count}×)"),
    }
}
