//! The words of a lane: its label, its job, and the names of its kinds of pieces.

use recorder::{Kind, Lane, Role};

use crate::units::{Time, counted};

/// Every kind that is drawn: its ink; the ink of a piece that is too small for a
/// hatching; and its name in the legend.
pub(super) const KINDS: [(Kind, [&str; 2], &str); 6] = [
    (Kind::Read, ["f-read"; 2], "reads"),
    (Kind::Write, ["f-write"; 2], "writes"),
    (Kind::WaitForLock, ["h-lock", "f-wait"], "waits for the lock"),
    (Kind::WaitForLoop, ["h-loop", "f-wait"], "a task waits for its turn on the loop"),
    (Kind::WaitForAnswer, ["h-answer", "f-wait"], "a task waits for the writer's answer"),
    (Kind::WaitForService, ["h-lock", "f-wait"], "a client waits for the answer to its line"),
];

/// Returns the ink of a kind, and the ink of a piece that is too small for a hatching.
pub(super) fn inks(kind: Kind) -> [&'static str; 2] {
    let known = KINDS.iter().find(|(it, ..)| *it == kind);
    known.map_or([""; 2], |(_, inks, _)| *inks)
}

/// Returns the lanes in the order in which they are drawn, each with its label: the
/// loop, the writer, those that do both, the readers, the clients, the others.
pub(super) fn in_order(lanes: &[Lane]) -> Vec<(String, &Lane)> {
    let pool = lanes.iter().any(|lane| lane.role == Role::Loop);
    let place = |role| match role {
        Role::Loop => (0, "loop"),
        Role::Writer => (1, "writer"),
        Role::Tail if pool => (2, "pool"),
        Role::Tail => (2, "thread"),
        Role::Reader => (3, "reader"),
        Role::Client => (4, "client"),
        Role::Other => (5, "caller"),
    };
    let mut ordered: Vec<&Lane> = lanes.iter().collect();
    // Clients are sorted by their names, which have their numbers; the others stay in
    // the order of their beginnings.
    let name = |lane: &Lane| (lane.role == Role::Client).then(|| lane.thread.clone());
    ordered.sort_by_key(|lane| (place(lane.role), name(lane)));
    let of_role = ordered.chunk_by(|one, next| one.role == next.role);
    let labelled = of_role.flat_map(|lanes| {
        let label = move |number| match (place(lanes[0].role).1, lanes.len()) {
            (word, 1) => word.to_owned(),
            (word, _) => format!("{word} {number}"),
        };
        (1..).zip(lanes).map(move |(number, lane)| (label(number), *lane))
    });
    labelled.collect()
}

/// Says what a thread is there for.
pub(super) fn job(role: Role) -> &'static str {
    match role {
        Role::Loop => "drives the loop",
        Role::Writer => "writes",
        Role::Tail => "reads and writes",
        Role::Reader => "reads",
        Role::Client => "asks the service",
        Role::Other => "joins the others",
    }
}

/// Returns what a lane's time went into: for readers who cannot see the picture, or who
/// want numbers.
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
