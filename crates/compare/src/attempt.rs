//! One run of one contender: sources, child, output, check.

use std::env;
use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::Context;
use rustix::process::Signal;
use tributary::Shown;
use workload::{
    FifoReader, LatencyWatch, LiveSources, Pauses, check_tagged, check_untagged, make_fifo,
};

use crate::args::Wake;
use crate::child::Done;
use crate::course::{Course, Hung, Rest, Seen};
use crate::folder::Folder;
use crate::interrupt::{Interrupt, Interrupted};
use crate::measure::{self, Ended};
use crate::own_files::OwnFiles;
use crate::program::Program;
use stages::Stage;

/// How long a contender may do nothing when it has everything.
const PATIENCE: Duration = Duration::from_secs(60);

/// Who runs: a stage, or a program beside the stages.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Contender {
    Stage(&'static Stage),
    /// A program; its output is checked if it was asked for by name, and not
    /// as the floor alone.
    Program(Program, Checked),
}

/// Whether an output is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Checked {
    Yes,
    No,
}

impl Contender {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Contender::Program(program, _) => program.name(),
            Contender::Stage(stage) => stage.name,
        }
    }

    pub(crate) fn is_tail(self) -> bool {
        matches!(self, Contender::Program(Program::Tail, _))
    }
}

/// What one run needs.
pub(crate) struct Attempt<'a> {
    pub(crate) contender: Contender,
    pub(crate) sources: &'a [PathBuf],
    /// The same sources, still empty, and for how long they will grow.
    pub(crate) live: Option<(LiveSources, Duration)>,
    /// Nothing is written to them: what waiting costs is measured.
    pub(crate) idle: bool,
    /// Puts a FIFO with this reader before the output.
    pub(crate) pauses: Option<Pauses>,
    /// The merged file; whatever is there is removed first.
    pub(crate) output: &'a Path,
    /// Whose the sources are; ours are tagged.
    pub(crate) own: Option<&'a OwnFiles>,
    /// How growing sources are noticed to have grown.
    pub(crate) wake: Wake,
    /// A stage follows the complete sources until it has read them all.
    pub(crate) until_read: bool,
    /// Where a stage writes what it recorded.
    pub(crate) record: Option<&'a Path>,
    /// How long it may do nothing when it has everything.
    pub(crate) patience: Duration,
}

/// The figures of one run whose output was right.
#[derive(Debug, Clone, Default)]
pub(crate) struct Run {
    pub(crate) wall: Duration,
    /// Seconds from the opening of the plan to the return of `merge`.
    pub(crate) merge: Option<f64>,
    pub(crate) cpu: Duration,
    pub(crate) switches: u64,
    pub(crate) threads: Option<u64>,
    pub(crate) memory: Option<u64>,
    pub(crate) stall: Option<f64>,
    pub(crate) lines: u64,
    /// Nanoseconds from write to sight, of every stamped line.
    pub(crate) latencies: Vec<u64>,
    /// How far behind its schedule the latest line was written.
    pub(crate) late: Option<Duration>,
    /// What was done in a second at rest.
    pub(crate) rest: Option<Rest>,
}

/// Who reads the output while it grows.
enum Reader {
    Nobody,
    Watch(LatencyWatch),
    Fifo(FifoReader),
}

