//! The five merges, by name.

use clap::ValueEnum;
use tributary::MergeFn;

/// A stage of the way from threads to async.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Stage {
    /// A thread a source, a lock round the output.
    Threads,
    /// An async top, blocking tails.
    Mixed,
    /// A thread a source, each with a loop of its own.
    BottomUp,
    /// One loop, a task a source.
    Tasks,
    /// One loop, and a thread that writes.
    FullyAsync,
}

impl Stage {
    /// Returns the entry point.
    pub(crate) fn merge(self) -> MergeFn {
        match self {
            Stage::Threads => stage1_threads::merge,
            Stage::Mixed => stage2_mixed::merge,
            Stage::BottomUp => stage3_bottom_up::merge,
            Stage::Tasks => stage4_tasks::merge,
            Stage::FullyAsync => stage5_fully_async::merge,
        }
    }
}
