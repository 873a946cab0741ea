//! The workloads: throughput, latency, and all figures.

use crate::{Comparison, Table, Time, Workload};
use maud::{Markup, html};

use crate::{latency, tables, theme, throughput};

pub(crate) fn section(comparison: &Comparison) -> Markup {
    html! {
        section id="workloads" {
            h2 { "What it cost" }
            @if comparison.workloads.is_empty() {
                p class="none" { "No workload was run to its first figure." }
            } @else {
                p class="quiet" {
                    "Threads are all of the process: its main thread, the notifier and the loop's \
                     watch are among them, where the lanes show those alone that read, write, \
                     drive the loop or finish."
                }
            }
            @for workload in &comparison.workloads { (one(workload)) }
        }
    }
}

fn one(workload: &Workload) -> Markup {
    let table = &workload.table;
    let wrong = table.wrong().count();
    let throughput = throughput::picture(table);
    let latency = latency::picture(workload);
    html! {
        section {
            div class="shown" {
                h3 { (table.name) }
                p class="quiet" { (table.what) "." }
                @if wrong > 0 {
                    p class="wrong" {
                        @if wrong == 1 { "One row is wrong and has" } @else { (wrong) " rows are wrong and have" }
                        " no figures; the table says what was seen."
                    }
                }
                // One finding each: against cat the throughput, else what the loops did.
                @if let Some(picture) = &throughput {
                    p class="headline" { (picture.says) }
                    figure { (picture.on_page()) }
                } @else if let (Some(picture), false) = (&latency, has_stalls(table)) {
                    p class="headline" { (picture.says) }
                } @else {
                    p class="headline" { (stalls(workload)) }
                }
            }
            @if let Some(picture) = &latency { div class="shown" {
                @if has_stalls(table) { p { (picture.says) } }
                @if once(table) { p class="quiet" { "Each ran once, so small differences may be chance." } }
                figure { (picture.on_page()) }
                p class="quiet" {
                    "A ridge is as high as it has lines there, at most as high as its band. The \
                     marks are p50, the median, p99, and max, the latest line."
                }
            } }
            @if table.rows.is_empty() {
                p class="none" { "It was interrupted before its first run." }
            } @else {
                (tables::table(table))
            }
        }
    }
}

/// Whether the latencies are those of a single run: no spread tells them apart.
fn once(table: &Table) -> bool {
    table.what.ends_with(", 1 run")
}

fn has_stalls(table: &Table) -> bool {
    table.columns.iter().any(|column| column.key == tables::STALL)
}

/// What the loops did: who stood still the longest, and who did not.
fn stalls(workload: &Workload) -> String {
    let table = &workload.table;
    let rows = table.rows.iter();
    let mut stalled: Vec<(&str, f64)> =
        rows.filter_map(|row| Some((&*row.name, table.number(row, tables::STALL)?))).collect();
    stalled.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    let on = &table.name;
    match &stalled[..] {
        [] => format!("On {on}, no loop was seen to stall."),
        // As in the lanes; a machine that has other work to do stalls any loop
        // for less.
        [(_, longest), ..] if *longest < 0.050 => {
            format!("On {on}, no loop stood still: the longest stall is {}.", Time(*longest))
        }
        [(name, longest)] => format!(
            "On {on}, the loop of stage {} stood still for {} at the longest.",
            theme::told(name),
            Time(*longest)
        ),
        [(name, longest), (next, shorter), ..] => format!(
            "On {on}, the loop of stage {} stood still for {} at the longest, and the next, that \
             of stage {}, for {}.",
            theme::told(name),
            Time(*longest),
            theme::told(next),
            Time(*shorter)
        ),
    }
}
