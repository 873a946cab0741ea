//! Which laws each stage keeps: every law in a process of its own, several at
//! once, and never while something is measured.

use std::collections::HashMap;
use std::num::NonZero;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use conformance::{BOUND, LAWS, Law, Limit};
use report::{Outcome, Verdict, Verdicts};
use stages::Stage;

use crate::asking::interrupt::{Interrupt, Interrupted};
use crate::protocol::{LawArgs, Tried, answered};
use crate::running::measure::{self, Hung};
use crate::running::rounds::Setup;

/// How long a law may wait that is declared to break, by its bound at the
/// latest; and any law where all is to be quick.
const BRIEF: Duration = Duration::from_secs(20);
/// The theme whose laws take the longest, by thousands of sources.
const LONGEST: &str = "scale";
/// How long a law has, beyond its bound, to come to its end.
const GRACE: Duration = Duration::from_secs(45);

/// One law, on one stage.
#[derive(Debug, Clone, Copy)]
struct Try {
    stage: &'static Stage,
    law: &'static Law,
    /// For how long the law may wait.
    within: Duration,
}

/// The laws that are tried.
#[derive(Debug)]
pub(crate) struct Laws {
    laws: Vec<&'static Law>,
    limits: HashMap<&'static str, Vec<Limit>>,
    tries: Vec<Try>,
}

impl Laws {
    /// Takes all laws; `quick`, one of each theme and those that a stage
    /// declares to break.
    pub(crate) fn new(stages: &[&'static Stage], quick: bool) -> Laws {
        let limits: HashMap<_, _> =
            stages.iter().map(|stage| (stage.name, Limit::declared(stage.manifest))).collect();
        let declared = |law: &Law| limits.values().flatten().any(|limit| limit.law == law.name);
        let first = |law: &Law| LAWS.iter().find(|other| other.theme == law.theme);
        let is_first = |law: &Law| first(law).is_some_and(|first| first.name == law.name);
        let laws: Vec<&Law> =
            LAWS.iter().filter(|law| !quick || declared(law) || is_first(law)).collect();
        let is_limit =
            |stage: &Stage, law: &Law| limits[stage.name].iter().any(|limit| limit.law == law.name);
        let within = |stage, law| if quick || is_limit(stage, law) { BRIEF } else { BOUND };
        let mut tries: Vec<Try> = laws
            .iter()
            .flat_map(|&law| stages.iter().map(move |&stage| (stage, law)))
            .map(|(stage, law)| Try { stage, law, within: within(stage, law) })
            .collect();
        // The longest first: the others are tried beside them.
        tries.sort_by_key(|it| (!is_limit(it.stage, it.law), it.law.theme != LONGEST));
        Laws { laws, limits, tries }
    }

    /// Returns how many tries there are.
    pub(crate) fn count(&self) -> u64 {
        self.tries.len() as u64
    }

    /// Tries them all, and shows `after` each what has come so far.
    pub(crate) fn run(
        &self,
        setup: &Setup<'_>,
        mut after: impl FnMut(Vec<Verdicts>) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        setup.progress.say("the laws");
        let folder = setup.folder.passing()?;
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let (next, over) = (AtomicUsize::new(0), AtomicBool::new(false));
        let mut known: HashMap<(&str, &str), Outcome> = HashMap::new();
        thread::scope(|scope| {
            let (tell, told) = channel();
            for _ in 0..cores.min(self.tries.len()) {
                let (tell, next, over, folder) = (tell.clone(), &next, &over, folder.path());
                scope.spawn(move || {
                    while let Some(&it) = self.tries.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let tried = it.run(folder, setup.interrupt, over);
                        let failed = tried.is_err();
                        // Nobody listens once the first error has come.
                        if tell.send((it, tried)).is_err() || failed {
                            break;
                        }
                    }
                });
            }
            drop(tell);
            let taken: anyhow::Result<()> = told.iter().try_for_each(|(it, tried)| {
                known.insert((it.stage.name, it.law.name), self.outcome(it, tried?));
                setup.progress.step();
                after(self.verdicts(&known))
            });
            // The threads then end their processes, and themselves.
            over.store(true, Ordering::Relaxed);
            taken
        })
    }

    /// Holds what came of a law against what the stage declares.
    fn outcome(&self, it: Try, tried: Tried) -> Outcome {
        let limits = &self.limits[it.stage.name];
        let limit = limits.iter().find(|limit| limit.law == it.law.name);
        match (tried, limit) {
            (Tried::Held, None) => Outcome::Held,
            (Tried::Broken(_), Some(Limit { reason, .. })) => {
                Outcome::BrokenAsDeclared { reason: reason.clone() }
            }
            (Tried::Held, Some(Limit { reason, .. })) => Outcome::Wrong {
                seen: format!(
                    "it is kept, although the manifest declares that it cannot: {reason}"
                ),
            },
            (Tried::Broken(how), None) => Outcome::Wrong { seen: how },
            (Tried::Accident(what), _) => Outcome::Wrong { seen: what },
        }
    }

