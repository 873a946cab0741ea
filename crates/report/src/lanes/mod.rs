//! The lanes: a lane a thread, time to the right.

mod effect;
mod labels;
mod legend;
mod millis;
mod overview;
mod picture;
mod section;
mod stall;
mod tasks;
mod thin;
mod totals;
mod twin;
mod words;

pub(crate) use picture::pictures;
pub(crate) use section::section;

use crate::StageLanes;
use recorder::{Kind, Lane, Role, Segment};

/// Every kind that is drawn: its ink, and its name in the legend.
const KINDS: [(Kind, &str, &str); 5] = [
    (Kind::Read, "f-read", "reads"),
    (Kind::Write, "f-write", "writes"),
    (Kind::WaitForLock, "h-lock", "waits for the lock"),
    (Kind::WaitForLoop, "h-loop", "a task waits for its turn on the loop"),
    (Kind::WaitForAnswer, "h-answer", "a task waits for the writer's answer"),
];

fn class(kind: Kind) -> &'static str {
    let known = KINDS.iter().find(|(it, ..)| *it == kind);
    known.map_or("", |(_, class, _)| class)
}

/// The ink of a piece that is too small for a hatching.
fn solid(kind: Kind) -> &'static str {
    match kind {
        Kind::WaitForLock | Kind::WaitForLoop | Kind::WaitForAnswer => "f-wait",
        other => class(other),
    }
}

/// Returns the lanes in the order in which they are drawn, each with its label:
/// the loop first, then who writes, then who reads.
fn in_order(lanes: &[Lane]) -> Vec<(String, &Lane)> {
    let rank = |role| match role {
        Role::Loop => 0,
        Role::Writer => 1,
        Role::Tail => 2,
        Role::Reader => 3,
        Role::Other => 4,
    };
    let mut ordered: Vec<&Lane> = lanes.iter().collect();
    ordered.sort_by_key(|lane| rank(lane.role));
    let pool = lanes.iter().any(|lane| lane.role == Role::Loop);
    let mut labels = Vec::new();
    for lane in ordered {
        let of_role = |(_, other): &&(String, &Lane)| other.role == lane.role;
        let before = labels.iter().filter(of_role).count();
        let alone = lanes.iter().filter(|other| other.role == lane.role).count() == 1;
        let word = match lane.role {
            Role::Loop => "loop",
            Role::Writer => "writer",
            Role::Tail if pool => "pool",
            Role::Tail => "thread",
            Role::Reader => "reader",
            Role::Other => "caller",
        };
        let label = if alone { word.to_owned() } else { format!("{word} {}", before + 1) };
        labels.push((label, lane));
    }
    labels
}

/// Says what a thread is there for.
fn job(role: Role) -> &'static str {
    match role {
        Role::Loop => "drives the loop",
        Role::Writer => "writes",
        Role::Tail => "reads and writes",
        Role::Reader => "reads",
        Role::Other => "joins the others",
    }
}

/// Says what the loop of a lane is for, in words and in fewer; nothing of a
/// thread without one. The recorder sees what blocks, and a turn of a task does
/// not: it is drawn as idle.
fn on_loop(lane: &Lane, stage: &StageLanes) -> Option<[&'static str; 2]> {
    let appends = |it: &Segment| it.kind == Kind::Write && it.source.is_some();
    if lane.role != Role::Loop {
        return None;
    }
    Some(if stage.lanes.iter().any(|other| other.role == Role::Tail) {
        ["has nothing to do but wait for the tails to end", "only waits for the tails to end"]
    } else if lane.segments.iter().any(appends) {
        ["runs every task, and writes for all of them", "runs every task, and writes for them"]
    } else {
        [
            "runs every task, microseconds at a time: no read and no write, so nothing is recorded",
            "runs every task, microseconds at a time",
        ]
    })
}
