//! The workloads: their sentences, throughput, latency, and all figures.

use maud::{Markup, html};

use crate::table::{Cell, Column, Row, Table};
use crate::theme::{self, Ink};
use crate::{latency, sentences, throughput};

pub(crate) fn section(workloads: &[Table]) -> Markup {
    html! {
        section id="workloads" {
            h2 { "What it cost" }
            @if workloads.is_empty() {
                p class="none" { "No workload was run to its first figure." }
            }
            @for table in workloads { (one(table)) }
        }
    }
}

fn one(table: &Table) -> Markup {
    let wrong = table.wrong().count();
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
            @for sentence in sentences::of_table(table) { p class="headline" { (sentence) } }
            @for picture in [throughput::picture(table), latency::picture(table)].iter().flatten() {
                (picture.on_page())
            }
            @if table.rows.is_empty() {
                p class="none" { "It was interrupted before its first run." }
            } @else {
                (figures(table))
            }
        }
    }
}

/// The table, which scrolls by itself: it is wider than a telephone.
fn figures(table: &Table) -> Markup {
    let mut columns = table.columns();
    // The main figures of a workload come first.
    columns.sort_by_key(|column| {
        !matches!(column, Column::Time | Column::Ratio | Column::Stall | Column::P50 | Column::P99)
    });
    html! {
        div class="scroll" tabindex="0" role="region" aria-label=(format!("Figures of {}", table.name)) {
            table {
                thead { tr {
                    th scope="col" { "stage" }
                    @for column in &columns { th scope="col" class="number" { (column.head()) } }
                } }
                tbody { @for it in &table.rows { (row(it, &columns)) } }
            }
        }
    }
}

fn row(row: &Row, columns: &[Column]) -> Markup {
    html! {
        tr class=[row.wrong.is_some().then_some("wrong")] {
            th scope="row" class=(Ink::of(&row.name).name()) { (theme::short(&row.name)) }
            @if let Some(wrong) = &row.wrong {
                td colspan=(columns.len().max(1)) {
                    span class="sticky" { strong { "wrong: " } (wrong) }
                }
            } @else {
                @for column in columns { td class="number" { (cell(row, *column)) } }
            }
        }
    }
}

fn cell(row: &Row, column: Column) -> Markup {
    let cell = row.cells.get(&column).unwrap_or(&Cell::None);
    let known = stages::find(&row.name);
    match (cell, column) {
        // Two reasons for no stall, which are not the same.
        (Cell::None, Column::Stall) if known.is_ok() || !row.is_stage() => {
            let has_loop = known.is_ok_and(|stage| stage.said().has_loop);
            html! { span class="quiet" { (if has_loop { "none seen" } else { "no loop" }) } }
        }
        (Cell::None, _) => html! { span title="there is none" { "-" } },
        _ => html! { (column.show(cell)) },
    }
}
