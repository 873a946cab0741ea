//! The five merges, by name and by number.

use clap::ValueEnum;
use tributary::MergeFn;

/// A stage of the way from threads to async.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Stage {
    /// A thread a source, a lock round the output.
    #[value(aliases = ["1", "stage1", "stage1-threads"])]
    Threads,
    /// An async top, blocking tails.
    #[value(aliases = ["2", "stage2", "stage2-mixed"])]
    Mixed,
    /// A thread a source, each with a loop of its own.
    #[value(aliases = ["3", "stage3", "stage3-bottom-up"])]
    BottomUp,
    /// One loop, a task a source.
    #[value(aliases = ["4", "stage4", "stage4-tasks"])]
    Tasks,
    /// One loop, and a thread that writes.
    #[value(aliases = ["5", "stage5", "stage5-fully-async"])]
    FullyAsync,
}

impl Stage {
    /// Tells whether the sources share a loop, which can be watched.
    pub(crate) fn has_a_loop(self) -> bool {
        !matches!(self, Stage::Threads | Stage::BottomUp)
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_is_found_by_number_by_name_and_by_either_half() {
        for (number, stage) in (1..).zip(Stage::value_variants()) {
            let name = stage.to_possible_value().unwrap().get_name().to_owned();
            let short = format!("stage{number}");
            for word in [&number.to_string(), &short, &name, &format!("{short}-{name}")] {
                let found = Stage::from_str(word, false).unwrap();
                assert!(std::ptr::fn_addr_eq(found.merge(), stage.merge()), "{word}");
            }
        }
        for word in ["0", "6", "", "stage", "three"] {
            assert!(Stage::from_str(word, false).is_err(), "{word}");
        }
    }
}
