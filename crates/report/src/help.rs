//! How to use the figures: which stage is for whom, and what the words mean.

use maud::{Markup, html};
use stages::STAGES;

use crate::theme::Ink;

/// The page of the book that says more, as a path in the repository.
const BOOK: &str = "docs/src/review.md";

/// A line for each word, in the order of the page.
const WORDS: &str = include_str!("glossary.txt");

pub(crate) fn which_stage() -> Markup {
    html! {
        section id="advice" {
            h2 { "Which stage is for you?" }
            p {
                "Every stage is a complete program that keeps the same laws. The last one is not \
                 the best for everybody."
            }
            ul {
                @for stage in STAGES {
                    @if let Some(stop) = stage.said().stop_here {
                        li {
                            strong class=(Ink::of(stage.name).name()) { "Stop at " (stage.number) }
                            " when your program " (stop.who) ": " (stop.why) "."
                        }
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

pub(crate) fn glossary() -> Markup {
    html! {
        section id="words" {
            h2 { "Glossary" }
            details {
                summary { "What the columns and the words mean" }
                dl {
                    @for (word, means) in WORDS.lines().filter_map(|line| line.split_once(": ")) {
                        dt { (word) } dd { (means) }
                    }
                }
            }
        }
    }
}
