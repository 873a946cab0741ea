//! One run of one contender: sources, child, output, check.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;
use tributary::Shown;
use workload::{
    FifoReader, LatencyWatch, LiveSources, Pauses, check_tagged, check_untagged, make_fifo,
};

use crate::args::Wake;
use crate::child::Done;
use crate::folder::Folder;
use crate::interrupt::Interrupt;
use crate::measure::{self, Ended};
use crate::own_files::OwnFiles;
use crate::stages::Stage;

/// Who runs: a stage, or the floor.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Contender {
    Cat,
    Stage(&'static Stage),
}

impl Contender {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Contender::Cat => "cat",
            Contender::Stage(stage) => stage.name,
        }
    }
}

/// What one run needs.
pub(crate) struct Attempt<'a> {
    pub(crate) contender: Contender,
    pub(crate) sources: &'a [PathBuf],
    /// The same sources, still empty, and for how long they will grow.
    pub(crate) live: Option<(LiveSources, Duration)>,
    /// Puts a FIFO with this reader before the output.
    pub(crate) pauses: Option<Pauses>,
    /// The merged file; whatever is there is removed first.
    pub(crate) output: &'a Path,
    /// Whose the sources are; ours are tagged.
    pub(crate) own: Option<&'a OwnFiles>,
    /// How growing sources are noticed to have grown.
    pub(crate) wake: Wake,
}

/// The figures of one run whose output was right.
#[derive(Debug, Clone, Default)]
pub(crate) struct Run {
    pub(crate) wall: Duration,
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
}

/// Who reads the output while it grows.
enum Reader {
    Nobody,
    Watch(LatencyWatch),
    Fifo(FifoReader),
}

impl Attempt<'_> {
    /// Runs the contender and checks its output; the inner error says what is
    /// wrong with it.
    pub(crate) fn run(self, interrupt: &Interrupt) -> anyhow::Result<Result<Run, String>> {
        Folder::remove(self.output)?;
        let fifo = self.output.with_extension("fifo");
        let (target, reader) = match self.pauses {
            Some(_) => {
                Folder::remove(&fifo)?;
                make_fifo(&fifo)?;
                (&*fifo, Reader::Fifo(FifoReader::start(&fifo, self.output, self.pauses)?))
            }
            None if self.live.is_some() => {
                (self.output, Reader::Watch(LatencyWatch::start(self.output)?))
            }
            None => (self.output, Reader::Nobody),
        };

        let follow = self.live.is_some();
        let wake = follow.then_some(self.wake);
        let mut command = command(self.contender, self.sources, target, wake)?;
        let (mut empty, mut growing, mut late) = (self.live, None, None);
        let ended = measure::run(&mut command, interrupt, |stdin| {
            if let Some((sources, duration)) = empty.take() {
                growing = Some((sources.start()?, Instant::now() + duration));
            }
            // Until then `join` would wait, and nobody would look at the child.
            if let Some((writers, _)) = growing.take_if(|(_, end)| Instant::now() >= *end) {
                late = Some(writers.join()?.latest);
                // The child sees the end of its stdin, and stops.
                *stdin = None;
            }
            Ok(())
        })?;
        drop(growing);

        let latencies = match reader {
            Reader::Nobody => Vec::new(),
            // Of a child that failed before it made its output, it is the
            // child's own error that tells.
            Reader::Watch(_) if !ended.status.success() => Vec::new(),
            Reader::Watch(watch) => watch.finish()?,
            Reader::Fifo(reader) => {
                let received = reader.join()?;
                Folder::remove(&fifo)?;
                received.latencies
            }
        };
        if !ended.status.success() {
            return Ok(Err(failure(&ended)));
        }

        let mut run = Run {
            wall: ended.wall,
            cpu: ended.cpu,
            switches: ended.switches,
            // The thread that waits for the stop is compare's, not the stage's.
            threads: ended.threads.map(|threads| threads.saturating_sub(follow.into()).max(1)),
            memory: ended.memory,
            latencies,
            late,
            ..Run::default()
        };
        if let Contender::Stage(_) = self.contender {
            let done: Done = serde_json::from_slice(&ended.stdout)
                .context("a stage's process does not say what it did")?;
            run.memory = run.memory.max(done.memory);
            run.stall = done.stall;
            run.lines = done.lines;
            if let Err(wrong) = check(&done, self.sources, self.output, self.own)? {
                return Ok(Err(wrong));
            }
        }
        Ok(Ok(run))
    }
}

fn command(
    contender: Contender,
    sources: &[PathBuf],
    output: &Path,
    follow: Option<Wake>,
) -> anyhow::Result<Command> {
    let mut command = match contender {
        Contender::Cat => {
            let mut command = Command::new("cat");
            let output = File::create(output)
                .with_context(|| format!("{}: cannot make this file", Shown(output)))?;
            command.stdout(output);
            command
        }
        Contender::Stage(stage) => {
            let this = env::current_exe().context("cannot find this program to call it again")?;
            let mut command = Command::new(this);
            command.args(["stage", stage.name, "--output"]).arg(output).stdout(Stdio::piped());
            if let Some(wake) = follow {
                command.args(["--follow", "--wake", wake.word()]);
            }
            command
        }
    };
    command.arg("--").args(sources).stderr(Stdio::piped());
    command.stdin(if follow.is_some() { Stdio::piped() } else { Stdio::null() });
    Ok(command)
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

fn check(
    done: &Done,
    sources: &[PathBuf],
    output: &Path,
    own: Option<&OwnFiles>,
) -> anyhow::Result<Result<(), String>> {
    let verdict = match own {
        None => check_tagged(sources, output)?,
        Some(_) => check_untagged(sources, output)?,
    };
    if !verdict.is_right() {
        // A source that grew under the merge is nobody's mistake.
        own.map_or(Ok(()), OwnFiles::still_the_same)?;
        return Ok(Err(verdict.to_string()));
    }
    let bytes = fs::metadata(output)
        .with_context(|| format!("{}: cannot ask for its size", Shown(output)))?
        .len();
    if (done.lines, done.bytes) != (verdict.lines(), bytes) {
        return Ok(Err(format!(
            "its report counts {} lines and {} bytes, the output has {} and {bytes}",
            done.lines,
            done.bytes,
            verdict.lines()
        )));
    }
    Ok(Ok(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done(lines: u64, bytes: u64) -> Done {
        Done { lines, bytes, merge: 0.1, stall: None, memory: None }
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
        let checked = |done: &Done| check(done, &sources, &merged, None).unwrap();
        assert_eq!(checked(&done(lines, 4_000)), Ok(()));
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
    fn a_source_that_grew_is_not_held_against_the_stage() {
        let folder = tempfile::tempdir().unwrap();
        let (source, merged) = (folder.path().join("a.log"), folder.path().join("merged"));
        fs::write(&source, "one\n").unwrap();
        fs::copy(&source, &merged).unwrap();
        let paths = [source.clone()];
        let own = OwnFiles::open(&paths).unwrap();
        assert_eq!(check(&done(1, 4), &paths, &merged, Some(&own)).unwrap(), Ok(()));

        fs::write(&source, "one\ntwo\n").unwrap();
        let said = check(&done(1, 4), &paths, &merged, Some(&own)).unwrap_err().to_string();
        assert!(said.starts_with(&source.display().to_string()), "{said}");
        assert!(said.contains("has changed meanwhile"), "{said}");
    }
}
