//! The verdicts: stages × laws, by theme.

use crate::{Outcome, Verdict, Verdicts};
use maud::{Markup, html};

use crate::theme;

pub(crate) fn section(verdicts: &[Verdicts]) -> Markup {
    let themes = themes(verdicts);
    html! {
        section id="laws" {
            h2 { "The laws" }
            @if themes.is_empty() {
                p class="none" { "The laws were not tried in this run." }
            } @else {
                p class="headline" { (headline(verdicts)) }
                @for (name, laws) in &themes { (one_theme(name, laws, verdicts)) }
            }
        }
    }
}

/// The laws by theme, in the order in which they come; each as its first verdict.
fn themes(verdicts: &[Verdicts]) -> Vec<(&str, Vec<&Verdict>)> {
    let mut themes: Vec<(&str, Vec<&Verdict>)> = Vec::new();
    for verdict in verdicts.iter().flat_map(|stage| &stage.laws) {
        let place = match themes.iter().position(|(name, _)| *name == verdict.theme) {
            Some(place) => place,
            None => {
                themes.push((&verdict.theme, Vec::new()));
                themes.len() - 1
            }
        };
        let laws = &mut themes[place].1;
        if laws.iter().all(|other| other.law != verdict.law) {
            laws.push(verdict);
        }
    }
    themes
}

fn outcome<'a>(stage: &'a Verdicts, law: &Verdict) -> Option<&'a Outcome> {
    let known = stage.laws.iter().find(|it| it.law == law.law && it.theme == law.theme);
    known.map(|verdict| &verdict.outcome)
}

fn headline(verdicts: &[Verdicts]) -> String {
    let all = || verdicts.iter().flat_map(|stage| stage.laws.iter().map(move |law| (stage, law)));
    let laws: usize = themes(verdicts).iter().map(|(_, laws)| laws.len()).sum();
    let wrong = all().filter(|(_, law)| matches!(law.outcome, Outcome::Wrong { .. })).count();
    let declared: Vec<String> = all()
        .filter(|(_, law)| matches!(law.outcome, Outcome::BrokenAsDeclared { .. }))
        .map(|(stage, law)| {
            format!("stage {} breaks “{}”", theme::told(&stage.stage), law.law.replace('_', " "))
        })
        .collect();
    let count =
        |count: usize, of: &str| format!("{count} {of}{}", if count == 1 { "" } else { "s" });
    let laws = format!("{}, {}", count(laws, "law"), count(verdicts.len(), "stage"));
    match (wrong, &declared[..]) {
        (0, []) => format!("{laws}: all are kept."),
        (0, declared) => {
            format!("{laws}: all are kept, but that {}, as it says of itself.", declared.join(", "))
        }
        (1, _) => format!("{laws}: one verdict is wrong."),
        (wrong, _) => format!("{laws}: {wrong} verdicts are wrong."),
    }
}

/// One theme; open if there is more to tell than that all is kept.
fn one_theme(name: &str, laws: &[&Verdict], verdicts: &[Verdicts]) -> Markup {
    let outcomes =
        || laws.iter().flat_map(|law| verdicts.iter().filter_map(|stage| outcome(stage, law)));
    let wrong = outcomes().filter(|it| matches!(it, Outcome::Wrong { .. })).count();
    let limits = outcomes().filter(|it| matches!(it, Outcome::BrokenAsDeclared { .. })).count();
    html! {
        details class="theme" open[wrong + limits > 0] {
            summary {
                strong { (name.replace('_', " ")) } " "
                span class="quiet" { (laws.len()) @if laws.len() == 1 { " law" } @else { " laws" } }
                @if wrong > 0 { ", " strong class="wrong" { (wrong) " wrong" } }
                @if limits > 0 {
                    ", " (limits) " declared " @if limits == 1 { "limit" } @else { "limits" }
                }
                @if wrong + limits == 0 { ", kept by all ✓" }
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

/// The number of the stage; its name where there is room for it.
fn head(stage: &str) -> Markup {
    let short = theme::short(stage);
    html! {
        th scope="col" class=(theme::Ink::of(stage).name()) {
            @match short.split_once(' ') {
                Some((number, name)) if theme::number(stage).is_some() => {
                    (number) span class="roomy" { " " (name) }
                }
                _ => (short),
            }
        }
    }
}

fn one_law(law: &Verdict, verdicts: &[Verdicts]) -> Markup {
    let told = verdicts.iter().filter_map(|stage| {
        let of = theme::told(&stage.stage);
        match outcome(stage, law)? {
            Outcome::Held => None,
            Outcome::BrokenAsDeclared { reason } => {
                Some((false, format!("Stage {of}, a declared limit: {reason}")))
            }
            Outcome::Wrong { seen } => Some((true, format!("Stage {of} is wrong: {seen}"))),
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
