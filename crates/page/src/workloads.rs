//! The workloads: throughput, latency, and all figures.

use maud::{Markup, html};
use results::{Comparison, Workload};

use crate::{latency, tables, throughput};

pub(crate) fn section(comparison: &Comparison) -> Markup {
    html! {
        section id="workloads" {
            h2 { "What it cost" }
            @if comparison.workloads.is_empty() {
                p class="none" { "No workload was run to its first figure." }
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
            h3 { (table.name) }
            p class="quiet" { (table.what) "." }
            @if wrong > 0 {
                p class="wrong" {
                    @if wrong == 1 { "One row is wrong and has" } @else { (wrong) " rows are wrong and have" }
                    " no figures; the table says what was seen."
                }
            }
            @for picture in [&throughput, &latency].into_iter().flatten() {
                p class="headline" { (picture.says) }
                figure { (picture.on_page()) }
            }
            @if latency.is_some() {
                p class="quiet" {
                    "A ridge is as high as it has lines there, at most as high as its band. The \
                     marks are the median, p99 and the latest line."
                }
            }
            @if throughput.is_none() && latency.is_none() {
                p class="headline" { (stalls(workload)) }
            }
            @if table.rows.is_empty() {
                p class="none" { "It was interrupted before its first run." }
            } @else {
                (tables::table(table))
            }
        }
    }
}

/// What is to be seen where neither times nor lines were set side by side.
fn stalls(workload: &Workload) -> String {
    let table = &workload.table;
    let stalled = table
        .rows
        .iter()
        .filter_map(|row| Some((&row.name, table.number(row, "longest_stall_seconds")?)));
    match stalled.max_by(|(_, a), (_, b)| a.total_cmp(b)) {
        Some((name, seconds)) => format!(
            "On {}, the longest stall was that of stage {}: {}.",
            table.name,
            crate::theme::told(name),
            results::Time(seconds)
        ),
        None => format!("On {}, no loop was seen to stall.", table.name),
    }
}
