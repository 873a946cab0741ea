//! One run of one contender: sources, child, output, check.

use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use checker::{check_tagged, check_untagged};
use rustix::process::Signal;
use tributary::Shown;
use workload::{FifoReader, LatencyWatch, Pauses, make_fifo};

use crate::asking::contender::{Contender, Program};
use crate::asking::interrupt::{Interrupt, Interrupted};
use crate::asking::own_files::OwnFiles;
use crate::protocol::{Done, StageArgs, Until, Wake, answered};
use crate::running::course::{Course, Growing, Seen};
use crate::running::folder::Folder;
use crate::running::measure::{self, Ended, Hung, Took};

/// How long a contender may do nothing when it has everything.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is merged.
pub(crate) enum Sources<'a> {
    /// Complete files of ours.
    Complete(&'a [PathBuf]),
    /// The same, followed by a stage until it has read them all.
    Followed(&'a [PathBuf]),
    /// Complete files of a person's own, which have no tags.
    Own(&'a OwnFiles),
    /// Files of ours that grow, or are at rest, and how that is noticed.
    Growing(Growing, Wake),
}

/// What one run needs.
pub(crate) struct Attempt<'a> {
    pub(crate) contender: Contender,
    pub(crate) sources: Sources<'a>,
    /// The merged file; whatever is there is removed first.
    pub(crate) output: &'a Path,
    /// Puts a FIFO with this reader before the output.
    pub(crate) pauses: Option<Pauses>,
    /// Where a stage writes what it recorded.
    pub(crate) record: Option<&'a Path>,
    /// How long it may do nothing when it has everything.
    pub(crate) patience: Duration,
}

/// The figures of one run whose output was right.
#[derive(Debug, Clone, Default)]
pub(crate) struct Figures {
    pub(crate) took: Took,
    pub(crate) seen: Seen,
    /// Seconds from the opening of the plan to the return of `merge`.
    pub(crate) merge: Option<f64>,
    pub(crate) stall: Option<f64>,
    pub(crate) lines: u64,
    /// Nanoseconds from write to sight, of every stamped line.
    pub(crate) latencies: Vec<u64>,
}

/// What was right, or what is wrong with it.
pub(crate) type Checked<T> = Result<T, String>;

impl<'a> Attempt<'a> {
    /// Prepares a run into a file.
    pub(crate) fn new(contender: Contender, sources: Sources<'a>, output: &'a Path) -> Attempt<'a> {
        Attempt { contender, sources, output, pauses: None, record: None, patience: PATIENCE }
    }

    /// Runs the contender and checks its output.
    pub(crate) fn run(self, interrupt: &Interrupt) -> anyhow::Result<Checked<Figures>> {
        let own = if let Sources::Own(own) = self.sources { Some(own) } else { None };
        let figures = self.once(own, interrupt);
        if figures.as_ref().is_err_and(|error| error.is::<Interrupted>()) {
            return figures;
        }
        // A source that has changed under the merge is nobody's mistake, and what
        // was measured is about no file that there is.
        own.map_or(Ok(()), OwnFiles::still_the_same)?;
        figures
    }

    fn once(
        self,
        own: Option<&OwnFiles>,
        interrupt: &Interrupt,
    ) -> anyhow::Result<Checked<Figures>> {
        let Attempt { contender, output, .. } = self;
        Folder::remove(output)?;
        let fifo = output.with_extension("fifo");
        let reader = self.reader(&fifo)?;
        let target = if self.pauses.is_some() { &*fifo } else { output };
        let sources = self.sources.paths().to_vec();
        let mut command = self.command(&sources, target)?;
        let mut course = Course::new(output, contender.is(Program::Tail), self.patience);
        let mut growing = match self.sources {
            Sources::Growing(growing, _) => Some(growing),
            _ => None,
        };
        let ended = measure::run(&mut command, interrupt, |running| {
            growing.take().map_or(Ok(()), |growing| course.begin(growing))?;
            course.tick(running)
        });
        // It holds the output of a program open, and the reader of a FIFO would
        // wait for its end.
        drop(command);
        let seen = course.seen;
        // Of a child that has ended before its time, the sources grow no more.
        drop(course);
        Folder::remove(&fifo)?;
        let ended = match ended {
            // Its writing end is gone, so its reader waits for nothing that does
            // not come.
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
            return Ok(Err(failure(&ended)));
        }
        let latencies = reader.latencies()?;
        let found = match contender {
            Contender::Floor => Ok((0, 0)),
            _ => check(&sources, output, own)?,
        };
        let done = match contender {
            Contender::Stage(_) => Some(answered::<Done>(&ended.stdout)?),
            _ => None,
        };
        Ok(found.and_then(|found| figures(ended.took, seen, latencies, found, done)))
    }

    /// Makes what reads the output while it grows.
    fn reader(&self, fifo: &Path) -> anyhow::Result<Reader> {
        if self.pauses.is_some() {
            Folder::remove(fifo)?;
            make_fifo(fifo)?;
            return Ok(Reader::Fifo(FifoReader::start(fifo, self.output, self.pauses)?));
        }
        match &self.sources {
            Sources::Growing(growing, _) if !growing.at_rest => {
                Ok(Reader::Watch(LatencyWatch::start(self.output)?))
            }
            _ => Ok(Reader::Nobody),
        }
    }

    fn command(&self, sources: &[PathBuf], output: &Path) -> anyhow::Result<Command> {
        let (follow, wake) = match &self.sources {
            Sources::Complete(_) | Sources::Own(_) => (None, Wake::Notify),
            Sources::Followed(_) => (Some(Until::Read), Wake::Notify),
            Sources::Growing(_, wake) => (Some(Until::Stdin), *wake),
        };
        let program = match self.contender {
            Contender::Stage(stage) => {
                let (output, sources) = (output.to_owned(), sources.to_vec());
                let record = self.record.map(Path::to_owned);
                let mut command =
                    StageArgs { stage, output, follow, wake, record, sources }.command()?;
                let stop = follow == Some(Until::Stdin);
                command.stdin(if stop { Stdio::piped() } else { Stdio::null() });
                return Ok(command);
            }
            Contender::Program(program) => program,
            Contender::Floor => Program::Cat,
        };
        // A pipe has its reader already, so this does not wait.
        let output = File::create(output)
            .with_context(|| format!("{}: cannot make this file", Shown(output)))?;
        let mut command = program.command();
        command.arg("--").args(sources).stdin(Stdio::null()).stdout(output).stderr(Stdio::piped());
        Ok(command)
    }
}

