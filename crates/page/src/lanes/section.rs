//! The lanes on the page: the pictures, what they show in words, the legend, and
//! a table of the totals.

use maud::{Markup, PreEscaped, html};
use recorder::{Kind, Lane, Role};
use results::{Comparison, Grouped, StageLanes, Time};

use super::{KINDS, in_order, job, overview, picture, words};
use crate::theme;

pub(crate) fn section(comparison: &Comparison) -> Markup {
    let stages = &comparison.lanes;
    let pictures = picture::pictures(stages);
    html! {
        section id="lanes" {
            h2 { "Who did what, when" }
            @if pictures.is_empty() {
                p class="none" { "No run of a stage was recorded, so there are no lanes." }
            } @else {
                p class="headline" { (words::headline(stages)) }
                @if let Some(what) = same_for_all(stages) { p { (capital(what)) "." } }
                (overview::table(shown(stages)))
                (how_to_read(stages))
                @for (picture, stage) in pictures.iter().zip(shown(stages)) {
                    figure class="stage" {
                        h3 { (theme::short(&stage.stage)) }
                        @if let Some(change) = overview::change(&stage.stage) { p class="quiet" { (change) } }
                        p { (picture.says) }
                        @if same_for_all(stages).is_none() { p class="quiet" { (capital(&stage.what)) "." } }
                        (picture.on_page())
                        (totals(stage))
                    }
                }
                output id="detail" hidden aria-live="polite" {}
                p class="quiet" {
                    "All stages are on the same scale of time. Touch a piece, or take the arrow \
                     keys on a lane, to see what it was. A thread that neither read nor wrote is \
                     not in the picture."
                }
            }
        }
    }
}

fn shown(stages: &[StageLanes]) -> impl Iterator<Item = &StageLanes> {
    stages.iter().filter(|stage| !stage.lanes.is_empty() && stage.seconds > 0.0)
}

/// What was merged, if it was the same for all.
fn same_for_all(stages: &[StageLanes]) -> Option<&str> {
    let first = &stages.first()?.what;
    stages.iter().all(|stage| stage.what == *first).then_some(first)
}

/// The legend, and beside it what no sign of its own tells.
fn how_to_read(stages: &[StageLanes]) -> Markup {
    let role = |wanted| stages.iter().flat_map(|it| &it.lanes).any(|lane| lane.role == wanted);
    let stalls = stages.iter().flat_map(|it| &it.lanes).any(|lane| !lane.stalls.is_empty());
    html! {
        div class="reading" {
            (legend())
            ul class="notes" {
                li {
                    b { "box" } ": one long piece. " b { "thin mark" }
                    ": short ones, as high as their share of time."
                }
                li {
                    b { "bare line" } ": idle. " b { "grey" }
                    ": the output takes nothing; reads begun in it stand high."
                }
                li {
                    b { "upright line" } ": the end of the run."
                    @if role(Role::Other) { " " b { "caller" } ": the thread that called merge." }
                }
                @if stalls {
                    li {
                        b { "stall" } ": measured by pings that wait for their turn; drawn where \
                         its cause began."
                    }
                }
            }
        }
    }
}

fn legend() -> Markup {
    let swatch = |inside: &str| {
        html! { svg class="swatch" viewBox="0 0 26 16" aria-hidden="true" { (PreEscaped(inside)) } }
    };
    html! {
        ul class="legend" {
            @for (kind, class, name) in KINDS {
                @let height = if matches!(kind, Kind::WaitForLoop | Kind::WaitForAnswer) { 6 } else { 14 };
                li { (swatch(&format!(r#"<rect class="{class}" x="1" y="1" width="24" height="{height}"/>"#))) (name) }
            }
            // As it is drawn: over the write that stops the loop.
            li { (swatch(r#"<rect class="f-write" x="1" y="1" width="24" height="14"/><rect class="h-alarm" x="1" y="1" width="24" height="14" stroke-width="2"/>"#)) "stall: the loop stands still" }
        }
    }
}

/// The same in numbers, for who cannot see the picture, and for who wants them.
fn totals(stage: &StageLanes) -> Markup {
    let lanes = in_order(&stage.lanes);
    let kinds = [Kind::Read, Kind::Write, Kind::WaitForLock, Kind::Idle];
    html! {
        details class="totals" {
            summary { "In numbers: " (words::counted(lanes.len(), "thread", "threads")) }
            div class="scroll" tabindex="0" role="region" aria-label=(format!("Totals of stage {}", theme::short(&stage.stage))) {
                table {
                    thead { tr {
                        th scope="col" { "thread" }
                        th scope="col" { "its name" }
                        th scope="col" { "what it does" }
                        @for kind in kinds { th scope="col" class="number" { (kind) } }
                        th scope="col" class="number" { "its tasks wait" }
                        th scope="col" class="number" { "stalls" }
                    } }
                    tbody {
                        @for (label, lane) in &lanes {
                            tr {
                                th scope="row" { (label) }
                                td { (lane.thread) }
                                td { (job(lane.role)) }
                                @for kind in kinds { td class="number" { (total(lane, kind)) } }
                                td class="number" { (waits(lane)) }
                                td class="number" { (stalls(lane)) }
                            }
                        }
                    }
                }
            }
            @if stage.left_out > 0 {
                p class="quiet" {
                    (Grouped(stage.left_out)) " operations were more than the recorder keeps."
                }
            }
        }
    }
}

fn total(lane: &Lane, kind: Kind) -> String {
    let those = lane.segments.iter().filter(|it| it.kind == kind);
    let (count, seconds) =
        those.fold((0, 0.0), |(count, seconds), it| (count + 1, seconds + it.end - it.begin));
    match (count, kind) {
        (0, _) => "-".to_owned(),
        (_, Kind::Idle) => Time(seconds).to_string(),
        _ => format!("{} ({count}×)", Time(seconds)),
    }
}

fn waits(lane: &Lane) -> String {
    let seconds: f64 = lane.waiting.iter().map(|it| it.end - it.begin).sum();
    match lane.waiting.len() {
        0 => "-".to_owned(),
        count => format!("{} ({count}×)", Time(seconds)),
    }
}

fn stalls(lane: &Lane) -> String {
    let seconds: f64 = lane.stalls.iter().map(|it| it.end - it.begin).sum();
    match lane.stalls.len() {
        0 => "-".to_owned(),
        count => format!("{} ({count}×)", Time(seconds)),
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
