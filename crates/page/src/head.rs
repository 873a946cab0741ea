//! The head of the page: where the figures are from, and how to take them again.

use maud::{Markup, html};
use results::{Comparison, Head};

pub(crate) fn header(comparison: &Comparison) -> Markup {
    let Head { seed, commit, rustc, cores, profile, kernel, date } = &comparison.head;
    html! {
        header {
            h1 { "Tributary: five ways to merge logs, compared" }
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
                div { dt { "date" } dd { time datetime=(date) { (date) } } }
                div class="command" { dt { "again" } dd { code { (comparison.command) } } }
            }
            @match &comparison.warnings[..] {
                [] => {},
                [one] => p class="warning" { (one) },
                many => details class="warning" {
                    summary { (many.len()) " warnings: what may have spoilt the figures" }
                    ul { @for warning in many { li { (warning) } } }
                },
            }
            nav aria-label="Parts of the page" {
                a href="#lanes" { "lanes" } a href="#workloads" { "cost" } a href="#growth" { "growth" }
                a href="#laws" { "laws" } a href="#words" { "words" }
            }
        }
    }
}

/// What was seen, in words.
pub(crate) fn seen(comparison: &Comparison) -> Markup {
    html! {
        section id="seen" {
            h2 { "In words" }
            @for wrong in &comparison.wrong { p class="wrong" { strong { "wrong: " } (wrong) } }
            @if comparison.seen.is_empty() {
                p class="none" { "Nothing has been seen yet that would make a sentence." }
            } @else {
                ul { @for sentence in &comparison.seen { li { (sentence) } } }
            }
        }
    }
}

/// Three radio buttons, which the style sheet looks at: no script.
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
