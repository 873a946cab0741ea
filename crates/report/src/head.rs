//! The head of the page: where the figures are from, and how to take them again.

use std::collections::BTreeSet;

use crate::{Comparison, Head};
use maud::{Markup, html};

use crate::theme;

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
                    div { dt { "run" } dd { strong { "quick run" } ": it shows that all is right, its figures say little" } }
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
                a href="#laws" { "laws" } a href="#seen" { "in words" } a href="#advice" { "which stage" } a href="#words" { "glossary" }
            }
        }
    }
}

/// What was seen, in words: after the charts that it is about.
pub(crate) fn seen(comparison: &Comparison) -> Markup {
    html! {
        section id="seen" {
            h2 { "In words" }
            @if comparison.seen.is_empty() {
                p class="none" { "Nothing has been seen yet that would make a sentence." }
            } @else {
                p class="quiet" {
                    "A sentence on a workload is about its table, one on the lanes about the \
                     first pictures, one on so many sources about the growth. How long a loop \
                     stood still is its longest single stall on a workload, and all of its \
                     stalls together in the lanes."
                }
                ul { @for sentence in &comparison.seen { li { (told(sentence, comparison)) } } }
            }
        }
    }
}

/// A sentence with its stages as they are called on this page: where a table says
/// `4 tasks`, a sentence says `stage 4 (tasks)`.
fn told(sentence: &str, comparison: &Comparison) -> String {
    let rows = comparison.workloads.iter().flat_map(|workload| &workload.table.rows);
    let names = rows.map(|row| &*row.name).chain(comparison.lanes.iter().map(|it| &*it.stage));
    let names: BTreeSet<&str> =
        names.chain(comparison.growth.iter().map(|it| &*it.stage)).collect();
    let stages = names.into_iter().filter(|name| theme::number(name).is_some());
    stages.fold(sentence.to_owned(), |sentence, name| {
        sentence.replace(name, &format!("stage {}", theme::told(name)))
    })
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
