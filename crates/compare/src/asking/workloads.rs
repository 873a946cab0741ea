//! The workloads that can be named.

use std::time::Duration;

use workload::{Backlog, Live, OutputKind, Pauses, SourceKind, WORKLOADS, Workload};

/// Shows what the memory of a stage is bounded by.
static MANY: Workload = Workload {
    name: "many",
    sentence: "2,000 complete files of 512 KiB into a FIFO whose reader pauses: how much memory does \
               that take? (not run unless it is named)",
    sources: SourceKind::Backlog(Backlog { files: 2_000, bytes: 512 * 1024 }),
    output: OutputKind::SlowFifo(Pauses {
        every: Duration::from_millis(400),
        length: Duration::from_millis(300),
    }),
};

/// Sources to which nothing is written: what waiting costs.
static IDLE: Workload = Workload {
    name: "idle",
    sentence: "1,000 files to which nothing is written, followed for 3 s: what does waiting cost? \
               (not run unless it is named)",
    sources: SourceKind::Live(Live {
        files: 1_000,
        lines_per_second: 0,
        line_bytes: 40..=400,
        one_in_pieces: 0,
        duration: Duration::from_secs(3),
    }),
    output: OutputKind::File,
};

/// What a name behind `--workload` stands for: one workload, or all of them.
pub(crate) type Named = Vec<&'static Workload>;

/// All workloads, those first that are run by default.
pub(crate) fn all() -> impl Iterator<Item = &'static Workload> {
    WORKLOADS.iter().chain([&MANY, &IDLE])
}

/// Finds a workload by its name, or all by `all`.
pub(crate) fn find(name: &str) -> Result<Named, String> {
    let named: Named = all().filter(|workload| name == "all" || workload.name == name).collect();
    if named.is_empty() {
        let names: Vec<_> = all().map(|workload| workload.name).collect();
        return Err(format!("the workloads are all, {}", names.join(", ")));
    }
    Ok(named)
}
