//! What a comparison of the stages has shown: as data, in sentences, as JSON, and
//! on one page.
//!
//! `compare` fills a [`Comparison`] and knows how each figure was taken; here is
//! how it is told. [`seen`] says it in words, a sentence a finding, the same on the
//! terminal, in [`json()`] and on the page. [`render`] makes one HTML file: nothing
//! is loaded from anywhere, it is dark where its reader prefers that, it fits a
//! telephone and paper, and all of it is there without scripts. [`figures`] gives
//! its pictures as files of their own, for other texts.
//!
//! What a comparison does not have, since it was interrupted or not asked for, is
//! left out with a sentence that says so.
//!
//! # How it is made
//!
//! The charts are drawn by plotters and the page is a template of maud. The
//! lanes are a template, too: each piece of a lane is an element with a title
//! that a pointer, a finger or a screen reader finds, and the backends of
//! plotters draw shapes without names. Their scale and its ticks are plotters'.
//!
//! plotters writes colours; here a colour of a drawing is a sign for an ink with
//! a name, so that the style sheet, not the drawing, knows the theme. A picture is
//! drawn in one width.
//!
//! `ARCHITECTURE.md` says in which file is what.

mod canvas;
mod comparison;
mod growth;
mod head;
mod help;
mod json;
mod lanes;
mod latency;
mod picture;
mod sentences;
mod table;
mod theme;
mod throughput;
mod units;
mod verdicts;
mod workloads;

use maud::{DOCTYPE, Markup, PreEscaped, html};

pub use comparison::{Comparison, Growth, Head, Outcome, StageLanes, Verdict, Verdicts};
pub use json::{SCHEMA, json};
pub use picture::Figure;
pub use sentences::seen;
pub use table::{Bucket, Cell, Column, Distribution, Row, Spread, Table};
pub use units::{Grouped, Rate, Size, Time};

/// Makes one page of a comparison: an HTML document that needs no other file.
///
/// The comparison may be unfinished: what it does not have is left out.
pub fn render(comparison: &Comparison) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                // No browser then asks for an icon.
                link rel="icon" href="data:,";
                title { "Tributary, compared" }
                style {
                    (PreEscaped(theme::of_page()))
                    (PreEscaped(theme::classes()))
                    (PreEscaped(include_str!("page.css")))
                }
            }
            body { (body(comparison)) }
        }
    };
    page.into_string()
}

fn body(comparison: &Comparison) -> Markup {
    html! {
        (head::themes())
        // In a picture that is not displayed, nobody would find them.
        svg class="hatchings" width="0" height="0" aria-hidden="true" { (picture::hatchings()) }
        (head::header(comparison))
        main {
            (lanes::section(&comparison.lanes))
            (workloads::section(&comparison.workloads))
            (growth::section(&comparison.growth))
            (verdicts::section(&comparison.verdicts))
            (help::which_stage())
            (help::glossary())
        }
        script { (PreEscaped(include_str!("page.js"))) }
    }
}

/// Draws every picture of the page as a file of its own: the lanes of each
/// stage, throughput and latency of each workload, growth.
///
/// What the comparison does not have, has no picture.
pub fn figures(comparison: &Comparison) -> Vec<Figure> {
    let mut pictures = lanes::pictures(&comparison.lanes);
    for table in &comparison.workloads {
        pictures.extend(throughput::picture(table));
        pictures.extend(latency::picture(table));
    }
    pictures.extend(growth::pictures(&comparison.growth));
    pictures.iter().map(|picture| picture.alone(&comparison.head)).collect()
}
