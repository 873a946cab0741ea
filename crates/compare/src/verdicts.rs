//! Which laws each stage keeps: every law in a process of its own, several at
//! once, and never while something is measured.

use std::collections::HashMap;
use std::env;
use std::fs::{self, File};
use std::num::NonZero;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use conformance::{BOUND, LAWS, Law, Limit};
use results::{Outcome, Verdict, Verdicts};

use crate::compared::Compared;
use crate::folder::Folder;
use crate::interrupt::Interrupt;
use crate::law::Tried;
use crate::writable::plain;
use stages::Stage;

/// How often a process is asked whether it has ended.
const LOOK: Duration = Duration::from_millis(2);
/// How often what there is is kept: a law takes a few milliseconds, and to
/// write the page takes as long.
const KEEP: Duration = Duration::from_millis(500);
/// How long a law may wait that is declared to break, by its bound at the
/// latest; and any law where all is to be quick.
const BRIEF: Duration = Duration::from_secs(20);
/// The theme whose laws take the longest, by thousands of sources.
const LONGEST: &str = "scale";
/// How long a law has, beyond its bound, to come to its end.
const GRACE: Duration = Duration::from_secs(45);

/// One law to be tried on one stage.
#[derive(Debug, Clone, Copy)]
struct Case {
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
    cases: Vec<Case>,
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
        let mut cases: Vec<Case> = laws
            .iter()
            .flat_map(|&law| stages.iter().map(move |&stage| (stage, law)))
            .map(|(stage, law)| Case { stage, law, within: within(stage, law) })
            .collect();
        // The longest first: the others are tried beside them.
        cases.sort_by_key(|case| (!is_limit(case.stage, case.law), case.law.theme != LONGEST));
        Laws { laws, limits, cases }
    }

    /// Returns how many tries there are.
    pub(crate) fn count(&self) -> u64 {
        self.cases.len() as u64
    }

    /// Tries them all.
    pub(crate) fn run(
        &self,
        compared: &mut Compared<'_>,
        folder: &Folder,
        interrupt: &Interrupt,
    ) -> anyhow::Result<()> {
        let progress = compared.progress;
        progress.say("the laws");
        let folder = folder.in_memory()?;
        interrupt.would_leave(folder.path());
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let (next, ended) = (AtomicUsize::new(0), AtomicBool::new(false));
        let mut known: HashMap<(&str, &str), Outcome> = HashMap::new();
        let mut kept = Instant::now();
        thread::scope(|scope| {
            let (tell, told) = channel();
            for _ in 0..cores.min(self.cases.len()) {
                let (tell, next, ended, folder) = (tell.clone(), &next, &ended, folder.path());
                scope.spawn(move || {
                    while let Some(&case) = self.cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let tried = self.try_one(case, folder, interrupt, ended);
                        let failed = tried.is_err();
                        // Nobody listens once the first error has come.
                        if tell.send((case, tried)).is_err() || failed {
                            break;
                        }
                    }
                });
            }
            drop(tell);
            let taken: anyhow::Result<()> = told.iter().try_for_each(|(case, tried)| {
                known.insert((case.stage.name, case.law.name), self.outcome(case, tried?));
                progress.step();
                compared.comparison.verdicts = self.verdicts(&known);
                if kept.elapsed() >= KEEP {
                    compared.keep()?;
                    kept = Instant::now();
                }
                Ok(())
            });
            // The threads then end their processes, and themselves.
            ended.store(true, Ordering::Relaxed);
            taken
        })?;
        compared.keep()
    }

    /// Tries one law, in a process that has a folder of its own.
    fn try_one(
        &self,
        case: Case,
        folder: &Path,
        interrupt: &Interrupt,
        ended: &AtomicBool,
    ) -> anyhow::Result<Tried> {
        let folder = tempfile::tempdir_in(folder).map_err(plain).context("a law needs a folder")?;
        let (verdict, log) = (folder.path().join("verdict"), folder.path().join("log"));
        let log_file = File::create(&log).context("a law needs a log")?;
        let mut child = Command::new(env::current_exe().context("cannot find this program")?)
            .args(["law", case.stage.name, case.law.name, "--within"])
            .arg(case.within.as_secs().to_string())
            .arg("--verdict")
            .arg(&verdict)
            // Its end of this pipe is closed when this process is gone.
            .arg("--attended")
            .stdin(Stdio::piped())
            // What a child leaves behind that had to be killed goes with our folder.
            .env("TMPDIR", folder.path())
            .stdout(log_file.try_clone().context("a file has a second handle")?)
            .stderr(log_file)
            .spawn()
            .context("cannot start this program to try a law")?;
        let began = Instant::now();
        let killed = loop {
            if child.try_wait().context("cannot wait for a child")?.is_some() {
                break None;
            }
            let late = began.elapsed() > case.within + GRACE;
            let interrupted = interrupt.check();
            if late || interrupted.is_err() || ended.load(Ordering::Relaxed) {
                // It may have ended just now; the wait takes it away in any case.
                let _ = child.kill();
                let _ = child.wait();
                interrupted?;
                break Some(Tried::Accident(format!("no end within {:?}", case.within + GRACE)));
            }
            thread::sleep(LOOK);
        };
        if let Some(tried) = killed {
            return Ok(tried);
        }
        // Ctrl-C at a terminal goes to the child as well, which may be the first
        // to end of it.
        interrupt.check()?;
        let Ok(said) = fs::read(&verdict) else {
            let log = fs::read_to_string(&log).unwrap_or_default();
            return Ok(Tried::Accident(format!("its process ended without a verdict: {log}")));
        };
        serde_json::from_slice(&said).context("a law's process does not say what came of it")
    }

    /// Holds what came of a law against what the stage declares.
    fn outcome(&self, case: Case, tried: Tried) -> Outcome {
        let limits = &self.limits[case.stage.name];
        let limit = limits.iter().find(|limit| limit.law == case.law.name);
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
        let mut stages: Vec<&'static Stage> = self.cases.iter().map(|case| case.stage).collect();
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
        assert_eq!((quick.cases[0].stage.number, quick.cases[0].law.name), (4, LIMIT));
        assert!(Laws::new(&[&STAGES[0]], true).laws.iter().all(|law| law.name != LIMIT));
    }

    #[test]
    fn a_verdict_is_what_came_of_a_law_held_against_what_is_declared() {
        let laws = Laws::new(&all(), false);
        let law = Law::named(LIMIT).unwrap();
        let outcome = |stage: usize, tried| {
            laws.outcome(Case { stage: &STAGES[stage - 1], law, within: BOUND }, tried)
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
