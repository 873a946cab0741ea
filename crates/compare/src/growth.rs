//! How the cost grows as the work grows: the same bytes a source, more sources.
//!
//! The merges follow, until every source has been read to its end. One that did
//! not would let a thread go as soon as its file has ended, and never have as
//! many as it needs to follow so many files.

use std::fs;

use anyhow::Context;
use results::{Grouped, Growth};
use tributary::Shown;
use workload::Backlog;

use crate::attempt::{Attempt, Contender};
use crate::compared::Compared;
use crate::rounds::Rounds;

/// The numbers of sources.
const SOURCES: [u64; 4] = [8, 64, 512, 2_000];
/// The same, where all is to be quick.
const FEW: [u64; 2] = [8, 64];
/// How many bytes a source has.
const BYTES: u64 = 16 * 1024;
/// How often each number is run.
const ROUNDS: u32 = 3;

/// The numbers of sources that are merged, and how often.
#[derive(Debug)]
pub(crate) struct Steps {
    sources: Vec<u64>,
    rounds: u32,
}

impl Steps {
    /// Takes the numbers for which there are descriptors, if there is a limit.
    pub(crate) fn new(quick: bool, limit: Option<u64>, other_files: u64) -> Steps {
        let sources = if quick { &FEW[..] } else { &SOURCES };
        let fits = |sources: &&u64| limit.is_none_or(|limit| **sources + other_files <= limit);
        let sources = sources.iter().filter(fits).copied().collect();
        Steps { sources, rounds: if quick { 1 } else { ROUNDS } }
    }

    /// Returns how many runs there are, for so many stages.
    pub(crate) fn count(&self, stages: usize) -> u64 {
        self.sources.len() as u64 * u64::from(self.rounds) * stages as u64
    }

    /// Returns the largest number of sources that is asked for.
    pub(crate) fn most() -> u64 {
        SOURCES[SOURCES.len() - 1]
    }

    /// Merges so many sources with every stage, round by round.
    pub(crate) fn run(
        &self,
        rounds: &Rounds<'_>,
        compared: &mut Compared<'_>,
    ) -> anyhow::Result<()> {
        for &sources in &self.sources {
            compared.progress.say(&format!("growth: {} sources", Grouped(sources)));
            let folder = rounds.folder.of("growth")?;
            rounds.folder.need(2 * sources * BYTES, "growth")?;
            let files = Backlog { files: sources as usize, bytes: BYTES };
            let files = files.make(&folder, rounds.seed)?;
            for round in 0..self.rounds as usize {
                for turn in 0..rounds.stages.len() {
                    rounds.interrupt.check()?;
                    let stage = rounds.stages[(turn + round) % rounds.stages.len()];
                    let output = rounds.folder.merged("growth", stage.name);
                    let attempt = Attempt {
                        until_read: true,
                        ..Attempt::new(Contender::Stage(stage), &files, &output)
                    };
                    match attempt.run(rounds.interrupt)? {
                        Ok(run) => add(
                            &mut compared.comparison.growth,
                            (stage.name, sources),
                            run.merge.unwrap_or(run.wall.as_secs_f64()),
                            run.threads,
                        ),
                        Err(wrong) => {
                            let first = wrong.lines().next().unwrap_or_default();
                            let sources = Grouped(sources);
                            compared
                                .comparison
                                .wrong
                                .push(format!("{} on {sources} sources: {first}", stage.name));
                        }
                    }
                    compared.progress.step();
                    compared.keep()?;
                }
            }
            // Of the next number, or of nothing: kept sources are those of the workloads.
            fs::remove_dir_all(&folder)
                .with_context(|| format!("{}: cannot remove this folder", Shown(&folder)))?;
        }
        Ok(())
    }
}

/// Adds a run to those of its stage and its number of sources; by stage, then
/// by number.
fn add(growth: &mut Vec<Growth>, of: (&str, u64), seconds: f64, threads: Option<u64>) {
    let (stage, sources) = of;
    let at = growth.binary_search_by(|other| (&*other.stage, other.sources).cmp(&of));
    let at = at.unwrap_or_else(|at| {
        let stage = stage.to_owned();
        growth.insert(at, Growth { stage, sources, seconds: Vec::new(), threads: None });
        at
    });
    growth[at].seconds.push(seconds);
    growth[at].threads = growth[at].threads.max(threads);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_gathered_by_stage_and_number() {
        let mut growth = Vec::new();
        for (stage, sources, threads) in
            [("b", 8, Some(3)), ("a", 64, None), ("b", 8, Some(2)), ("a", 8, None)]
        {
            add(&mut growth, (stage, sources), 0.5, threads);
        }
        let shown: Vec<_> = growth
            .iter()
            .map(|it| (&*it.stage, it.sources, it.seconds.len(), it.threads))
            .collect();
        assert_eq!(shown, [("a", 8, 1, None), ("a", 64, 1, None), ("b", 8, 2, Some(3))]);
    }

    #[test]
    fn a_number_for_which_there_are_no_descriptors_is_left_out() {
        assert_eq!(Steps::new(false, Some(1_024), 32).sources, [8, 64, 512]);
        assert_eq!(Steps::new(false, Some(2_032), 32).sources, [8, 64, 512, 2_000]);
        assert_eq!(Steps::new(false, None, 32).count(5), 60);
        assert_eq!(Steps::new(true, None, 32).count(5), 10);
    }
}
