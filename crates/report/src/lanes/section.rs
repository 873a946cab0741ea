//! The lanes on the page: the pictures, what they show in words, the legend, and
//! and what else there is to know of them.

use crate::{Comparison, StageLanes};
use maud::{Markup, html};
use recorder::Role;

use super::{legend, overview, picture, totals, twin, words};
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
                @if let Some(what) = same_for_all(stages) { p { (words::capital(what)) "." } }
                (overview::table(shown(stages)))
                (how_to_read(stages))
                p class="quiet touch" {
                    "Touch a piece, or take the arrow keys on a lane, to see what it was."
                }
                @for (picture, stage) in pictures.iter().zip(shown(stages)) {
                    figure class="stage" {
                        div class="shown" {
                            h3 { (theme::short(&stage.stage)) }
                            @if let Some(said) = theme::said(&stage.stage) { p class="quiet" { (said.new) } }
                            p { (picture.says) }
                            @if let Some(twin) = twin::said(stage, comparison) { p { (twin) } }
                            @if same_for_all(stages).is_none() { p class="quiet" { (words::capital(&stage.what)) "." } }
                            (picture.on_page())
                        }
                        (totals::table(stage))
                    }
                }
                output id="detail" hidden aria-live="polite" {}
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
    let all: Vec<&StageLanes> = shown(stages).collect();
    html! {
        div class="reading" {
            ul class="legend" {
                @for sign in legend::signs(&all) {
                    li {
                        svg class="swatch" viewBox="0 0 26 16" aria-hidden="true" { (sign.drawn) }
                        (sign.means)
                    }
                }
            }
            ul class="notes" {
                li {
                    "All stages are on the same scale of time. A " b { "box" } " is one long piece."
                }
                li {
                    b { "who is there" } ": the threads that read, write, drive the loop or finish \
                     the output. The loop's watch and the notifier do none of that and are in no \
                     lane; the tables below count every thread of the process."
                }
                li {
                    b { "grey" } ": a read in its first milliseconds was asked for before the \
                     output blocked, and is not counted as one that begins."
                }
                @if role(Role::Other) {
                    li {
                        b { "caller" } ": the thread that called merge. It joins the others, and \
                         finishes the output."
                    }
                }
                @if stalls {
                    li {
                        b { "stall" } ": how long a ping waited for its turn on the loop. A ping is \
                         sent about once a millisecond, and the loop has others to serve, so a \
                         stall may come out a few milliseconds shorter or longer than the write \
                         that caused it; it is drawn where that write began."
                    }
                }
            }
        }
    }
}
