//! The figures of a workload, as a table.

use crate::{Cell, Column, Row, Spread, Table};
use maud::{Markup, html};

use crate::theme::{self, Ink};

/// The column in which a loop says for how long it stood still at the longest.
pub(crate) const STALL: &str = "longest_stall_seconds";

/// What is seen first where a table is wider than its screen.
const FIRST: [&str; 6] =
    ["time_seconds", "ratio_to_cat", STALL, "p50_seconds", "p99_seconds", "max_seconds"];

/// The table: it is wider than a telephone, so it scrolls by itself.
pub(crate) fn table(table: &Table) -> Markup {
    let order = order(&table.columns);
    html! {
        div class="scroll" tabindex="0" role="region" aria-label=(format!("Figures of {}", table.name)) {
            table {
                thead { tr {
                    th scope="col" { "stage" }
                    @for at in &order { th scope="col" class="number" { (table.columns[*at].head) } }
                } }
                tbody { @for it in &table.rows { (row(table, it, &order)) } }
            }
        }
        @for note in notes(table) { p class="quiet" { (note) } }
    }
}

/// Returns the places of the columns as they are shown.
fn order(columns: &[Column]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..columns.len()).collect();
    let rank = |key: &str| FIRST.iter().position(|first| *first == key).unwrap_or(FIRST.len());
    order.sort_by_key(|&at| rank(columns[at].key));
    order
}

fn row(table: &Table, row: &Row, order: &[usize]) -> Markup {
    let name = html! {
        th scope="row" class=(Ink::of(&row.name).name()) { (theme::short(&row.name)) }
    };
    html! {
        @match &row.cells {
            Ok(cells) => tr {
                (name)
                @for at in order {
                    @if let (Some(column), Some(cell)) = (table.columns.get(*at), cells.get(*at)) {
                        (figure(&row.name, column, cell))
                    }
                }
            },
            // No figure at all: a wrong merge may well be a short one.
            Err(wrong) => tr class="wrong" {
                (name)
                td colspan=(table.columns.len().max(1)) {
                    span class="sticky" { strong { "wrong: " } (wrong) }
                }
            },
        }
    }
}

fn figure(name: &str, column: &Column, cell: &Cell) -> Markup {
    // Two things that are both no figure, and not the same.
    let none = match (column.key, theme::has_loop(name)) {
        (STALL, Some(true)) => "none seen",
        (STALL, Some(false)) => "no loop",
        _ => "-",
    };
    html! {
        td class="number" {
            @match cell {
                Cell::None if none == "-" => span title="there is none" { (none) },
                Cell::None => span class="quiet" { (none) },
                cell => (cell),
            }
        }
    }
}

/// What is to be known of the figures, of those that are there.
fn notes(table: &Table) -> Vec<String> {
    let spread = |row: &Row, key: &str| match table.cell(row, key) {
        Some(Cell::Times(spread) | Cell::Ratio(spread)) => Some(spread.clone()),
        _ => None,
    };
    let stages = || table.rows.iter().filter(|row| theme::number(&row.name).is_some());
    let several = |spread: &Spread| spread.values().len() > 1;
    let mut notes = Vec::new();
    if stages().any(|row| spread(row, "ratio_to_cat").is_some_and(|it| several(&it))) {
        notes.push(
            "± is half the way from the least round to the largest; beside the bars stand the \
             least and the largest themselves."
                .to_owned(),
        );
    }
    let sorted = |key: &str| {
        let those = stages().filter_map(|row| Some((&*row.name, table.number(row, key)?)));
        let mut those: Vec<(&str, f64)> = those.collect();
        those.sort_by(|(_, a), (_, b)| a.total_cmp(b));
        those.into_iter().map(|(name, _)| name).collect::<Vec<_>>()
    };
    let (times, ratios) = (sorted("time_seconds"), sorted("ratio_to_cat"));
    if times.len() == ratios.len() && times != ratios {
        notes.push(
            "The order by time is not the order by × cat: a time is the median of all rounds, and \
             × cat is taken within each round, so that a slow moment of the machine meets both."
                .to_owned(),
        );
    }
    if stages().any(|row| table.number(row, STALL).is_some()) {
        notes.push(
            "A stall of a few milliseconds is what the machine needs to hand out a turn; where a \
             loop stands still, its stall is about as long as the output blocks."
                .to_owned(),
        );
    }
    notes
}
