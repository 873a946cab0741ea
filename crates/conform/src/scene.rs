//! What the laws are written with: logs, a program that merges them, and waits that
//! have a bound.

use std::cell::Cell;
use std::error::Error;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use checker::{CheckError, Kind, Verdict, check_tagged, check_untagged, tag};
use rustix::io::Errno;
use rustix::process::Signal;
use tempfile::TempDir;

use crate::log::Log;
use crate::program::{Ended, Program};
use crate::witness::{self, seconds};
use crate::{Judging, Why};

/// How long the pause is between two looks at something that is waited for.
const PAUSE: Duration = Duration::from_millis(2);

/// A folder with logs and an output.
pub(crate) struct Scene<'a> {
    judging: &'a Judging<'a>,
    folder: TempDir,
    pub(crate) logs: Vec<Log>,
    pub(crate) output: PathBuf,
}

impl<'a> Scene<'a> {
    /// Makes a folder with this many empty logs.
    pub(crate) fn new(judging: &'a Judging<'a>, logs: usize) -> Scene<'a> {
        let folder = tempfile::tempdir().expect("a law needs a folder");
        let logs = (0..logs).map(|index| Log::new(folder.path(), index)).collect();
        let output = folder.path().join("merged.log");
        Scene { judging, folder, logs, output }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Returns how many bytes a merge has before its stop: all whole lines.
    pub(crate) fn bytes(&self) -> u64 {
        self.logs.iter().map(|log| log.whole() as u64).sum()
    }

    /// Starts the program on all logs.
    pub(crate) fn run(&self) -> Result<Run<'a>, Why> {
        self.run_with(&[], &self.output)
    }

    /// Starts the program on all logs and these files, into this output.
    pub(crate) fn run_with(&self, others: &[&Path], output: &Path) -> Result<Run<'a>, Why> {
        let mut inputs: Vec<_> = self.logs.iter().map(|log| log.path.clone()).collect();
        inputs.extend(others.iter().map(|path| path.to_path_buf()));
        let command = self.judging.template.command(&inputs, output);
        let program = command.and_then(|command| Program::start(command, self.folder.path()));
        let program = program.map_err(|cause| Why::NotStarted(not_started(&cause)))?;
        let asked_to_stop = Cell::new(false);
        Ok(Run { judging: self.judging, program, output: output.to_owned(), asked_to_stop })
    }

    /// Merges what the logs have; whoever follows is stopped when all of it has come
    /// out. A failure of the program is told only if the lines are right.
    pub(crate) fn merge(&self) -> Result<End, Why> {
        let run = self.run()?;
        if run.follows() {
            run.until_written(self.bytes());
        }
        run.end()
    }

    /// Asks that the output is the merge of what was written to the logs.
    pub(crate) fn check(&self, end: &End) -> Result<(), Why> {
        self.check_for(&Kind::ALL, end)
    }

    /// Asks that nothing of these kinds is wrong with the output.
    pub(crate) fn check_for(&self, kinds: &[Kind], end: &End) -> Result<(), Why> {
        self.is_there(end)?;
        self.check_lines(kinds)?;
        end.was_no_failure()
    }

    /// Asks it of the output alone, whatever the program says of its end.
    pub(crate) fn check_lines(&self, kinds: &[Kind]) -> Result<(), Why> {
        witness::none_of(kinds, &judged(check_tagged(&self.written(), &self.output))?)
    }

    /// Asks that the output is the merge of what was written, of lines without a tag.
    pub(crate) fn check_bytes(&self, end: &End) -> Result<(), Why> {
        self.is_there(end)?;
        witness::none_of(&Kind::ALL, &judged(check_untagged(&self.written(), &self.output))?)?;
        end.was_no_failure()
    }

    /// Asks that there is an output: of nothing, nothing is torn and nothing is late.
    fn is_there(&self, end: &End) -> Result<(), Why> {
        if size(&self.output) > 0 {
            return Ok(());
        }
        Err(Why::Broken(format!("nothing at all came out: {}", end.told())))
    }

    /// Puts what was written to each log into a file of the same name.
    fn written(&self) -> Vec<PathBuf> {
        let folder = self.path("written");
        fs::create_dir_all(&folder).expect("the folder can be written");
        let write = |log: &Log| {
            let path = folder.join(log.path.file_name().expect("a log has a name"));
            fs::write(&path, &log.written).expect("the folder can be written");
            path
        };
        self.logs.iter().map(write).collect()
    }

    /// Returns the logs of which no line has come out.
    pub(crate) fn silent(&self) -> Vec<&Log> {
        let merged = fs::read(&self.output).unwrap_or_default();
        let sources = merged.split(|&byte| byte == b'\n').filter_map(tag::parse);
        let mut heard = vec![false; self.logs.len()];
        for tag in sources {
            if let Some(heard) = heard.get_mut(tag.source) {
                *heard = true;
            }
        }
        self.logs.iter().zip(heard).filter(|(_, heard)| !heard).map(|(log, _)| log).collect()
    }
}