impl<'a> Attempt<'a> {
    /// Prepares a run of complete sources that are ours, into a file.
    pub(crate) fn new(
        contender: Contender,
        sources: &'a [PathBuf],
        output: &'a Path,
    ) -> Attempt<'a> {
        Attempt {
            contender,
            sources,
            live: None,
            idle: false,
            pauses: None,
            output,
            own: None,
            wake: Wake::Notify,
            until_read: false,
            record: None,
            patience: PATIENCE,
        }
    }

    /// Runs the contender and checks its output; the inner error says what is
    /// wrong with it.
    pub(crate) fn run(self, interrupt: &Interrupt) -> anyhow::Result<Result<Run, String>> {
        let own = self.own;
        let ended = self.once(interrupt);
        if ended.as_ref().is_err_and(|error| error.is::<Interrupted>()) {
            return ended;
        }
        // A source that has changed under the merge is nobody's mistake, and what
        // was measured is about no file that there is.
        own.map_or(Ok(()), OwnFiles::still_the_same)?;
        ended
    }

    fn once(mut self, interrupt: &Interrupt) -> anyhow::Result<Result<Run, String>> {
        Folder::remove(self.output)?;
        let fifo = self.output.with_extension("fifo");
        let (target, reader) = match self.pauses {
            Some(_) => {
                Folder::remove(&fifo)?;
                make_fifo(&fifo)?;
                (&*fifo, Reader::Fifo(FifoReader::start(&fifo, self.output, self.pauses)?))
            }
            None if self.live.is_some() && !self.idle => {
                (self.output, Reader::Watch(LatencyWatch::start(self.output)?))
            }
            None => (self.output, Reader::Nobody),
        };

        let follow = self.live.is_some();
        let mut command = self.command(target)?;
        let mut course = Course::new(&self);
        let mut empty = self.live.take();
        let ended = measure::run(&mut command, interrupt, |running| {
            if let Some((sources, duration)) = empty.take() {
                course.begin(sources, duration)?;
            }
            course.tick(running)
        });
        // It holds the output of a program open, and the reader of a FIFO would
        // wait for its end.
        drop(command);
        let ended = match ended {
            Err(error) if error.is::<Hung>() => {
                // Its writing end is gone, so nobody waits for what will not come.
                drop(reader);
                Folder::remove(&fifo)?;
                return Ok(Err(error.to_string()));
            }
            ended => ended?,
        };
        let Seen { late, rest, terminated } = course.seen;
        // Of a child that has ended before its time, the sources grow no more.
        drop(course);

        let by_us = terminated && ended.status.signal() == Some(Signal::TERM.as_raw());
        let ended_well = ended.status.success() || by_us;
        let latencies = match reader {
            Reader::Nobody => Vec::new(),
            // Of a child that failed before it made its output, it is the
            // child's own error that tells.
            Reader::Watch(_) if !ended_well => Vec::new(),
            Reader::Watch(watch) => watch.finish()?,
            Reader::Fifo(reader) => {
                let received = reader.join()?;
                Folder::remove(&fifo)?;
                received.latencies
            }
        };
        if !ended_well {
            Folder::still_has_room(self.output)?;
            return Ok(Err(failure(&ended)));
        }

        let mut run = Run {
            wall: ended.wall,
            cpu: ended.cpu,
            switches: ended.switches,
            // What does not count its threads has, seen from outside, one more
            // where it waits for the stop.
            threads: ended.threads.map(|threads| threads.saturating_sub(follow.into()).max(1)),
            memory: ended.memory,
            latencies,
            late,
            rest,
            ..Run::default()
        };
        let checked = match self.contender {
            Contender::Stage(_) => {
                let done: Done = serde_json::from_slice(&ended.stdout)
                    .context("a stage's process does not say what it did")?;
                run.memory = run.memory.max(done.memory);
                run.threads = done.threads.or(run.threads);
                run.merge = Some(done.merge);
                run.stall = done.stall;
                run.lines = done.lines;
                check(Some(&done), self.sources, self.output, self.own)?
            }
            Contender::Program(_, Checked::Yes) => {
                run.threads = ended.threads;
                let lines = check(None, self.sources, self.output, self.own)?;
                run.lines = *lines.as_ref().unwrap_or(&0);
                lines
            }
            Contender::Program(_, Checked::No) => {
                run.threads = ended.threads;
                Ok(0)
            }
        };
        Ok(checked.map(|_| run))
    }

    fn command(&self, output: &Path) -> anyhow::Result<Command> {
        let follow = self.live.is_some();
        let mut command = match self.contender {
            Contender::Program(program, _) => {
                let mut command = program.command();
                // A pipe has its reader already, so this does not wait.
                let output = File::create(output)
                    .with_context(|| format!("{}: cannot make this file", Shown(output)))?;
                command.stdout(output);
                command
            }
            Contender::Stage(stage) => {
                let this =
                    env::current_exe().context("cannot find this program to call it again")?;
                let mut command = Command::new(this);
                command.args(["stage", stage.name, "--output"]).arg(output).stdout(Stdio::piped());
                if follow {
                    command.args(["--follow", "--wake", self.wake.word()]);
                }
                if self.until_read {
                    command.arg("--until-read");
                }
                if let Some(record) = self.record {
                    command.arg("--record").arg(record);
                }
                command
            }
        };
        command.arg("--").args(self.sources).stderr(Stdio::piped());
        let stdin = follow && !self.contender.is_tail();
        command.stdin(if stdin { Stdio::piped() } else { Stdio::null() });
        Ok(command)
    }
}

/// Says why a child failed: what it said, and how it ended if it said nothing.
fn failure(ended: &Ended) -> String {
    let said = String::from_utf8_lossy(&ended.stderr);
    let said = said.trim();
    match said.strip_prefix("error: ") {
        Some(said) => said.to_owned(),
        None if said.is_empty() => format!("it ended with {}", ended.status),
        None => format!("it ended with {}\n{said}", ended.status),
    }
}

