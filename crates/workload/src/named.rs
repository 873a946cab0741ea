use std::time::Duration;

use crate::{Backlog, Live, Pauses};

/// A workload with a name: what the sources are and where the lines go.
///
/// The sizes are defaults. Whoever wants others clones the row and changes its
/// fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workload {
    /// The name, as it is typed.
    pub name: &'static str,
    /// What it is, in one sentence.
    pub sentence: &'static str,
    /// What is merged.
    pub sources: SourceKind,
    /// What it is merged into.
    pub output: OutputKind,
}

/// What is merged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceKind {
    /// Complete files: the merge does not follow, it reads to their ends.
    Backlog(Backlog),
    /// Growing files: the merge follows, and is stopped once all is written.
    Live(Live),
}

/// What it is merged into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputKind {
    /// A regular file.
    File,
    /// A FIFO whose reader pauses.
    SlowFifo(Pauses),
}

/// All workloads. A new one is one more row.
pub static WORKLOADS: [Workload; 3] = [
    Workload {
        name: "backlog",
        sentence: "8 complete files of 64 MiB, lines of 20 to 400 bytes: how much can a stage move?",
        sources: SourceKind::Backlog(Backlog { files: 8, bytes: 64 * 1024 * 1024 }),
        output: OutputKind::File,
    },
    Workload {
        name: "live",
        sentence: "50 growing files of 100 lines a second each, for 1.6 s: how long is a line on its way?",
        sources: SourceKind::Live(Live {
            files: 50,
            lines_per_second: 100,
            line_bytes: 40..=400,
            one_in_pieces: 0,
            duration: Duration::from_millis(1_600),
        }),
        output: OutputKind::File,
    },
    Workload {
        name: "slow-output",
        sentence: "16 growing files into a FIFO whose reader pauses for 300 ms now and then: who is held up?",
        // 4 MB a second: a pipe's 64 KiB are full 16 ms after a pause begins.
        sources: SourceKind::Live(Live {
            files: 16,
            lines_per_second: 250,
            line_bytes: 1_000..=1_000,
            one_in_pieces: 0,
            duration: Duration::from_millis(1_600),
        }),
        output: OutputKind::SlowFifo(Pauses::USUAL),
    },
];

/// Finds a workload by its name.
pub fn named(name: &str) -> Option<&'static Workload> {
    WORKLOADS.iter().find(|workload| workload.name == name)
}
