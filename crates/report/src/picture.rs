//! A picture: the `svg` element round a drawing, on the page and alone.

use std::fmt::Write as _;

use crate::Head;
use maud::{Markup, PreEscaped, html};

use crate::Figure;
use crate::canvas::Width;
use crate::theme;

/// A drawing of a certain size.
#[derive(Debug, Clone)]
pub(crate) struct Drawing {
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// What is inside of the `svg` element.
    pub(crate) inside: String,
}

/// Something that can be drawn in several widths, and what it shows in words.
pub(crate) struct Picture<'a> {
    /// The name of its file, and of its elements.
    pub(crate) name: String,
    /// What it is.
    pub(crate) title: String,
    /// What is to be seen in it.
    pub(crate) says: String,
    /// Whether its parts can be told one by one.
    pub(crate) parts: bool,
    /// What its signs mean, for where no legend stands beside it.
    pub(crate) legend: Option<Drawing>,
    /// Draws it.
    pub(crate) draw: Box<dyn Fn(Width) -> Drawing + 'a>,
}

impl Picture<'_> {
    /// The picture for wide and for narrow screens; a style sheet shows one.
    pub(crate) fn on_page(&self) -> Markup {
        html! {
            div class="wide" { (self.svg(Width::Wide)) }
            div class="narrow" { (self.svg(Width::Narrow)) }
        }
    }

    /// The picture in one width, for one of two columns.
    pub(crate) fn half(&self) -> Markup {
        self.svg(Width::Half)
    }

    fn svg(&self, width: Width) -> Markup {
        let Drawing { width: w, height: h, inside } = (self.draw)(width);
        let id = format!("{}-{}", self.name, w);
        // An image has no parts for a screen reader; a group has.
        let role = if self.parts { "group" } else { "img" };
        html! {
            svg viewBox=(format!("0 0 {w} {h}")) style=(format!("max-width:{w}px"))
                role=(role) aria-labelledby=(format!("{id}-t {id}-d")) {
                @if !self.parts { title id=(format!("{id}-t")) { (self.title) } }
                desc id=(format!("{id}-d")) { (self.says) }
                @if self.parts {
                    // Not a title of the whole: it would pop up everywhere.
                    desc id=(format!("{id}-t")) { (self.title) }
                }
                (PreEscaped(inside))
            }
        }
    }

    /// The picture as a file of its own: it brings its ground and its inks.
    pub(crate) fn alone(&self, head: &Head) -> Figure {
        let Drawing { width, height, inside } = (self.draw)(Width::Wide);
        let (pad, title) = (12, 26);
        let legend = self.legend.as_ref();
        let top = title + legend.map_or(0, |legend| legend.height);
        let (w, h) = (width + 2 * pad, top + height + 2 * pad);
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
                g transform=(format!("translate(0 {top})")) { (PreEscaped(inside)) }
            }
        };
        let caption = format!("{} {}", self.says, machine(head));
        Figure { name: self.name.clone(), svg: svg.into_string(), caption }
    }
}

/// Where and when, in one sentence.
pub(crate) fn machine(head: &Head) -> String {
    let Head { kernel, cores, rustc, date, .. } = head;
    let rustc = rustc.split(" (").next().unwrap_or(rustc);
    let mut words = format!("On {kernel}, {cores} cores, {rustc}, {date}");
    if let Some(commit) = &head.commit {
        let _ = write!(words, ", commit {commit}");
    }
    words + "."
}

/// The hatchings, which pictures refer to.
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
            // A row of it is too low for a hatching: an open box.
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