/// Checks a merged file, and what a stage says of it; returns its lines.
fn check(
    done: Option<&Done>,
    sources: &[PathBuf],
    output: &Path,
    own: Option<&OwnFiles>,
) -> anyhow::Result<Result<u64, String>> {
    let verdict = match own {
        None => check_tagged(sources, output)?,
        Some(_) => check_untagged(sources, output)?,
    };
    if !verdict.is_right() {
        return Ok(Err(verdict.to_string()));
    }
    let bytes = fs::metadata(output)
        .with_context(|| format!("{}: cannot ask for its size", Shown(output)))?
        .len();
    if let Some(done) = done
        && (done.lines, done.bytes) != (verdict.lines(), bytes)
    {
        return Ok(Err(format!(
            "its report counts {} lines and {} bytes, the output has {} and {bytes}",
            done.lines,
            done.bytes,
            verdict.lines()
        )));
    }
    Ok(Ok(verdict.lines()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done(lines: u64, bytes: u64) -> Done {
        Done { lines, bytes, merge: 0.1, stall: None, memory: None, threads: None }
    }

    #[test]
    fn a_wrong_output_is_found_and_so_is_a_wrong_report() {
        let folder = tempfile::tempdir().unwrap();
        let backlog = workload::Backlog { files: 2, bytes: 2_000 };
        let sources = backlog.make(folder.path(), 1).unwrap();
        let merged = folder.path().join("merged");
        let all = [fs::read(&sources[0]).unwrap(), fs::read(&sources[1]).unwrap()].concat();
        let lines = all.iter().filter(|&&byte| byte == b'\n').count() as u64;

        fs::write(&merged, &all).unwrap();
        let checked = |done: &Done| check(Some(done), &sources, &merged, None).unwrap();
        assert_eq!(checked(&done(lines, 4_000)), Ok(lines));
        let said = checked(&done(lines + 1, 4_000)).unwrap_err();
        assert!(said.starts_with("its report counts"), "{said}");
        assert!(checked(&done(lines, 3_999)).is_err());

        // Without its last line.
        let cut = all[..all.len() - 1].iter().rposition(|&byte| byte == b'\n').unwrap() + 1;
        fs::write(&merged, &all[..cut]).unwrap();
        let said = checked(&done(lines - 1, cut as u64)).unwrap_err();
        assert!(said.contains("lost"), "{said}");
    }

    #[test]
    fn a_run_of_a_source_that_has_changed_does_not_count() {
        let folder = tempfile::tempdir().unwrap();
        let (source, merged) = (folder.path().join("a.log"), folder.path().join("merged"));
        fs::write(&source, "one\n").unwrap();
        let paths = [source.clone()];
        let own = OwnFiles::open(&paths, &Interrupt::default()).unwrap();
        let run = |checked| {
            let cat = Contender::Program(Program::Cat, checked);
            let attempt = Attempt { own: Some(&own), ..Attempt::new(cat, &paths, &merged) };
            attempt.run(&Interrupt::default())
        };
        run(Checked::Yes).unwrap().unwrap();
        // Whatever comes of the run: the floor is not checked, what is checked is
        // right, and of a file that is gone `cat` itself complains.
        for change in ["grown", "cut", "gone"] {
            match change {
                "grown" => fs::write(&source, "one\ntwo\n").unwrap(),
                "cut" => fs::write(&source, "one").unwrap(),
                _ => fs::remove_file(&source).unwrap(),
            }
            for checked in [Checked::No, Checked::Yes] {
                let said = run(checked).unwrap_err().to_string();
                assert!(said.starts_with(&source.display().to_string()), "{change}: {said}");
                assert!(said.contains("has changed meanwhile"), "{change}: {said}");
            }
        }
    }

    #[test]
    fn who_does_nothing_and_does_not_end_is_killed_and_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let sources = workload::Backlog { files: 2, bytes: 2_000 }.make(folder.path(), 1).unwrap();
        let merged = folder.path().join("merged");
        // What follows complete files never ends.
        let tail = Contender::Program(Program::Tail, Checked::Yes);
        for pauses in [None, Some(Pauses::default())] {
            let patience = Duration::from_millis(200);
            let attempt = Attempt { patience, pauses, ..Attempt::new(tail, &sources, &merged) };
            let wrong = attempt.run(&Interrupt::default()).unwrap().unwrap_err();
            assert_eq!(wrong, "no end within 200ms of its last write, so it was killed");
        }
    }
}
