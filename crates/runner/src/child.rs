//! Runs a program as a child and takes its figures.
//!
//! All programs are timed in the same way, `cat` too: from the spawn to the exit. So
//! the start and the end of the process are part of each time.

use std::convert::Infallible;
use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, ExitStatus};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::Context;
use nix::sys::resource::{UsageWho, getrusage};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use serde::de::DeserializeOwned;

use crate::interrupt::Interrupt;
use crate::process::Status;

/// The interval between two looks at a child.
const LOOK: Duration = Duration::from_millis(5);
/// With fewer looks than this, they saw only the start of a process.
const ENOUGH: u32 = 3;

/// What a child took.
#[derive(Debug, Clone, Copy, Default)]
pub struct Took {
    /// From the spawn to the exit.
    pub wall: Duration,
    /// User and system time of all its threads.
    pub cpu: Duration,
    /// Voluntary and involuntary context switches of all its threads.
    pub switches: u64,
    /// The most threads that a look saw, for a program that does not count its own;
    /// `None` if the run was too short, or the system does not tell.
    pub threads: Option<u64>,
    /// The peak of resident memory at the last look, in bytes; `None` likewise.
    pub memory: Option<u64>,
}

/// A child that has ended.
#[derive(Debug, Default)]
pub struct Ended {
    /// How it ended.
    pub status: ExitStatus,
    /// Its figures.
    pub took: Took,
    /// What it wrote to stdout, if that was a pipe.
    pub stdout: Vec<u8>,
    /// What it wrote to stderr, if that was a pipe, without white space around it.
    pub stderr: String,
}

/// A result, or what is wrong with the program that was run, in words. An accident is
/// an error instead.
pub type Checked<T> = Result<T, String>;

impl Ended {
    /// Says why the child failed: what its stderr says behind `error: `; or else how it
    /// ended, and below that all of its stderr.
    pub fn failure(&self) -> String {
        match self.stderr.strip_prefix("error: ") {
            Some(said) => said.to_owned(),
            None => format!("it ended with {}\n{}", self.status, self.stderr).trim().to_owned(),
        }
    }
}

/// Parses the answer of a child from its stdout, which is JSON.
///
/// # Errors
///
/// `said` is not the JSON of a `T`.
pub fn answered<T: DeserializeOwned>(said: &[u8]) -> anyhow::Result<T> {
    serde_json::from_slice(said).context("a process of compare's does not say what it did")
}

/// A child that runs.
#[derive(Debug)]
pub struct Running {
    /// Its stdin, if that is a pipe; dropping this closes it.
    pub stdin: Option<ChildStdin>,
    /// Its process id.
    pub process: u32,
}

impl Running {
    /// Sends SIGTERM. Does not wait for the end, and ignores a child that has ended.
    pub fn terminate(&self) {
        let process = i32::try_from(self.process).ok().and_then(Pid::from_raw);
        if let Some(process) = process {
            // A child that has just ended gets no signal, and needs none.
            let _ = kill_process(process, Signal::TERM);
        }
    }
}

/// A child did not end within its time. The fault is the child's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no end within {within}, so it was killed")]
pub struct Hung {
    /// How long the parent waited, in words.
    pub within: String,
}

