//! How the cost grows as the work grows: the same bytes a source, more sources.
//!
//! The merges follow, until every source has been read to its end. One that did
//! not would let a thread go as soon as its file has ended, and never have as
//! many as it needs to follow so many files.

use report::{Grouped, Growth};
use workload::Backlog;

use crate::asking::contender::Contender;
use crate::running::attempt::{Attempt, Sources};
use crate::running::rounds::Setup;

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

    /// Merges so many sources with every stage, round by round, and shows `after`
    /// each run what has come so far and what was wrong with it.
    pub(crate) fn run(
        &self,
        setup: &Setup<'_>,
        mut after: impl FnMut(&[Growth], Option<String>) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let mut growth = Vec::new();
        for &(sources, rounds) in &self.steps {
            setup.progress.say(&format!("growth: {} sources", Grouped(sources)));
            // Kept sources are those of the workloads.
            let folder = setup.folder.passing()?;
            setup.folder.need(2 * sources * BYTES, "growth")?;
            let files = Backlog { files: sources as usize, bytes: BYTES };
            let files = files.make(folder.path(), setup.seed)?;
            let output = folder.path().join("merged.log");
            for round in 0..rounds as usize {
                for turn in 0..setup.stages.len() {
                    setup.interrupt.check()?;
                    let stage = setup.stages[(turn + round) % setup.stages.len()];
                    let contender = Contender::Stage(stage);
                    let attempt = Attempt::new(contender, Sources::Followed(&files), &output);
                    let wrong = attempt.run(setup.interrupt)?.map(|figures| {
                        let seconds = figures.merge.unwrap_or(figures.wall.as_secs_f64());
                        add(&mut growth, (stage.name, sources), seconds, figures.threads);
                    });
                    let wrong = wrong.err().map(|wrong| {
                        let first = wrong.lines().next().unwrap_or_default();
                        format!("{} on {} sources: {first}", stage.name, Grouped(sources))
                    });
                    setup.progress.step();
                    after(&growth, wrong)?;
                }
            }
        }
        Ok(())
    }
}

/// Adds a run to those of its stage and its number of sources; by stage, then
/// by number.
fn add(growth: &mut Vec<Growth>, of: (&str, u64), seconds: f64, threads: Option<u64>) {
    let at = growth.binary_search_by(|other| (&*other.stage, other.sources).cmp(&of));
    let at = at.unwrap_or_else(|at| {
        let (stage, sources) = (of.0.to_owned(), of.1);
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
