//! Which stage is for whom: the page answers what each does, and this what to do
//! with it.

use maud::{Markup, html};
use stages::{STAGES, Stage, StopHere};

use crate::theme::Ink;

/// The page of the book that says more, as a path in the repository.
const BOOK: &str = "docs/src/review.md";

pub(crate) fn section() -> Markup {
    let advice = STAGES.iter().filter_map(|stage| Some((stage, stage.said().stop_here?)));
    html! {
        section id="advice" {
            h2 { "Which stage is for you?" }
            p {
                "Every stage is a complete program that keeps the same laws. The last one is not \
                 the best for everybody."
            }
            ul {
                @for (Stage { number, name, .. }, StopHere { who, why }) in advice {
                    li {
                        strong class=(Ink::of(name).name()) { "Stop at " (number) }
                        " when your program " (who) ": " (why) "."
                    }
                }
            }
            p class="quiet" {
                "The book says more, and what each of them asks of you: “Which stage should I stop \
                 at?”, " code { (BOOK) } "."
            }
        }
    }
}
