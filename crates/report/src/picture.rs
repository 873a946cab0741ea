//! A picture: the `svg` element round a drawing, on the page or alone.

use std::fmt::Write as _;

use maud::{Markup, PreEscaped, html};

use crate::canvas::{self, Area, Drawn, WIDTH};
use crate::comparison::Head;
use crate::theme;
use crate::units::counted;

/// A picture that stands alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// Its file name without the ending: `lanes-stage4-tasks`.
    pub name: String,
    /// The picture as an SVG document, dark where its reader prefers that.
    pub svg: String,
    /// What it shows; and where and when the figures were taken, if that is known.
    pub caption: String,
}

impl Figure {
    /// Returns the figure for a page of Markdown beside the folder named `folder`: the
    /// picture, which opens when it is clicked, and its caption below.
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

/// A drawing in the common width, and what it shows in words.
pub(crate) struct Picture {
    /// The name of its file, and of its elements.
    pub(crate) name: String,
    pub(crate) title: String,
    /// What it shows.
    pub(crate) says: String,
    /// Its legend, for where none stands beside it. A picture with a legend has parts
    /// that a screen reader tells one by one.
    pub(crate) legend: Option<Drawing>,
    pub(crate) drawing: Drawing,
}

/// The inside of the `svg` element, and its height in pixels.
#[derive(Debug, Clone)]
pub(crate) struct Drawing {
    pub(crate) height: u32,
    pub(crate) inside: String,
}

impl Picture {
    /// Makes a chart of plotters: one image, without a legend.
    pub(crate) fn chart(
        name: String,
        title: String,
        says: String,
        height: u32,
        drawing: impl FnOnce(&Area<'_>) -> Drawn,
    ) -> Picture {
        let drawing = Drawing { height, inside: canvas::draw(height, drawing) };
        Picture { name, title, says, legend: None, drawing }
    }

    /// Returns the picture for the page. It scrolls by itself where the screen is
    /// narrow.
    pub(crate) fn on_page(&self) -> Markup {
        let (title, says) = (format!("{}-t", self.name), format!("{}-d", self.name));
        html! {
            figure class="scroll" tabindex="0" role="region" aria-label=(self.title) {
                // An image has no parts for a screen reader; a group has.
                svg viewBox=(format!("0 0 {WIDTH} {}", self.drawing.height))
                    role=(if self.legend.is_some() { "group" } else { "img" })
                    aria-labelledby=(format!("{title} {says}")) {
                    // A `title` of the whole would pop up everywhere.
                    desc id=(title) { (self.title) }
                    desc id=(says) { (self.says) }
                    (PreEscaped(&self.drawing.inside))
                }
            }
        }
    }

    /// Returns the picture as a file of its own, with its ground and its inks.
    pub(crate) fn alone(&self, head: &Head) -> Figure {
        let (pad, title) = (12, 26);
        let legend = self.legend.as_ref();
        let top = title + legend.map_or(0, |legend| legend.height);
        let (w, h) = (WIDTH + 2 * pad, top + self.drawing.height + 2 * pad);
        let svg = html! {
            svg xmlns="http://www.w3.org/2000/svg" width=(w) height=(h)
                viewBox=(format!("-{pad} -{pad} {w} {h}")) role="img"
                aria-labelledby="title desc" {
                title id="title" { (self.title) }
                desc id="desc" { (self.says) }
                style { (PreEscaped(theme::of_picture())) (PreEscaped(theme::classes())) }
                (hatchings())
                rect class="f-paper" x=(-i64::from(pad)) y=(-i64::from(pad)) width=(w) height=(h)
                    rx="6" {}
                text class="f-text" x="0" y="14" font-size="15" font-weight="600" { (self.title) }
                @if let Some(legend) = legend {
                    g transform=(format!("translate(0 {title})")) { (PreEscaped(&legend.inside)) }
                }
                g transform=(format!("translate(0 {top})")) { (PreEscaped(&self.drawing.inside)) }
            }
        };
        let caption = format!("{}{}", self.says, machine(head));
        Figure { name: self.name.clone(), svg: svg.into_string(), caption }
    }
}

/// Says in one sentence where and when the figures were taken, if that is known.
fn machine(head: &Head) -> String {
    if head.kernel.is_empty() {
        return String::new();
    }
    let Head { kernel, cores, rustc, date, .. } = head;
    let rustc = rustc.split(" (").next().unwrap_or(rustc);
    let cores = counted(*cores, "core");
    let mut words = format!(" On {kernel}, {cores}, {rustc}, {date}");
    if let Some(commit) = &head.commit {
        let _ = write!(words, ", commit {commit}");
    }
    words + "."
}

/// The hatchings that pictures refer to.
pub(crate) fn hatchings() -> Markup {
    let ground = || {
        html! {
            rect class="f-paper" width="7" height="7" {}
            rect class="f-wait" width="7" height="7" opacity=".22" {}
        }
    };
    html! {
        defs {
            pattern id="h-lock" width="6" height="6" patternUnits="userSpaceOnUse"
                patternTransform="rotate(45)" {
                (ground()) path class="l-wait" d="M1.5 0V6" stroke-width="2.4" {}
            }
            pattern id="h-loop" width="5" height="5" patternUnits="userSpaceOnUse"
                patternTransform="rotate(-45)" {
                (ground()) path class="l-wait" d="M1 0V5" stroke-width="1.8" {}
            }
            // Its rows are too low for a hatching: an open box.
            pattern id="h-answer" width="7" height="7" patternUnits="userSpaceOnUse" { (ground()) }
            pattern id="h-still" width="6" height="6" patternUnits="userSpaceOnUse" {
                rect class="f-paper" width="6" height="6" {}
                path class="l-alarm" d="M0 3H6" stroke-width="1.2" {}
            }
            pattern id="h-alarm" width="7" height="7" patternUnits="userSpaceOnUse"
                patternTransform="rotate(-45)" {
                path class="l-alarm" d="M1.5 0V7" stroke-width="2.8" {}
            }
        }
    }
}
