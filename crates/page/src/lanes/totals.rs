//! The lanes of a stage in numbers, for who cannot see the picture, and for who
//! wants them.

use std::iter;

use maud::{Markup, html};
use recorder::{Kind, Lane, Role};
use results::{Grouped, StageLanes};

use super::{effect, in_order, job, millis, words};
use crate::theme;

/// A column of figures: its head, and the lengths that are added up in it.
struct Column {
    head: &'static str,
    lengths: fn(&Lane) -> Vec<f64>,
    /// Whether it is told how many there were.
    counted: bool,
}

const COLUMNS: [Column; 7] = [
    Column { head: "read", lengths: |it| those(it, Kind::Read), counted: true },
    Column { head: "write", lengths: |it| those(it, Kind::Write), counted: true },
    Column { head: "wait for the lock", lengths: |it| those(it, Kind::WaitForLock), counted: true },
    Column { head: "nothing recorded", lengths: |it| those(it, Kind::Idle), counted: false },
    Column {
        head: "the loop stands still",
        lengths: |lane| lane.stalls.iter().map(|it| it.end - it.begin).collect(),
        counted: true,
    },
    Column {
        head: "tasks stand still with the loop",
        lengths: |lane| lane.stalls.iter().map(|it| it.end - it.begin).collect(),
        counted: false,
    },
    Column {
        head: "tasks wait, each for itself",
        lengths: |lane| lane.waiting.iter().map(|it| it.end - it.begin).collect(),
        counted: true,
    },
];

/// Which of the columns is of all tasks at once.
const ALL_TASKS: usize = 5;

fn those(lane: &Lane, kind: Kind) -> Vec<f64> {
    let those = lane.segments.iter().filter(|it| it.kind == kind);
    those.map(|it| it.end - it.begin).collect()
}

pub(super) fn table(stage: &StageLanes) -> Markup {
    let lanes = in_order(&stage.lanes);
    let tasks = effect::source_count(stage);
    let lengths = |at: usize, lane: &Lane| (COLUMNS[at].lengths)(lane);
    let has_loop = lanes.iter().any(|(_, lane)| lane.role == Role::Loop);
    // What no thread has is no column; but that a loop has no stall is a finding.
    let told = |at: &usize| {
        lanes.iter().any(|(_, lane)| !lengths(*at, lane).is_empty())
            || (has_loop && COLUMNS[*at].head == "the loop stands still")
    };
    let columns: Vec<usize> = (0..COLUMNS.len()).filter(told).collect();
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
                        @for at in &columns {
                            th scope="col" class="number" {
                                (COLUMNS[*at].head) ", ms"
                                @if COLUMNS[*at].counted { " (times)" }
                            }
                        }
                    } }
                    tbody {
                        @for (label, lane) in &lanes {
                            tr {
                                th scope="row" { (label) @if lane.thread != *label { " " small { (lane.thread) } } }
                                td class="job" { (job(lane.role)) }
                                @for at in &columns {
                                    td class="number" { (cell(*at, &lengths(*at, lane), tasks, lane.role)) }
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

fn cell(at: usize, lengths: &[f64], tasks: usize, role: Role) -> String {
    let each = if at == ALL_TASKS { tasks } else { 1 };
    let sum = millis::sum(lengths.iter().flat_map(|length| iter::repeat_n(*length, each)));
    match (lengths.len(), COLUMNS[at].counted) {
        // A loop that was not seen to stand still, and a thread that has none.
        (0, _) if COLUMNS[at].head == "the loop stands still" => {
            if role == Role::Loop { "none seen" } else { "no loop" }.to_owned()
        }
        (0, _) => "-".to_owned(),
        (_, false) => sum,
        (count, true) => format!("{sum} ({count}×)"),
    }
}
