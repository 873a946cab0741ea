//! Runs a job: every contender, round by round, and never two at a time.

use std::fs;

use anyhow::Context;
use tributary::Shown;
use workload::{OutputKind, SourceKind};

use crate::attempt::{Attempt, Checked, Contender, Run};
use crate::folder::Folder;
use crate::interrupt::Interrupt;
use crate::jobs::{Job, Kind};
use crate::program::Program;
use crate::progress::Progress;
use stages::Stage;

/// What has come of a contender so far.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) contender: Contender,
    /// The runs, each with its round.
    pub(crate) runs: Vec<(u32, Run)>,
    /// What is wrong; it is then not run again.
    pub(crate) wrong: Option<String>,
}

/// What all jobs share.
pub(crate) struct Rounds<'a> {
    pub(crate) stages: &'a [&'static Stage],
    /// What runs beside them, besides the floor.
    pub(crate) against: &'a [Program],
    pub(crate) seed: u64,
    pub(crate) folder: &'a Folder,
    pub(crate) interrupt: &'a Interrupt,
    pub(crate) progress: &'a Progress,
}

impl Rounds<'_> {
    /// Returns how many runs a job has.
    pub(crate) fn count(&self, job: &Job) -> u64 {
        u64::from(job.rounds) * self.contenders(job).len() as u64
    }

    /// Runs a job, and shows `after` each run what has come so far.
    pub(crate) fn run(
        &self,
        job: &Job,
        mut after: impl FnMut(&[Outcome]) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        self.progress.say(&format!("{}: making the sources", job.name));
        let contenders = self.contenders(job);
        let (inputs, merged) = job.bytes();
        let kept = if self.folder.is_kept() { contenders.len() as u64 } else { 1 };
        self.folder.need(inputs.saturating_add(merged.saturating_mul(kept)), job.name)?;
        let folder = self.folder.of(job.name)?;
        let sources = match &job.kind {
            Kind::Own(own) => own.paths().to_vec(),
            Kind::Made { sources: SourceKind::Backlog(backlog), .. } => {
                backlog.make(&folder, self.seed)?
            }
            // Made for each contender anew, as they grow.
            Kind::Made { sources: SourceKind::Live(_), .. } => Vec::new(),
        };
        let outcome = |&contender| Outcome { contender, runs: Vec::new(), wrong: None };
        let mut outcomes: Vec<Outcome> = contenders.iter().map(outcome).collect();

        for round in 0..job.rounds {
            for turn in 0..outcomes.len() {
                // Rotated, so that nobody always comes after the same one.
                let at = (turn + round as usize) % outcomes.len();
                let outcome = &mut outcomes[at];
                if outcome.wrong.is_some() {
                    self.progress.step();
                    continue;
                }
                self.interrupt.check()?;
                let name = outcome.contender.name();
                self.progress.say(&format!("{} {}/{}: {name}", job.name, round + 1, job.rounds));
                match self.attempt(job, outcome.contender, &sources)? {
                    Ok(run) => outcome.runs.push((round, run)),
                    Err(wrong) => outcome.wrong = Some(wrong),
                }
                self.progress.step();
                after(&outcomes)?;
            }
        }
        if !self.folder.is_kept() {
            // The next job may need the room.
            fs::remove_dir_all(&folder)
                .with_context(|| format!("{}: cannot remove this folder", Shown(&folder)))?;
        }
        Ok(())
    }

    fn attempt(
        &self,
        job: &Job,
        contender: Contender,
        sources: &[std::path::PathBuf],
    ) -> anyhow::Result<Result<Run, String>> {
        let output = &self.folder.merged(job.name, contender.name());
        let attempt = Attempt { idle: job.is_idle(), ..Attempt::new(contender, sources, output) };
        let attempt = Attempt { wake: job.wake, ..attempt };
        let result = match &job.kind {
            Kind::Own(own) => Attempt { own: Some(own), ..attempt }.run(self.interrupt)?,
            Kind::Made { sources, output } => {
                let pauses = match output {
                    OutputKind::File => None,
                    OutputKind::SlowFifo(pauses) => Some(*pauses),
                };
                let attempt = Attempt { pauses, ..attempt };
                match sources {
                    SourceKind::Backlog(_) => attempt.run(self.interrupt)?,
                    SourceKind::Live(live) => {
                        let folder =
                            self.folder.of(&format!("{}/{}", job.name, contender.name()))?;
                        let empty = live.create(&folder, self.seed)?;
                        let paths = empty.paths().to_vec();
                        let live = Some((empty, live.duration));
                        Attempt { sources: &paths, live, ..attempt }.run(self.interrupt)?
                    }
                }
            }
        };
        if !self.folder.is_kept() {
            Folder::remove(output)?;
        }
        Ok(result)
    }

    fn contenders(&self, job: &Job) -> Vec<Contender> {
        let asked = |program: Program| self.against.contains(&program) && program.can(job);
        let cat = match asked(Program::Cat) {
            true => Some(Contender::Program(Program::Cat, Checked::Yes)),
            false => job.has_floor().then_some(Contender::Program(Program::Cat, Checked::No)),
        };
        let tail = asked(Program::Tail).then_some(Contender::Program(Program::Tail, Checked::Yes));
        let stages = self.stages.iter().copied().map(Contender::Stage);
        cat.into_iter().chain(tail).chain(stages).collect()
    }
}
