use std::time::Duration;

use crate::{Backlog, Live, Pauses};

/// A workload with a name: the sources, and where the lines go.
///
/// The sizes are defaults. For others, clone the row and change its fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workload {
    /// The name, as it is typed.
    pub name: &'static str,
    /// What it is, and which question it answers, in one sentence.
    pub sentence: &'static str,
    /// What is merged.
    pub sources: Sources,
    /// If given, the output is a FIFO whose reader pauses; or else a regular file.
    pub pauses: Option<Pauses>,
    /// Whether it runs if no workload is named.
    pub by_default: bool,
}

/// What is merged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sources {
    /// Complete files: the merge does not follow, and reads to their ends.
    Backlog(Backlog),
    /// Growing files: the merge follows, and is stopped once all is written.
    Live(Live),
}

/// All workloads. A new one is one more row.
pub static WORKLOADS: [Workload; 5] = [
    Workload {
        name: "backlog",
        sentence: "8 complete files of 64 MiB, lines of 20 to 400 bytes: how much can a stage move?",
        sources: Sources::Backlog(Backlog { files: 8, bytes: 64 * 1024 * 1024 }),
        pauses: None,
        by_default: true,
    },
    Workload {
        name: "live",
        sentence: "50 growing files of 100 lines a second each, for 1.6 s: how long is a line on its way?",
        sources: Sources::Live(Live { files: 50, ..LIVE }),
        pauses: None,
        by_default: true,
    },
    Workload {
        name: "slow-output",
        sentence: "16 growing files into a FIFO whose reader pauses for 300 ms now and then: who is held up?",
        // 4 MB a second: a pipe's 64 KiB are full 16 ms after a pause begins.
        sources: Sources::Live(Live { lines_per_second: 250, line_bytes: 1_000..=1_000, ..LIVE }),
        pauses: Some(Pauses::USUAL),
        by_default: true,
    },
    Workload {
        name: "many",
        sentence: "2,000 complete files of 512 KiB into a FIFO whose reader pauses: how much memory does \
                   that take? (not run unless it is named)",
        sources: Sources::Backlog(Backlog { files: 2_000, bytes: 512 * 1024 }),
        pauses: Some(Pauses::USUAL),
        by_default: false,
    },
    Workload {
        name: "idle",
        sentence: "1,000 files to which nothing is written, followed for 3 s: what does waiting cost? \
                   (not run unless it is named)",
        sources: Sources::Live(Live {
            files: 1_000,
            lines_per_second: 0,
            duration: Duration::from_secs(3),
            ..LIVE
        }),
        pauses: None,
        by_default: false,
    },
];

const LIVE: Live = Live {
    files: 16,
    lines_per_second: 100,
    line_bytes: 40..=400,
    one_in_pieces: 0,
    duration: Duration::from_millis(1_600),
};
