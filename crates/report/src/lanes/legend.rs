//! What the signs of the lanes mean. The page and a picture that stands alone have the
//! same list.

use maud::{Markup, html};
use recorder::{Kind, Lane};

use super::facts;
use super::lane::KINDS;
use crate::canvas::{self, WIDTH};
use crate::comparison::StageLanes;
use crate::picture::Drawing;

/// One sign: its drawing, 26 by 16 pixels, and its meaning.
pub(super) struct Sign {
    pub(super) drawn: Markup,
    pub(super) means: &'static str,
}

/// Returns the signs that occur in the lanes of these stages.
pub(super) fn signs(stages: &[&StageLanes]) -> Vec<Sign> {
    let lanes = || stages.iter().flat_map(|stage| &stage.lanes);
    let has = |kind: Kind| {
        let of = |lane: &Lane| {
            lane.segments.iter().chain(&lane.waiting).any(|segment| segment.kind == kind)
        };
        lanes().any(of)
    };
    let boxed = |class: &str, height: u32| {
        html! { rect class=(class) x="1" y="1" width="24" height=(height) {} }
    };
    let kinds = KINDS.iter().filter(|(kind, ..)| has(*kind));
    let mut signs: Vec<Sign> = kinds
        .map(|(kind, [class, _], means)| {
            let of_task = matches!(kind, Kind::WaitForLoop | Kind::WaitForAnswer);
            Sign { drawn: boxed(class, if of_task { 6 } else { 14 }), means }
        })
        .collect();
    let mut add = |drawn, means| signs.push(Sign { drawn, means });
    if lanes().any(|lane| !lane.stalls.is_empty()) {
        // Over a write, as in the lanes: the write stops the loop.
        let over = html! {
            (boxed("f-write", 14))
            rect class="h-alarm" x="1" y="1" width="24" height="14" stroke-width="2" {}
        };
        add(over, "stall: the loop stands still");
        add(boxed("h-still", 14), "no task runs meanwhile");
    }
    if stages.iter().any(|stage| !facts::blocked(stage).is_empty()) {
        add(boxed("f-blocked l-muted", 14), "the output takes nothing");
    }
    let line = html! { line class="l-muted" x1="1" x2="25" y1="14.5" y2="14.5" {} };
    let thin = html! {
        (line)
        rect class="f-read" x="6" y="8" width="2.5" height="6" {}
        rect class="f-write" x="16" y="4" width="2.5" height="10" {}
    };
    add(thin, "short ones: the more of the time, the higher");
    add(line, "nothing that is recorded");
    let end = html! { line class="l-muted" x1="13" x2="13" y1="0" y2="16" stroke-width="2" {} };
    add(end, "the end of the run");
    signs
}

/// Draws the legend of a picture that stands alone, in rows.
pub(super) fn drawing(stage: &StageLanes) -> Drawing {
    let (mut x, mut y) = (0.0, 0.0);
    let mut placed = Vec::new();
    for sign in signs(&[stage]) {
        let room = 32.0 + canvas::width_of(sign.means) + 14.0;
        if x + room > f64::from(WIDTH) {
            (x, y) = (0.0, y + 21.0);
        }
        placed.push((sign, x, y));
        x += room;
    }
    let inside = html! {
        @for (sign, x, y) in placed {
            g transform=(format!("translate({x:.0} {y:.0})")) {
                (sign.drawn)
                text class="f-text" x="32" y="12.5" font-size="12.5" { (sign.means) }
            }
        }
    };
    Drawing { height: y as u32 + 28, inside: inside.into_string() }
}
