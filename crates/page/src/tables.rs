//! The figures of a workload, as a table.

use maud::{Markup, html};
use results::{Cell, Row, Table};

use crate::theme::{self, Ink};

/// The table: it is wider than a telephone, so it scrolls by itself.
pub(crate) fn table(table: &Table) -> Markup {
    html! {
        div class="scroll" tabindex="0" role="region" aria-label=(format!("Figures of {}", table.name)) {
            table {
                thead { tr {
                    th scope="col" { "stage" }
                    @for column in &table.columns { th scope="col" class="number" { (column.head) } }
                } }
                tbody { @for it in &table.rows { (row(table, it)) } }
            }
        }
    }
}

fn row(table: &Table, row: &Row) -> Markup {
    let name = html! {
        th scope="row" class=(Ink::of(&row.name).name()) { (theme::short(&row.name)) }
    };
    html! {
        @match &row.cells {
            Ok(cells) => tr {
                (name)
                @for cell in cells { (figure(cell)) }
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

fn figure(cell: &Cell) -> Markup {
    html! {
        td class="number" {
            @match cell {
                Cell::None => span title="there is none" { "-" },
                cell => (cell),
            }
        }
    }
}
