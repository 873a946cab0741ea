//! The results of a comparison of the stages: as data, in sentences, as JSON, and on
//! one page.
//!
//! `compare` fills a [`Comparison`] and knows how each figure was taken; this crate
//! tells it. [`seen`] tells it in words, a sentence for each finding: the same on the
//! terminal, in [`json()`] and on the page. [`render`] makes one HTML file. It loads
//! nothing, is dark where its reader prefers that, fits a telephone and paper, and is
//! complete without scripts. [`figures`] returns its pictures as files of their own,
//! for other texts.
//!
//! A part that a comparison does not have, since it was interrupted or not asked for,
//! is left out, with a sentence that says so.
//!
//! # How it is made
//!
//! plotters draws the charts, and the page is a template of maud. The lanes are a
//! template, too: each piece of a lane is an element with a title, which a pointer, a
//! finger or a screen reader finds, and the backends of plotters draw shapes without
//! names. The lanes have the scale and the ticks of plotters.
//!
//! plotters writes colours. Here each colour stands for a named ink, so that the style
//! sheet, and not the drawing, knows the theme. All pictures have one width.
//!
//! `ARCHITECTURE.md` says which file has what.

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

/// Returns one page about a comparison: an HTML document that needs no other file.
///
/// The comparison may be unfinished: the page leaves out what is missing.
pub fn render(comparison: &Comparison) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                // So that no browser asks for an icon.
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
        // Without a size, but displayed: in a picture that is not, nobody would find
        // them.
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

/// Returns every picture of the page as a file of its own: the lanes of each stage,
/// throughput and latency of each workload, growth.
///
/// A missing part of the comparison has no picture.
pub fn figures(comparison: &Comparison) -> Vec<Figure> {
    let mut pictures = lanes::pictures(&comparison.lanes);
    for table in &comparison.workloads {
        pictures.extend(throughput::picture(table));
        pictures.extend(latency::picture(table));
    }
    pictures.extend(growth::pictures(&comparison.growth));
    pictures.iter().map(|picture| picture.alone(&comparison.head)).collect()
}