impl Sources<'_> {
    fn paths(&self) -> &[PathBuf] {
        match self {
            Sources::Complete(paths) | Sources::Followed(paths) => paths,
            Sources::Own(own) => own.paths(),
            Sources::Growing(growing, _) => growing.sources.paths(),
        }
    }
}

/// Who reads the output while it grows.
enum Reader {
    Nobody,
    Watch(LatencyWatch),
    Fifo(FifoReader),
}

impl Reader {
    /// Reads the rest, and returns what every stamped line took.
    fn latencies(self) -> anyhow::Result<Vec<u64>> {
        Ok(match self {
            Reader::Nobody => Vec::new(),
            Reader::Watch(watch) => watch.finish()?,
            Reader::Fifo(reader) => reader.join()?.latencies,
        })
    }
}

/// Puts together what was seen of a run from outside, what was found in its output
/// and what a stage says of it, which has to agree with that.
fn figures(
    took: Took,
    seen: Seen,
    latencies: Vec<u64>,
    (lines, bytes): (u64, u64),
    done: Option<Done>,
) -> Checked<Figures> {
    let outside = Figures { took, seen, lines, latencies, ..Figures::default() };
    let Some(done) = done else { return Ok(outside) };
    if (done.lines, done.bytes) != (lines, bytes) {
        return Err(format!(
            "its report counts {} lines and {} bytes, the output has {lines} and {bytes}",
            done.lines, done.bytes
        ));
    }
    let (threads, memory) = (done.threads, took.memory.max(done.memory));
    let took = Took { threads, memory, ..took };
    Ok(Figures { took, merge: Some(done.merge), stall: done.stall, ..outside })
}

