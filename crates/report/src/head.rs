//! The head of the page: where the figures are from, and how to take them again.

use maud::{Markup, html};

use crate::comparison::{Comparison, Head};

pub(crate) fn header(comparison: &Comparison) -> Markup {
    let Head { seed, commit, rustc, cores, profile, kernel, date } = &comparison.head;
    html! {
        header {
            h1 { "Tributary: ways to merge logs, compared" }
            p { "The same program, from threads to async: what each step changes, and what it costs." }
            @if comparison.interrupted {
                p class="warning" role="note" {
                    strong { "Interrupted. " } "This is what there was until then."
                }
            }
            dl class="facts" {
                div { dt { "machine" } dd { (kernel) ", " (cores) @if *cores == 1 { " core" } @else { " cores" } } }
                div { dt { "commit" } dd { @match commit { Some(commit) => (commit), None => "unknown" } } }
                div { dt { "compiler" } dd { (rustc) ", profile " (profile) } }
                div { dt { "seed" } dd { (seed) } }
                @if comparison.command.split_whitespace().any(|word| word == "--quick") {
                    div { dt { "run" } dd { strong { "quick" } ": it shows that all is right, its figures say little" } }
                }
                div { dt { "date" } dd { time datetime=(date) { (date) } } }
                div class="command" { dt { "again" } dd { code { (comparison.command) } } }
            }
            @for wrong in &comparison.wrong { p class="wrong" { strong { "wrong: " } (wrong) } }
            @match &comparison.warnings[..] {
                [] => {},
                [one] => p class="warning" { strong { "Warning. " } (one) },
                [first, others @ ..] => details class="warning" {
                    summary {
                        strong { "Warning. " } (first) " "
                        strong { "And " (others.len()) " more" }
                    }
                    ul { @for warning in others { li { (warning) } } }
                },
            }
            nav aria-label="Parts of the page" {
                a href="#lanes" { "lanes" } a href="#workloads" { "cost" } a href="#growth" { "growth" }
                a href="#laws" { "laws" } a href="#advice" { "which stage" } a href="#words" { "glossary" }
            }
        }
    }
}

/// Three radio buttons that the style sheet looks at: no script.
pub(crate) fn themes() -> Markup {
    html! {
        form class="themes" aria-label="Theme" {
            @for (id, label, checked) in
                [("theme-auto", "auto", true), ("theme-light", "light", false), ("theme-dark", "dark", false)] {
                label { input type="radio" name="theme" id=(id) checked[checked] autocomplete="off"; span { (label) } }
            }
        }
    }
}
