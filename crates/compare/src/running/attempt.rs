//! One run of one contender: sources, child, output, check.

use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use checker::{check_tagged, check_untagged};
use recorder::Recording;
use runner::{Checked, Hung, Interrupt, Interrupted, Took, answered};
use rustix::process::Signal;
use tributary::{Shown, Wake};
use workload::{LiveSources, OutputReader};

use crate::asking::contender::{Contender, Program};
use crate::asking::jobs::{Job, Merged};
use crate::asking::own_files::OwnFiles;
use crate::protocol::{Done, StageArgs, Until};
use crate::running::course::{Course, Seen};
use crate::running::folder::Folder;

/// How long the output may stand still, once the sources are complete, before the
/// contender is killed.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Attempt<'a> {
    pub(crate) job: &'a Job,
    pub(crate) contender: Contender,
    /// The files to merge.
    pub(crate) sources: &'a [PathBuf],
    /// The same files, still empty, where the job lets them grow or be at rest.
    pub(crate) growing: Option<LiveSources>,
    /// The merged file; a file of this name is removed first.
    pub(crate) output: &'a Path,
    /// See [`PATIENCE`].
    pub(crate) patience: Duration,
}

/// The figures of one run whose output was right.
#[derive(Debug, Clone, Default)]
pub(crate) struct Figures {
    pub(crate) took: Took,
    pub(crate) seen: Seen,
    /// See [`Done::merge`].
    pub(crate) merge: Option<f64>,
    pub(crate) stall: Option<f64>,
    pub(crate) lines: u64,
    /// Nanoseconds from write to sight, one for each stamped line.
    pub(crate) latencies: Vec<u64>,
    /// Who did what when, if the job is recorded.
    pub(crate) recording: Option<Recording>,
}

impl<'a> Attempt<'a> {
    /// Prepares a run on sources that do not grow.
    pub(crate) fn new(
        job: &'a Job,
        contender: Contender,
        sources: &'a [PathBuf],
        output: &'a Path,
    ) -> Attempt<'a> {
        Attempt { job, contender, sources, growing: None, output, patience: PATIENCE }
    }

    /// Runs the contender and checks its output.
    pub(crate) fn run(self, interrupt: &Interrupt) -> anyhow::Result<Checked<Figures>> {
        let own = if let Merged::Own(own) = &self.job.merged { Some(own) } else { None };
        let figures = self.once(own.is_none(), interrupt);
        if figures.as_ref().is_err_and(|error| error.is::<Interrupted>()) {
            return figures;
        }
        // If a source changed during the merge, a wrong output is nobody's mistake, and
        // the figures describe no file: the comparison ends.
        own.map_or(Ok(()), OwnFiles::still_the_same)?;
        figures
    }

    fn once(mut self, tagged: bool, interrupt: &Interrupt) -> anyhow::Result<Checked<Figures>> {
        let (contender, sources, output) = (self.contender, self.sources, self.output);
        Folder::remove(output)?;
        let fifo = output.with_extension("fifo");
        let reader = self.reader(&fifo)?;
        let target = if self.job.pauses.is_some() { &*fifo } else { output };
        let record = self.job.recorded.then(|| output.with_extension("recording"));
        let mut command = self.command(target, record.clone())?;
        let mut course = Course::new(output, contender.is(Program::Tail), self.patience);
        let ended = runner::run(&mut command, interrupt, |running| {
            if let (Some(growing), Merged::Growing(live, _)) =
                (self.growing.take(), &self.job.merged)
            {
                course.begin(growing, live)?;
            }
            course.tick(running)
        });
        // The command holds the output of a program open: the reader of a FIFO would
        // wait for ever.
        drop(command);
        let seen = course.seen;
        // Stops the writers of the sources, if the child ended before them.
        drop(course);
        Folder::remove(&fifo)?;
        let ended = match ended {
            // The child was killed and its end of the FIFO is closed, so dropping the
            // reader does not hang.
            Err(error) if error.is::<Hung>() => return Ok(Err(error.to_string())),
            ended => ended?,
        };
        let by_us = seen.terminated && ended.status.signal() == Some(Signal::TERM.as_raw());
        if !ended.status.success() && !by_us {
            if Folder::is_full(output) {
                bail!(
                    "{}: no space is left, make room or choose another folder with TMPDIR or \
                     --keep",
                    Shown(output)
                );
            }
            return Ok(Err(ended.failure()));
        }
        let latencies = reader.map_or(Ok(Vec::new()), OutputReader::finish)?;
        let found = match contender {
            Contender::Floor => Ok((0, 0)),
            _ => check(sources, output, tagged)?,
        };
        let done = match contender {
            Contender::Stage(_) => Some(answered::<Done>(&ended.stdout)?),
            _ => None,
        };
        let recording = record.map(|path| recording(&path)).transpose()?;
        let seen = Figures { took: ended.took, seen, latencies, recording, ..Figures::default() };
        Ok(found.and_then(|found| figures(seen, found, done)))
    }

    /// Starts the reader of the output, if the job measures latencies or pauses.
    fn reader(&self, fifo: &Path) -> anyhow::Result<Option<OutputReader>> {
        if let Some(pauses) = self.job.pauses {
            Folder::remove(fifo)?;
            return Ok(Some(OutputReader::of_fifo(fifo, self.output, pauses)?));
        }
        let is_stamped = self.growing.is_some() && !self.job.is_idle();
        Ok(is_stamped.then(|| OutputReader::of_file(self.output)).transpose()?)
    }

    fn command(&self, output: &Path, record: Option<PathBuf>) -> anyhow::Result<Command> {
        let (follow, wake) = match self.job.merged {
            Merged::Complete(_) | Merged::Own(_) => (None, Wake::Notify),
            Merged::Followed(_) => (Some(Until::Read), Wake::Notify),
            Merged::Growing(_, wake) => (Some(Until::Stdin), wake),
        };
        let program = match self.contender {
            Contender::Stage(stage) => {
                let (output, sources) = (output.to_owned(), self.sources.to_vec());
                let mut command =
                    StageArgs { stage, output, follow, wake, record, sources }.command()?;
                let stop = follow == Some(Until::Stdin);
                command.stdin(if stop { Stdio::piped() } else { Stdio::null() });
                return Ok(command);
            }
            Contender::Program(program) => program,
            Contender::Floor => Program::Cat,
        };
        // The FIFO has its reader already, so this open does not wait.
        let output = File::create(output)
            .with_context(|| format!("{}: cannot make this file", Shown(output)))?;
        let mut command = program.command();
        command.arg("--").args(self.sources).stdin(Stdio::null());
        command.stdout(output).stderr(Stdio::piped());
        Ok(command)
    }
}

