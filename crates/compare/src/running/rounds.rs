//! Runs a job: every contender once a round, one after the other.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use indicatif::ProgressBar;
use recorder::Recording;
use runner::{Checked, Interrupt};
use stages::Stage;
use tributary::Shown;
use workload::source_path;

use crate::asking::contender::{Contender, Program};
use crate::asking::jobs::{Job, Merged};
use crate::asking::places::take_name;
use crate::running::attempt::{Attempt, Figures};
use crate::running::folder::Folder;

/// The runs of one contender so far.
#[derive(Debug)]
pub(crate) struct Runs {
    pub(crate) contender: Contender,
    /// The right ones, each with its round.
    pub(crate) right: Vec<(u32, Figures)>,
    /// What was wrong in the last run: the contender then runs no more.
    pub(crate) wrong: Option<String>,
}

pub(crate) struct Setup<'a> {
    pub(crate) stages: &'a [&'static Stage],
    /// The programs beside the stages, besides the floor.
    pub(crate) against: &'a [Program],
    pub(crate) seed: u64,
    pub(crate) folder: &'a Folder,
    pub(crate) interrupt: &'a Interrupt,
    pub(crate) progress: &'a ProgressBar,
}

impl Runs {
    /// Returns the recording of the first run, if the job is recorded.
    pub(crate) fn recording(&self) -> Option<&Recording> {
        self.right.first()?.1.recording.as_ref()
    }
}

impl Setup<'_> {
    /// Returns how many runs a job has.
    pub(crate) fn count(&self, job: &Job) -> u64 {
        u64::from(job.rounds) * job.contenders(self.stages, self.against).len() as u64
    }

    /// Runs a job. After each run, calls `after` with all runs so far.
    pub(crate) fn run(
        &self,
        job: &Job,
        mut after: impl FnMut(&[Runs]) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        self.progress.set_message(format!("{}: making the sources", job.name));
        let contenders = job.contenders(self.stages, self.against);
        let (inputs, merged) = job.bytes();
        let kept = if self.folder.is_kept() { contenders.len() as u64 } else { 1 };
        self.folder.need(inputs.saturating_add(merged.saturating_mul(kept)), job.name)?;
        let folder = self.folder.of(job.name)?;
        let sources = match &job.merged {
            Merged::Complete(made) | Merged::Followed(made) => {
                take_sources(job, &folder)?;
                made.make(&folder, self.seed)?
            }
            // There already, or made for each contender, since they grow.
            Merged::Own(_) | Merged::Growing(..) => Vec::new(),
        };
        let runs = |contender| Runs { contender, right: Vec::new(), wrong: None };
        let mut all: Vec<Runs> = contenders.into_iter().map(runs).collect();

        for round in 0..job.rounds {
            for turn in 0..all.len() {
                // Rotated: otherwise a contender would always run after the same one.
                let at = (turn + round as usize) % all.len();
                let runs = &mut all[at];
                if runs.wrong.is_some() {
                    self.progress.inc(1);
                    continue;
                }
                self.interrupt.check()?;
                let name = runs.contender.name();
                let which = format!("{} {}/{}: {name}", job.name, round + 1, job.rounds);
                self.progress.set_message(which);
                match self.attempt(job, runs.contender, &sources)? {
                    Ok(figures) => runs.right.push((round, figures)),
                    Err(wrong) => runs.wrong = Some(wrong),
                }
                self.progress.inc(1);
                after(&all)?;
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
        made: &[PathBuf],
    ) -> anyhow::Result<Checked<Figures>> {
        let output = &self.folder.merged(job.name, contender.name());
        take_name(output)?;
        let growing = match &job.merged {
            Merged::Growing(live, _) => {
                let folder = self.folder.of(&format!("{}/{}", job.name, contender.name()))?;
                take_sources(job, &folder)?;
                Some(live.create(&folder, self.seed)?)
            }
            _ => None,
        };
        let grow = growing.as_ref().map(|growing| growing.paths().to_vec());
        let sources = match &job.merged {
            Merged::Own(own) => own.paths(),
            _ => grow.as_deref().unwrap_or(made),
        };
        let attempt = Attempt { growing, ..Attempt::new(job, contender, sources, output) };
        let figures = attempt.run(self.interrupt)?;
        if !self.folder.is_kept() {
            Folder::remove(output)?;
        }
        Ok(figures)
    }
}

/// Fails if something lies where a source of the job is to be made, and is no file.
fn take_sources(job: &Job, folder: &Path) -> anyhow::Result<()> {
    (0..job.sources()).try_for_each(|at| take_name(&source_path(folder, at)))
}
