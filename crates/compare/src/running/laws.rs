//! Which laws each stage keeps: every law in a process of its own, several at
//! once, and never while something is measured.

use std::path::Path;
use std::time::Duration;

use conformance::{BOUND, LAWS, Law, Limit};
use report::{Outcome, Verdict, Verdicts};
use runner::{Interrupt, Tried, side_by_side, try_by};
use stages::Stage;

use crate::protocol::LawArgs;
use crate::running::rounds::Setup;

/// The bound of a law that a stage declares to break, which may wait for all of it;
/// with `--quick`, of every law.
const BRIEF: Duration = Duration::from_secs(20);
/// The theme whose laws take the longest: their sources are many.
const LONGEST: &str = "scale";

/// One law, on one stage.
#[derive(Debug)]
struct Try {
    stage: &'static Stage,
    law: &'static Law,
    /// Why the stage breaks the law, if its manifest declares so.
    declared: Option<String>,
    /// For how long the law may wait.
    within: Duration,
}

/// The laws that are tried, stage by stage.
#[derive(Debug)]
pub(crate) struct Laws(Vec<Try>);

impl Laws {
    /// Takes all laws; with `quick`, the first of each theme and every law that one of
    /// the stages declares to break.
    pub(crate) fn new(stages: &[&'static Stage], quick: bool) -> Laws {
        let limits = stages.iter().map(|stage| (*stage, Limit::declared(stage.manifest)));
        let limits: Vec<(&Stage, Vec<Limit>)> = limits.collect();
        let is_declared = |law: &Law| {
            limits.iter().flat_map(|(_, limits)| limits).any(|limit| limit.law == law.name)
        };
        let is_first = |law: &Law| {
            let first = LAWS.iter().find(|first| first.theme == law.theme);
            first.is_some_and(|first| first.name == law.name)
        };
        let is_taken = |law: &&Law| !quick || is_first(law) || is_declared(law);
        let tries = limits.iter().flat_map(|(stage, limits)| {
            LAWS.iter().filter(is_taken).map(|law| {
                let limit = limits.iter().find(|limit| limit.law == law.name);
                let declared = limit.map(|limit| limit.reason.clone());
                let within = if quick || declared.is_some() { BRIEF } else { BOUND };
                Try { stage, law, declared, within }
            })
        });
        Laws(tries.collect())
    }

    pub(crate) fn count(&self) -> u64 {
        self.0.len() as u64
    }

    /// Tries all laws. After each, calls `after` with the verdicts so far.
    pub(crate) fn run(
        &self,
        setup: &Setup<'_>,
        mut after: impl FnMut(Vec<Verdicts>) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        setup.progress.set_message("the laws");
        let folder = setup.folder.passing()?;
        let mut known: Vec<Option<Outcome>> = vec![None; self.0.len()];
        let try_one = |at: usize, is_over: &(dyn Fn() -> bool + Sync)| {
            self.0[at].run(folder.path(), setup.interrupt, is_over)
        };
        side_by_side(&self.order(), try_one, |at, tried| {
            known[at] = Some(self.0[at].outcome(tried));
            setup.progress.inc(1);
            after(self.verdicts(&known)).map(|()| true)
        })
    }

    /// The tries that take the longest come first: the others go on beside them.
    fn order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.0.len()).collect();
        order.sort_by_key(|&at| {
            let Try { law, declared, .. } = &self.0[at];
            (declared.is_none(), law.theme != LONGEST)
        });
        order
    }

    /// The verdicts so far, in the order of the stages and of the laws.
    fn verdicts(&self, known: &[Option<Outcome>]) -> Vec<Verdicts> {
        let mut all: Vec<Verdicts> = Vec::new();
        for (Try { stage, law, .. }, outcome) in self.0.iter().zip(known) {
            let Some(outcome) = outcome.clone() else { continue };
            if all.last().is_none_or(|last| last.stage != stage.name) {
                all.push(Verdicts { stage: stage.name.into(), laws: Vec::new() });
            }
            let [theme, law, sentence] = [law.theme, law.name, law.sentence].map(str::to_owned);
            let verdict = Verdict { theme, law, sentence, outcome };
            all.last_mut().expect("there is one of this stage").laws.push(verdict);
        }
        all
    }
}

impl Try {
    /// Compares the result of the law with what the stage declares.
    fn outcome(&self, tried: Tried) -> Outcome {
        match (tried, self.declared.clone()) {
            (Ok(None), None) => Outcome::Held,
            (Ok(Some(_)), Some(reason)) => Outcome::BrokenAsDeclared { reason },
            (Ok(None), Some(reason)) => Outcome::Wrong {
                seen: format!(
                    "it is kept, although the manifest declares that it cannot: {reason}"
                ),
            },
            (Ok(Some(seen)), None) | (Err(seen), _) => Outcome::Wrong { seen },
        }
    }

    /// Tries the law in a process with a folder of its own. Gives up when `is_over`
    /// says so.
    fn run(
        &self,
        folder: &Path,
        interrupt: &Interrupt,
        is_over: &(dyn Fn() -> bool + Sync),
    ) -> anyhow::Result<Tried> {
        let &Try { stage, law, within, .. } = self;
        let mut command = LawArgs { stage, law, within: within.as_secs() }.command()?;
        try_by(&mut command, within, folder, interrupt, is_over)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stages::STAGES;

    const LIMIT: &str = "an_idle_source_is_looked_at_while_the_output_blocks";

    fn laws(quick: bool) -> Laws {
        Laws::new(&STAGES.iter().collect::<Vec<_>>(), quick)
    }

    #[test]
    fn every_law_is_tried_on_every_stage_and_in_quick_one_of_each_theme() {
        assert_eq!(laws(false).0.len(), LAWS.len() * STAGES.len());
        let quick = laws(true);
        let of_the_first = quick.0.iter().filter(|it| it.stage.number == 1).map(|it| it.law.theme);
        let of_the_first: Vec<_> = of_the_first.collect();
        let themes: std::collections::BTreeSet<_> = of_the_first.iter().collect();
        assert_eq!(themes.len() + 1, of_the_first.len(), "the first of each, and a limit");
        let longest = &quick.0[quick.order()[0]];
        assert_eq!((longest.stage.number, longest.law.name), (4, LIMIT));
        assert!(Laws::new(&[&STAGES[0]], true).0.iter().all(|it| it.law.name != LIMIT));
    }

    #[test]
    fn a_verdict_is_what_came_of_a_law_held_against_what_is_declared() {
        let laws = laws(false);
        let outcome = |stage: usize, tried| {
            let it = laws.0.iter().find(|it| (it.stage.number, it.law.name) == (stage, LIMIT));
            it.unwrap().outcome(tried)
        };
        let broken = || Ok(Some("how".into()));
        assert_eq!(outcome(5, Ok(None)), Outcome::Held);
        assert_eq!(outcome(5, broken()), Outcome::Wrong { seen: "how".into() });
        let Outcome::BrokenAsDeclared { reason } = outcome(4, broken()) else { panic!() };
        assert!(reason.contains("append runs on the loop"), "{reason}");
        let Outcome::Wrong { seen } = outcome(4, Ok(None)) else { panic!() };
        assert!(seen.contains("although the manifest declares"), "{seen}");
        assert_eq!(outcome(4, Err("what".into())), Outcome::Wrong { seen: "what".into() });
    }
}
