//! How the cost grows as the work grows: the same bytes a source, more sources.
//!
//! The merges follow, until every source has been read to its end. One that did
//! not would let a thread go as soon as its file has ended, and never have as
//! many as it needs to follow so many files.

use report::{Grouped, Growth};
use workload::Backlog;

use crate::keeping::compared::Compared;
use crate::running::attempt::{Attempt, Contender};
use crate::running::rounds::Rounds;

/// The numbers of sources.
const SOURCES: [u64; 4] = [8, 64, 512, 2_000];
/// The same, where all is to be quick.
const FEW: [u64; 2] = [8, 64];
/// How many bytes a source has.
const BYTES: u64 = 16 * 1024;
/// How often each number is run; the largest takes the longest, and its figure
/// is the least uncertain.
const ROUNDS: u32 = 3;
const ROUNDS_OF_MANY: u32 = 2;
const MANY: u64 = 1_000;

/// The numbers of sources that are merged, and how often.
#[derive(Debug)]
pub(crate) struct Steps {
    /// Each with its rounds.
    steps: Vec<(u64, u32)>,
}

impl Steps {
    /// Takes the numbers for which there are descriptors, if there is a limit.
    pub(crate) fn new(quick: bool, limit: Option<u64>, other_files: u64) -> Steps {
        let sources = if quick { &FEW[..] } else { &SOURCES };
        let fits = |sources: &&u64| limit.is_none_or(|limit| **sources + other_files <= limit);
        let rounds = |sources| match sources {
            _ if quick => 1,
            MANY.. => ROUNDS_OF_MANY,
            _ => ROUNDS,
        };
        let steps = sources.iter().filter(fits).map(|&sources| (sources, rounds(sources)));
        Steps { steps: steps.collect() }
    }

    /// Returns how many runs there are, for so many stages.
    pub(crate) fn count(&self, stages: usize) -> u64 {
        self.steps.iter().map(|&(_, rounds)| u64::from(rounds)).sum::<u64>() * stages as u64
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
        for &(sources, count) in &self.steps {
            compared.progress.say(&format!("growth: {} sources", Grouped(sources)));
            // Kept sources are those of the workloads.
            let folder = rounds.folder.passing()?;
            rounds.folder.need(2 * sources * BYTES, "growth")?;
            let files = Backlog { files: sources as usize, bytes: BYTES };
            let files = files.make(folder.path(), rounds.seed)?;
            for round in 0..count as usize {
                for turn in 0..rounds.stages.len() {
                    rounds.interrupt.check()?;
                    let stage = rounds.stages[(turn + round) % rounds.stages.len()];
                    let output = folder.path().join("merged.log");
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
        let steps = |limit| Steps::new(false, limit, 32).steps;
        assert_eq!(steps(Some(1_024)), [(8, 3), (64, 3), (512, 3)]);
        assert_eq!(steps(Some(2_031)), [(8, 3), (64, 3), (512, 3)]);
        assert_eq!(steps(Some(2_032)), [(8, 3), (64, 3), (512, 3), (2_000, 2)]);
        assert_eq!(Steps::new(false, None, 32).count(5), 55);
        assert_eq!(Steps::new(true, None, 32).count(5), 10);
    }
}
