//! How the cost grows as the work grows: the same bytes a source, more sources.
//!
//! The merges follow, until every source has been read to its end. One that did
//! not would let a thread go as soon as its file has ended, and never have as
//! many as it needs to follow so many files.

use workload::Backlog;

use crate::asking::jobs::{Job, Merged};

/// How many sources, and in how many rounds: the most take the longest, and their
/// figure is the least uncertain.
const STEPS: [(usize, u32); 4] = [(8, 3), (64, 3), (512, 3), (2_000, 2)];
/// The same, where all is to be quick.
const QUICK: [(usize, u32); 2] = [(8, 1), (64, 1)];
/// How many bytes a source has.
const BYTES: u64 = 16 * 1024;

/// Returns a job for each number of sources that may be open at once, if there
/// is a limit.
pub(crate) fn jobs(quick: bool, most: Option<u64>) -> Vec<Job> {
    let steps = if quick { &QUICK[..] } else { &STEPS };
    let fits = |(files, _): &&(usize, u32)| most.is_none_or(|most| *files as u64 <= most);
    let job = |&(files, rounds): &(usize, u32)| {
        let merged = Merged::Followed(Backlog { files, bytes: BYTES });
        Job { name: "growth", merged, pauses: None, rounds }
    };
    steps.iter().filter(fits).map(job).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_for_which_there_are_no_descriptors_is_left_out() {
        let rounds = |quick, most| {
            let jobs = jobs(quick, most);
            jobs.iter().map(|job| (job.sources(), job.rounds)).collect::<Vec<_>>()
        };
        assert_eq!(rounds(false, Some(1_999)), [(8, 3), (64, 3), (512, 3)]);
        assert_eq!(rounds(false, Some(2_000)), [(8, 3), (64, 3), (512, 3), (2_000, 2)]);
        assert_eq!(rounds(true, None), [(8, 1), (64, 1)]);
    }
}