fn recording(path: &Path) -> anyhow::Result<Recording> {
    let bytes = fs::read(path)
        .with_context(|| format!("{}: a stage has not recorded itself", Shown(path)))?;
    Folder::remove(path)?;
    serde_json::from_slice(&bytes).with_context(|| format!("{}: this is no recording", Shown(path)))
}

/// Joins the figures from outside with what was found in the output, and with the
/// report of a stage: its counts must be those of the output.
fn figures(outside: Figures, (lines, bytes): (u64, u64), done: Option<Done>) -> Checked<Figures> {
    let outside = Figures { lines, ..outside };
    let Some(done) = done else { return Ok(outside) };
    if (done.lines, done.bytes) != (lines, bytes) {
        return Err(format!(
            "its report counts {} lines and {} bytes, the output has {lines} and {bytes}",
            done.lines, done.bytes
        ));
    }
    let (threads, memory) = (done.threads, outside.took.memory.max(done.memory));
    let took = Took { threads, memory, ..outside.took };
    Ok(Figures { took, merge: Some(done.merge), stall: done.stall, ..outside })
}

/// Checks a merged file, and counts its lines and bytes.
fn check(sources: &[PathBuf], output: &Path, tagged: bool) -> anyhow::Result<Checked<(u64, u64)>> {
    let check = if tagged { check_tagged } else { check_untagged };
    let found = check(sources, output)?;
    if !found.is_right() {
        return Ok(Err(found.to_string()));
    }
    let bytes = fs::metadata(output)
        .with_context(|| format!("{}: cannot ask for its size", Shown(output)))?
        .len();
    Ok(Ok((found.lines(), bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use workload::{Backlog, Pauses};

    const TWO: Backlog = Backlog { files: 2, bytes: 2_000 };

    #[test]
    fn a_report_that_does_not_agree_with_the_output_is_wrong() {
        let said = |lines, bytes| {
            let (merge, stall, memory, threads) = (0.1, None, None, None);
            let done = Done { lines, bytes, merge, stall, memory, threads };
            figures(Figures::default(), (7, 4_000), Some(done))
        };
        assert_eq!(said(7, 4_000).unwrap().merge, Some(0.1));
        for (lines, bytes) in [(8, 4_000), (7, 3_999)] {
            let wrong = said(lines, bytes).unwrap_err();
            assert!(wrong.starts_with("its report counts"), "{wrong}");
        }
    }

    #[test]
    fn who_does_nothing_and_does_not_end_is_killed_and_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let sources = TWO.make(folder.path(), 1).unwrap();
        let merged = folder.path().join("merged");
        // `tail -F` never ends by itself.
        let tail = Contender::Program(Program::Tail);
        for pauses in [None, Some(Pauses::USUAL)] {
            let job = Job { pauses, ..Job::new("backlog", Merged::Complete(TWO), 1) };
            let attempt = Attempt::new(&job, tail, &sources, &merged);
            let attempt = Attempt { patience: Duration::from_millis(200), ..attempt };
            let wrong = attempt.run(&Interrupt::default()).unwrap().unwrap_err();
            assert_eq!(wrong, "no end within 200ms of its last write, so it was killed");
        }
    }
}
