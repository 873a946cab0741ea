//! The verdicts: stages × laws, by theme.

use maud::{Markup, html};

use crate::comparison::{Outcome, Verdict, Verdicts};
use crate::table::stage_number;
use crate::units::counted;
use crate::{sentences, theme};

pub(crate) fn section(verdicts: &[Verdicts]) -> Markup {
    // All stages are tried by the same laws; in an interrupted run some have fewer.
    let laws = verdicts.iter().map(|stage| &stage.laws[..]).max_by_key(|laws| laws.len());
    html! {
        section id="laws" {
            h2 { "The laws" }
            @if let Some(said) = sentences::of_laws(verdicts) {
                p class="headline" { (said) }
            } @else {
                p class="none" { "The laws were not tried in this run." }
            }
            @for theme in laws.unwrap_or_default().chunk_by(|a, b| a.theme == b.theme) {
                (one_theme(theme, verdicts))
            }
        }
    }
}

fn outcome<'a>(stage: &'a Verdicts, law: &Verdict) -> Option<&'a Outcome> {
    stage.laws.iter().find(|it| it.law == law.law).map(|verdict| &verdict.outcome)
}

/// One theme, which is open unless all stages keep all of it.
fn one_theme(laws: &[Verdict], verdicts: &[Verdicts]) -> Markup {
    let outcomes =
        || laws.iter().flat_map(|law| verdicts.iter().filter_map(|stage| outcome(stage, law)));
    let wrong = outcomes().filter(|it| matches!(it, Outcome::Wrong { .. })).count();
    let limits = outcomes().filter(|it| matches!(it, Outcome::BrokenAsDeclared { .. })).count();
    html! {
        details class="theme" open[wrong + limits > 0] {
            summary {
                strong { (laws[0].theme.replace('_', " ")) } " "
                span class="quiet" { (counted(laws.len(), "law")) }
                @if wrong > 0 { ", " strong class="wrong" { (wrong) " wrong" } }
                @if limits > 0 { ", " (counted(limits, "declared limit")) }
                @if outcomes().count() < laws.len() * verdicts.len() { ", not all tried" }
                @else if wrong + limits == 0 { ", kept by all ✓" }
            }
            table class="laws" {
                thead { tr {
                    th scope="col" { "law" }
                    @for stage in verdicts { (head(&stage.stage)) }
                } }
                tbody { @for law in laws { (one_law(law, verdicts)) } }
            }
        }
    }
}

/// The number of the stage, and its name where there is room.
fn head(stage: &str) -> Markup {
    let short = theme::short(stage);
    html! {
        th scope="col" class=(theme::Ink::of(stage).name()) {
            @match short.split_once(' ') {
                Some((number, name)) if stage_number(stage).is_some() => {
                    (number) span class="roomy" { " " (name) }
                }
                _ => (short),
            }
        }
    }
}

fn one_law(law: &Verdict, verdicts: &[Verdicts]) -> Markup {
    let told = verdicts.iter().filter_map(|stage| {
        let of = &stage.stage;
        match outcome(stage, law)? {
            Outcome::Held => None,
            Outcome::BrokenAsDeclared { reason } => {
                Some((false, format!("{of}, a declared limit: {reason}")))
            }
            Outcome::Wrong { seen } => Some((true, format!("{of} is wrong: {seen}"))),
        }
    });
    let told: Vec<(bool, String)> = told.collect();
    html! {
        tr class=[(!told.is_empty()).then_some("told")] {
            th scope="row" {
                (law.law.replace('_', " "))
                span class="sentence" { (law.sentence) }
            }
            @for stage in verdicts {
                @match outcome(stage, law) {
                    None => td { span title="not tried" { "-" } },
                    Some(Outcome::Held) => td class="kept" { span aria-label="kept" { "✓" } },
                    Some(Outcome::BrokenAsDeclared { .. }) => td class="limit" { "limit" },
                    Some(Outcome::Wrong { .. }) => td class="wrong" { strong { "wrong" } },
                }
            }
        }
        @for (wrong, says) in &told {
            tr class="reason" {
                td class=[wrong.then_some("wrong")] colspan=(verdicts.len() + 1) { (says) }
            }
        }
    }
}