/// Says why a child failed: what it said, and how it ended if it said nothing.
fn failure(ended: &Ended) -> String {
    match ended.stderr.strip_prefix("error: ") {
        Some(said) => said.to_owned(),
        None => format!("it ended with {}\n{}", ended.status, ended.stderr).trim().to_owned(),
    }
}

/// Checks a merged file, and returns its lines and its bytes.
fn check(
    sources: &[PathBuf],
    output: &Path,
    own: Option<&OwnFiles>,
) -> anyhow::Result<Checked<(u64, u64)>> {
    let found = match own {
        None => check_tagged(sources, output)?,
        Some(_) => check_untagged(sources, output)?,
    };
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

    fn two_sources(folder: &Path) -> Vec<PathBuf> {
        workload::Backlog { files: 2, bytes: 2_000 }.make(folder, 1).unwrap()
    }

    #[test]
    fn a_wrong_output_is_found_and_so_is_a_wrong_report() {
        let folder = tempfile::tempdir().unwrap();
        let sources = two_sources(folder.path());
        let merged = folder.path().join("merged");
        let all = [fs::read(&sources[0]).unwrap(), fs::read(&sources[1]).unwrap()].concat();
        fs::write(&merged, &all).unwrap();
        let lines = all.iter().filter(|&&byte| byte == b'\n').count() as u64;
        let found = check(&sources, &merged, None).unwrap().unwrap();
        assert_eq!(found, (lines, 4_000));
        let report = |lines, bytes| Done {
            lines,
            bytes,
            merge: 0.1,
            stall: None,
            memory: None,
            threads: None,
        };
        let figures =
            |report| figures(Took::default(), Seen::default(), Vec::new(), found, Some(report));
        assert_eq!(figures(report(lines, 4_000)).unwrap().merge, Some(0.1));
        for wrong in [report(lines + 1, 4_000), report(lines, 3_999)] {
            let said = figures(wrong).unwrap_err();
            assert!(said.starts_with("its report counts"), "{said}");
        }
        // Without its last line.
        let cut = all[..all.len() - 1].iter().rposition(|&byte| byte == b'\n').unwrap() + 1;
        fs::write(&merged, &all[..cut]).unwrap();
        let said = check(&sources, &merged, None).unwrap().unwrap_err();
        assert!(said.contains("lost"), "{said}");
    }

    #[test]
    fn a_run_of_a_source_that_has_changed_does_not_count() {
        let folder = tempfile::tempdir().unwrap();
        let (source, merged) = (folder.path().join("a.log"), folder.path().join("merged"));
        fs::write(&source, "one\n").unwrap();
        let own = OwnFiles::open(std::slice::from_ref(&source), &Interrupt::default()).unwrap();
        let run = |contender| {
            Attempt::new(contender, Sources::Own(&own), &merged).run(&Interrupt::default())
        };
        run(Contender::Floor).unwrap().unwrap();
        // Whatever comes of the run: the floor is not checked, what is checked is
        // right, and of a file that is gone `cat` itself complains.
        for change in ["grown", "cut", "gone"] {
            match change {
                "grown" => fs::write(&source, "one\ntwo\n").unwrap(),
                "cut" => fs::write(&source, "one").unwrap(),
                _ => fs::remove_file(&source).unwrap(),
            }
            for contender in [Contender::Floor, Contender::Program(Program::Cat)] {
                let said = run(contender).unwrap_err().to_string();
                assert!(said.starts_with(&source.display().to_string()), "{change}: {said}");
                assert!(said.contains("has changed meanwhile"), "{change}: {said}");
            }
        }
    }

    #[test]
    fn who_does_nothing_and_does_not_end_is_killed_and_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let sources = two_sources(folder.path());
        let merged = folder.path().join("merged");
        // What follows complete files never ends.
        let tail = Contender::Program(Program::Tail);
        for pauses in [None, Some(Pauses::USUAL)] {
            let attempt = Attempt::new(tail, Sources::Complete(&sources), &merged);
            let attempt = Attempt { patience: Duration::from_millis(200), pauses, ..attempt };
            let wrong = attempt.run(&Interrupt::default()).unwrap().unwrap_err();
            assert_eq!(wrong, "no end within 200ms of its last write, so it was killed");
        }
    }
}