/// A program that makes no output, or one that is no file, breaks the law.
fn judged(checked: Result<Verdict, CheckError>) -> Result<Verdict, Why> {
    checked.map_err(|error| {
        let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
        Why::Broken(format!("the output cannot be checked: {error}{cause}"))
    })
}

/// A program at work.
pub(crate) struct Run<'a> {
    judging: &'a Judging<'a>,
    pub(crate) program: Program,
    output: PathBuf,
    asked_to_stop: Cell<bool>,
}

impl Run<'_> {
    pub(crate) fn follows(&self) -> bool {
        self.judging.follows
    }

    pub(crate) fn within(&self) -> Duration {
        self.judging.within
    }

    /// Waits until something is so. Returns false if it has not come within the bound,
    /// or will not, since the program has ended.
    pub(crate) fn until(&self, mut is_so: impl FnMut(&Self) -> bool) -> bool {
        let begin = Instant::now();
        loop {
            // Asked before the last look, so that what it did as it ended is seen.
            let last = self.program.ended().is_some();
            if is_so(self) {
                return true;
            }
            if last || begin.elapsed() > self.within() || (self.judging.is_given_up)() {
                return false;
            }
            thread::sleep(PAUSE);
        }
    }

    /// Waits until the output has as many bytes as this, or will never have.
    pub(crate) fn until_written(&self, bytes: u64) -> bool {
        self.until(|run| size(&run.output) >= bytes)
    }

    /// Waits for the output, and says what is wrong if it does not come.
    pub(crate) fn must_have_written(&self, bytes: u64, what: &str) -> Result<(), Why> {
        if self.until_written(bytes) {
            return Ok(());
        }
        let has = size(&self.output);
        Err(Why::Broken(match self.program.ended() {
            Some(ended) => format!(
                "{what}: not in the output when the program {}, before it was asked to{}",
                how(ended),
                said(&self.program.said())
            ),
            None => format!(
                "{what}: not in the output after {}, which has {has} of {bytes} bytes",
                seconds(self.within())
            ),
        }))
    }

    /// Asks the program to stop, as a service manager does.
    pub(crate) fn ask_to_stop(&self) {
        self.asked_to_stop.set(self.program.ended().is_none());
        self.program.signal(Signal::TERM);
    }

    /// Waits for the end of the program, which is asked to stop if it follows.
    pub(crate) fn end(self) -> Result<End, Why> {
        if self.follows() && !self.asked_to_stop.get() {
            self.ask_to_stop();
        }
        self.until(|_| false);
        let Some(ended) = self.program.ended() else {
            return Err(Why::Broken(format!(
                "it did not end: killed {} after {}, with {} bytes in its output{}",
                seconds(self.within()),
                if self.asked_to_stop.get() { "SIGTERM" } else { "its last input was complete" },
                size(&self.output),
                said(&self.program.said())
            )));
        };
        Ok(End { ended, was_asked: self.asked_to_stop.get(), said: self.program.said() })
    }
}

/// How a run has ended.
pub(crate) struct End {
    pub(crate) ended: Ended,
    /// Whether it was asked to stop, and did not end by itself.
    pub(crate) was_asked: bool,
    pub(crate) said: String,
}

impl End {
    pub(crate) fn told(&self) -> String {
        format!("the program {}{}", how(self.ended), said(&self.said))
    }

    /// Says whether the exit code is one of success. After a SIGTERM it is the shell's
    /// or the program's choice, and says nothing.
    pub(crate) fn is_success(&self) -> bool {
        self.was_asked || self.ended == Ended::With(0)
    }

    fn was_no_failure(&self) -> Result<(), Why> {
        let what = || format!("the lines are right, and yet {}", self.told());
        if self.is_success() { Ok(()) } else { Err(Why::Broken(what())) }
    }
}

/// What the system said, and what helps.
fn not_started(cause: &io::Error) -> String {
    // A shell runs such a script by itself, so whoever typed its name there never knew.
    if Errno::from_io_error(cause) == Some(Errno::NOEXEC) {
        return format!("{cause}; if it is a script without a `#!` line: put `sh` before it");
    }
    cause.to_string()
}

fn how(ended: Ended) -> String {
    match ended {
        Ended::With(code) => format!("ended with exit code {code}"),
        Ended::BySignal(signal) => format!("was ended by signal {signal}"),
    }
}

/// The last line on stderr, which is where an exception has its message.
fn said(stderr: &str) -> String {
    match stderr.lines().rfind(|line| !line.trim().is_empty()) {
        Some(line) => format!("; it said: {line}"),
        None => "; it said nothing on stderr".to_owned(),
    }
}

/// Returns the size of a file; of one that is not there, 0.
pub(crate) fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}
