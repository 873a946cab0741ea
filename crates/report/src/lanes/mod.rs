//! The lanes: one for each thread, time to the right. Each stage has its picture, its
//! sentence, and its numbers below a fold.

mod draw;
pub(crate) mod facts;
mod lane;
mod legend;
mod thin;

pub(crate) use draw::pictures;

use maud::{Markup, html};

use crate::comparison::StageLanes;
use crate::theme;
use crate::units::{Grouped, counted};

pub(crate) fn section(stages: &[StageLanes]) -> Markup {
    let shown = draw::shown(stages);
    html! {
        section id="lanes" {
            h2 { "Who did what, when" }
            @if let Some(first) = shown.first() {
                p { "Merged: " (first.what) ". All stages are on the same scale of time." }
                (how_to_read(&shown))
                @for (picture, stage) in pictures(stages).iter().zip(&shown) {
                    section class="stage" {
                        h3 { (theme::short(&stage.stage)) }
                        @if let Ok(known) = stages::find(&stage.stage) {
                            p class="quiet" { (known.said().new) }
                        }
                        p class="headline" { (picture.says) }
                        (picture.on_page())
                        (numbers(stage))
                    }
                }
                output id="detail" hidden aria-live="polite" {}
            } @else {
                p class="none" { "No run of a stage was recorded, so there are no lanes." }
            }
        }
    }
}

/// The legend, and below a fold what the lanes do not show.
fn how_to_read(stages: &[&StageLanes]) -> Markup {
    html! {
        ul class="legend" {
            @for sign in legend::signs(stages) {
                li {
                    svg class="swatch" viewBox="0 0 26 16" aria-hidden="true" { (sign.drawn) }
                    (sign.means)
                }
            }
        }
        p class="quiet touch" {
            "Touch a piece, or take the arrow keys on a lane, to see what it was."
        }
        details {
            summary { "What the lanes do not show" }
            p {
                "A lane is a thread that reads, writes, drives the loop or finishes the output: \
                 the caller joins the others. The notifier and the loop's watch do none of that, \
                 and the tables below count them. A turn of a task takes microseconds and is not \
                 recorded, so a loop that only hands out turns is empty."
            }
            p {
                "A stall is how long a ping waited for its turn on the loop. A ping is sent about \
                 once a millisecond, so a stall may come out a few milliseconds shorter or longer \
                 than the write that caused it; it is drawn where that write began."
            }
        }
    }
}

fn numbers(stage: &StageLanes) -> Markup {
    html! {
        details class="totals" {
            summary { "In numbers: " (counted(stage.lanes.len(), "thread")) }
            table {
                tbody {
                    @for (label, lane) in lane::in_order(&stage.lanes) {
                        tr {
                            th scope="row" { (label) @if lane.thread != label { " " small { (lane.thread) } } }
                            td { (lane::job(lane.role)) ": " (lane::totals(lane)) }
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
