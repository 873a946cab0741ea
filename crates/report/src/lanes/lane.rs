//! One lane: what stands beside it, and what its kinds of pieces are called.

use recorder::{Kind, Lane, Role};

use crate::units::{Time, counted};

/// Every kind that is drawn: its ink, and its name in the legend.
pub(super) const KINDS: [(Kind, &str, &str); 5] = [
    (Kind::Read, "f-read", "reads"),
    (Kind::Write, "f-write", "writes"),
    (Kind::WaitForLock, "h-lock", "waits for the lock"),
    (Kind::WaitForLoop, "h-loop", "a task waits for its turn on the loop"),
    (Kind::WaitForAnswer, "h-answer", "a task waits for the writer's answer"),
];

pub(super) fn class(kind: Kind) -> &'static str {
    let known = KINDS.iter().find(|(it, ..)| *it == kind);
    known.map_or("", |(_, class, _)| class)
}

/// The ink of a piece that is too small for a hatching.
pub(super) fn solid(kind: Kind) -> &'static str {
    match kind {
        Kind::WaitForLock | Kind::WaitForLoop | Kind::WaitForAnswer => "f-wait",
        other => class(other),
    }
}

/// Returns the lanes in the order in which they are drawn, each with its label:
/// the loop first, then who writes, then who reads.
pub(super) fn in_order(lanes: &[Lane]) -> Vec<(String, &Lane)> {
    let mut ordered: Vec<&Lane> = lanes.iter().collect();
    ordered.sort_by_key(|lane| match lane.role {
        Role::Loop => 0,
        Role::Writer => 1,
        Role::Tail => 2,
        Role::Reader => 3,
        Role::Other => 4,
    });
    let pool = lanes.iter().any(|lane| lane.role == Role::Loop);
    let mut labels: Vec<(String, &Lane)> = Vec::new();
    for lane in ordered {
        let before = labels.iter().filter(|(_, other)| other.role == lane.role).count();
        let alone = lanes.iter().filter(|other| other.role == lane.role).count() == 1;
        let word = match lane.role {
            Role::Loop => "loop",
            Role::Writer => "writer",
            Role::Tail if pool => "pool",
            Role::Tail => "thread",
            Role::Reader => "reader",
            Role::Other => "caller",
        };
        labels.push((if alone { word.to_owned() } else { format!("{word} {}", before + 1) }, lane));
    }
    labels
}

/// Says what a thread is there for.
pub(super) fn job(role: Role) -> &'static str {
    match role {
        Role::Loop => "drives the loop",
        Role::Writer => "writes",
        Role::Tail => "reads and writes",
        Role::Reader => "reads",
        Role::Other => "joins the others",
    }
}

/// What a lane went into, in all: for who cannot see the picture, and for who
/// wants the numbers.
pub(super) fn totals(lane: &Lane) -> String {
    let of = |wanted: Kind| {
        let those = lane.segments.iter().chain(&lane.waiting).filter(|it| it.kind == wanted);
        let lengths: Vec<f64> = those.map(|it| it.end - it.begin).collect();
        let seconds = Time(lengths.iter().sum());
        match (lengths.len(), wanted) {
            (0, _) => None,
            (_, Kind::Idle) => Some(format!("nothing recorded {seconds}")),
            (count, _) => Some(format!("{count} × {wanted} {seconds}")),
        }
    };
    let kinds = KINDS.iter().map(|(kind, ..)| *kind).chain([Kind::Idle]);
    let mut parts: Vec<String> = kinds.filter_map(of).collect();
    match (lane.stalls.len(), lane.role) {
        (0, Role::Loop) => parts.push("no stall seen".to_owned()),
        (0, _) => {}
        (count, _) => {
            let seconds = Time(lane.stalls.iter().map(|it| it.end - it.begin).sum());
            let stalls = counted(count, "stall");
            parts.push(format!("{stalls} {seconds}, in which no task runs"));
        }
    }
    parts.join(", ")
}