    /// What is known, in the order of the stages and of the laws.
    fn verdicts(&self, known: &HashMap<(&str, &str), Outcome>) -> Vec<Verdicts> {
        let mut stages: Vec<&'static Stage> = self.tries.iter().map(|it| it.stage).collect();
        stages.sort_by_key(|stage| stage.number);
        stages.dedup_by_key(|stage| stage.number);
        let of_stage = |stage: &Stage| {
            let laws = self.laws.iter().filter_map(|law| {
                Some(Verdict {
                    theme: law.theme.into(),
                    law: law.name.into(),
                    sentence: law.sentence.into(),
                    outcome: known.get(&(stage.name, law.name))?.clone(),
                })
            });
            Verdicts { stage: stage.name.into(), laws: laws.collect() }
        };
        stages.into_iter().map(of_stage).filter(|stage| !stage.laws.is_empty()).collect()
    }
}

impl Try {
    /// Tries the law in a process that has a folder of its own, until all is over.
    fn run(self, folder: &Path, interrupt: &Interrupt, over: &AtomicBool) -> anyhow::Result<Tried> {
        let folder = tempfile::tempdir_in(folder).context("a law needs a folder")?;
        let Try { stage, law, within } = self;
        let mut command = LawArgs { stage, law, within: within.as_secs() }.command()?;
        // What a child leaves behind that had to be killed goes with our folder.
        command.env("TMPDIR", folder.path());
        let (begun, bound) = (Instant::now(), within + GRACE);
        let ended = measure::run(&mut command, interrupt, |_| {
            if over.load(Ordering::Relaxed) {
                return Err(Interrupted.into());
            }
            if begun.elapsed() > bound {
                return Err(Hung { within: format!("{bound:?}") }.into());
            }
            Ok(())
        });
        match ended {
            Ok(ended) if ended.status.success() => answered(&ended.stdout),
            Ok(ended) => {
                let what = format!("its process ended with {}: {}", ended.status, ended.stderr);
                Ok(Tried::Accident(what))
            }
            Err(error) if error.is::<Hung>() => Ok(Tried::Accident(error.to_string())),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use stages::STAGES;

    fn all() -> Vec<&'static Stage> {
        STAGES.iter().collect()
    }

    const LIMIT: &str = "an_idle_source_is_looked_at_while_the_output_blocks";

    #[test]
    fn every_law_is_tried_on_every_stage_and_in_quick_one_of_each_theme() {
        let laws = Laws::new(&all(), false);
        assert_eq!(laws.count() as usize, LAWS.len() * STAGES.len());
        let quick = Laws::new(&all(), true);
        let themes: std::collections::BTreeSet<_> =
            quick.laws.iter().map(|law| law.theme).collect();
        assert_eq!(themes.len() + 1, quick.laws.len(), "the first of each, and a limit");
        // The longest comes first.
        assert_eq!((quick.tries[0].stage.number, quick.tries[0].law.name), (4, LIMIT));
        assert!(Laws::new(&[&STAGES[0]], true).laws.iter().all(|law| law.name != LIMIT));
    }

    #[test]
    fn a_verdict_is_what_came_of_a_law_held_against_what_is_declared() {
        let laws = Laws::new(&all(), false);
        let law = Law::named(LIMIT).unwrap();
        let outcome = |stage: usize, tried| {
            laws.outcome(Try { stage: &STAGES[stage - 1], law, within: BOUND }, tried)
        };
        let broken = || Tried::Broken("how".into());
        assert_eq!(outcome(5, Tried::Held), Outcome::Held);
        assert_eq!(outcome(5, broken()), Outcome::Wrong { seen: "how".into() });
        let Outcome::BrokenAsDeclared { reason } = outcome(4, broken()) else { panic!() };
        assert!(reason.contains("append runs on the loop"), "{reason}");
        let Outcome::Wrong { seen } = outcome(4, Tried::Held) else { panic!() };
        assert!(seen.contains("although the manifest declares"), "{seen}");
        let accident = Tried::Accident("what".into());
        assert_eq!(outcome(4, accident), Outcome::Wrong { seen: "what".into() });
    }

    #[test]
    fn verdicts_have_the_order_of_the_list_however_they_come() {
        let laws = Laws::new(&all(), false);
        let [first, second] = [LAWS[0].name, LAWS[1].name];
        let known = [
            (("stage2-mixed", second), Outcome::Held),
            (("stage1-threads", second), Outcome::Held),
            (("stage2-mixed", first), Outcome::Held),
        ];
        let verdicts = laws.verdicts(&known.into_iter().collect());
        let shown: Vec<_> = verdicts
            .iter()
            .map(|it| (&*it.stage, it.laws.iter().map(|law| &*law.law).collect::<Vec<_>>()))
            .collect();
        assert_eq!(
            shown,
            [("stage1-threads", vec![second]), ("stage2-mixed", vec![first, second])]
        );
    }
}
