//! The comparison on one page.
//!
//! [`render`] makes one HTML file of a [`Comparison`]: nothing is loaded from
//! anywhere, it is dark where its reader prefers that, it fits a telephone and
//! paper, and all of it is there without scripts. [`figures`] gives its pictures
//! as files of their own, for other texts.
//!
//! This is a renderer and takes no figure. Its sentences are computed from the
//! data, so a stage that changes changes what is said of it; but for one each on
//! what its code has new, which no figure tells, and one each on who may stop at
//! it, which is the book's. What a comparison
//! does not have, since it was interrupted or not asked for, is left out with a
//! sentence that says so.
//!
//! # How it is made
//!
//! The charts are drawn by plotters and the page is a template of maud. The
//! lanes are a template, too: each piece of a lane is an element with a title
//! that a pointer, a finger or a screen reader finds, and the backends of
//! plotters draw shapes without names. Their scale and its ticks are plotters'.
//!
//! plotters writes colours; here a colour of a drawing is a sign for an ink with
//! a name, so that the style sheet, not the drawing, knows the theme. Every
//! picture is drawn twice, for wide and for narrow screens: made smaller, its
//! letters could not be read.
//!
//! # Reading order
//!
//! This file; the lanes, which are the heart of the page (what they say in words
//! first, then how they are drawn); then one chart, such as growth.

mod advice;
mod canvas;
mod comparison;
pub mod fixed;
mod glossary;
mod growth;
mod head;
mod lanes;
mod latency;
mod picture;
mod table;
mod tables;
mod theme;
mod throughput;
mod verdicts;
mod workloads;

use maud::{DOCTYPE, Markup, PreEscaped, html};

pub use comparison::{
    Bucket, Comparison, Distribution, Growth, Head, Outcome, StageLanes, Verdict, Verdicts,
    Workload,
};
pub use table::{Cell, Column, Grouped, Row, Size, Spread, Table, Time};

/// A picture that stands alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// What its file is to be called, without an ending: `lanes-stage4-tasks`.
    pub name: String,
    /// The picture, as an SVG document: dark where its reader prefers that.
    pub svg: String,
    /// What is to be seen in it; where and when it was taken.
    pub caption: String,
}

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
            (lanes::section(comparison))
            (workloads::section(comparison))
            (growth::section(&comparison.growth))
            (verdicts::section(&comparison.verdicts))
            (head::seen(comparison))
            (advice::section())
            (glossary::section())
        }
        script { (PreEscaped(include_str!("page.js"))) }
    }
}

impl Figure {
    /// Returns the figure for a page of Markdown that is beside its folder: the
    /// picture, which opens when it is clicked, and below it the caption.
    pub fn markdown(&self, folder: &str) -> String {
        let file = format!("{folder}/{}.svg", self.name);
        let figure = html! {
            figure class="measured" {
                a href=(file) { img src=(file) alt=(self.caption); }
                figcaption { (self.caption) }
            }
        };
        figure.into_string() + "\n"
    }
}

/// Draws every picture of the page as a file of its own: the lanes of each
/// stage, throughput and latency of each workload, growth.
///
/// What the comparison does not have, has no picture.
pub fn figures(comparison: &Comparison) -> Vec<Figure> {
    let mut pictures = lanes::pictures(&comparison.lanes);
    for workload in &comparison.workloads {
        pictures.extend(throughput::picture(&workload.table));
        pictures.extend(latency::picture(workload));
    }
    pictures.extend(growth::pictures(&comparison.growth));
    pictures.iter().map(|picture| picture.alone(&comparison.head)).collect()
}