/// Runs `command` to its end. While its stdout or its stderr is an open pipe, calls
/// `tick` every 5 ms on this thread; `tick` may ask the child to end.
///
/// CPU time and context switches are what the account of this process's ended children
/// has grown by: they are right if no other child ends meanwhile.
///
/// # Blocking
///
/// Blocks the calling thread until the child has ended and nobody holds its pipes. Two
/// threads read its stdout and its stderr meanwhile.
///
/// # Errors
///
/// The child cannot be started or watched, `tick` fails, or a signal came to this
/// process. The child is then killed with all that it has started, and gone when this
/// returns.
///
/// # Panics
///
/// Panics if the system refuses a thread that reads a pipe.
pub fn run(
    command: &mut Command,
    interrupt: &Interrupt,
    mut tick: impl FnMut(&mut Running) -> anyhow::Result<()>,
) -> anyhow::Result<Ended> {
    // Ctrl-C goes to a whole group of processes. A child in this group could be seen to
    // die of the signal before this process has been told.
    command.process_group(0);
    let (cpu_before, switches_before) = usage_of_children()?;
    let started = Instant::now();
    let child = command.spawn().with_context(|| {
        let program = command.get_program().display();
        format!("cannot start {program}, check what the PATH has by this name")
    })?;
    let mut killed = KilledOnDrop { child, is_gone: false };
    let child = &mut killed.child;
    let mut running = Running { stdin: child.stdin.take(), process: child.id() };
    let (open, closed) = channel();
    let stdout = read_all(child.stdout.take(), open.clone());
    let stderr = read_all(child.stderr.take(), open);
    let (mut looks, mut threads, mut memory) = (0, None, None);
    loop {
        interrupt.check()?;
        tick(&mut running)?;
        if let Some(status) = Status::of(child.id()) {
            looks += 1;
            threads = threads.max(status.threads);
            memory = memory.max(status.peak_memory);
        }
        // The child's exit closes its pipes, which ends this wait at once.
        if closed.recv_timeout(LOOK) == Err(RecvTimeoutError::Disconnected) {
            break;
        }
    }
    let status = child.wait().context("cannot wait for a child")?;
    killed.is_gone = true;
    let wall = started.elapsed();
    let (cpu, switches) = usage_of_children()?;
    interrupt.check()?;
    let took = Took {
        wall,
        cpu: cpu.saturating_sub(cpu_before),
        switches: switches.saturating_sub(switches_before),
        threads: threads.filter(|_| looks >= ENOUGH),
        memory: memory.filter(|_| looks >= ENOUGH),
    };
    Ok(Ended {
        status,
        took,
        stdout: said(stdout)?,
        stderr: String::from_utf8_lossy(&said(stderr)?).trim().to_owned(),
    })
}

struct KilledOnDrop {
    child: Child,
    /// It was waited for: another process may have its number by now.
    is_gone: bool,
}

impl Drop for KilledOnDrop {
    fn drop(&mut self) {
        if !self.is_gone {
            // Its group has what it has started: cargo, for one, starts compilers.
            let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
            let _ = self.child.wait();
        }
    }
}

/// Reads a pipe to its end, if there is one, in a thread that holds `open` until then.
fn read_all(
    pipe: Option<impl Read + Send + 'static>,
    open: Sender<Infallible>,
) -> JoinHandle<io::Result<Vec<u8>>> {
    thread::spawn(move || {
        let _open = open;
        let mut said = Vec::new();
        if let Some(mut pipe) = pipe {
            pipe.read_to_end(&mut said)?;
        }
        Ok(said)
    })
}

fn said(reader: JoinHandle<io::Result<Vec<u8>>>) -> anyhow::Result<Vec<u8>> {
    reader.join().expect("a reader does not panic").context("cannot read what a child says")
}

/// The CPU time and the context switches of all children that have ended.
fn usage_of_children() -> anyhow::Result<(Duration, u64)> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)
        .context("cannot ask for the CPU time of the children")?;
    let times = [usage.user_time(), usage.system_time()];
    let times = times.map(|it| Duration::new(it.tv_sec() as u64, it.tv_usec() as u32 * 1_000));
    let switches = usage.voluntary_context_switches() + usage.involuntary_context_switches();
    Ok((times.iter().sum(), switches as u64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::process::Stdio;

    #[test]
    fn a_child_is_killed_with_all_that_it_has_started() {
        let folder = tempfile::tempdir().unwrap();
        let started = folder.path().join("started");
        let script = format!("sleep 3600 & echo $! > {}; wait", started.display());
        let started = || fs::read_to_string(&started).unwrap_or_default();
        let mut command = Command::new("sh");
        command.args(["-c", &script]).stdout(Stdio::piped()).stderr(Stdio::piped());
        let ended = run(&mut command, &Interrupt::default(), |_| {
            anyhow::ensure!(!started().ends_with('\n'), "enough");
            Ok(())
        });
        assert_eq!(ended.unwrap_err().to_string(), "enough");
        testkit::until_ended(&started());
    }
}
