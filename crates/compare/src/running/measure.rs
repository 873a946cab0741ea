//! Runs a program as a child and takes its figures.
//!
//! All programs are timed in the same way, `cat` too: from the spawn to the
//! exit, so starting a process and taking it down again is part of each time.

use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::process::{Child, ChildStdin, Command, ExitStatus};
use std::time::{Duration, Instant};

use anyhow::Context;
use nix::sys::resource::{Usage, UsageWho, getrusage};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process};

use crate::running::interrupt::Interrupt;
use crate::running::machine::{Activity, Status};

/// How often a child is looked at.
const LOOK: Duration = Duration::from_millis(5);
/// With fewer looks than this, what they saw is the start of a process.
const ENOUGH: u32 = 3;

/// A child that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    /// From the spawn to the exit.
    pub(crate) wall: Duration,
    /// User and system time of all its threads.
    pub(crate) cpu: Duration,
    /// Voluntary and involuntary context switches of all its threads.
    pub(crate) switches: u64,
    /// The most threads that were seen at once, for a program that does not
    /// count them itself; `None` for a run that was too short to be seen.
    pub(crate) threads: Option<u64>,
    /// The most memory that it was seen to have had, in bytes, or `None` alike.
    pub(crate) memory: Option<u64>,
    /// What it wrote, where stdout and stderr were piped.
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
}

/// A child that runs.
#[derive(Debug)]
pub(crate) struct Running {
    /// Its stdin, if that is a pipe; whoever takes it closes it.
    pub(crate) stdin: Option<ChildStdin>,
    process: u32,
}

impl Running {
    /// Asks it to end, as Ctrl-C's kin do.
    pub(crate) fn terminate(&self) {
        let process = i32::try_from(self.process).ok().and_then(Pid::from_raw);
        if let Some(process) = process {
            // One that has just ended by itself is not there to be asked.
            let _ = kill_process(process, Signal::TERM);
        }
    }

    /// Returns what it has done up to now, where the system tells.
    pub(crate) fn activity(&self) -> Option<Activity> {
        Activity::of(self.process)
    }
}

/// Runs `command` to its end. `tick` is called every few milliseconds, and may
/// ask it to end.
///
/// One child at a time: the figures are what the account of this process's
/// ended children has grown by.
///
/// # Errors
///
/// The child cannot be started or watched, `tick` fails, or a signal came:
/// the child is then killed, and gone when this returns.
pub(crate) fn run(
    command: &mut Command,
    interrupt: &Interrupt,
    mut tick: impl FnMut(&mut Running) -> anyhow::Result<()>,
) -> anyhow::Result<Ended> {
    let before = usage_of_children()?;
    let started = Instant::now();
    let mut child = KilledOnDrop(command.spawn().with_context(|| {
        let program = command.get_program().display();
        format!("cannot start {program}, check what the PATH has by this name")
    })?);
    let child = &mut child.0;
    let mut running = Running { stdin: child.stdin.take(), process: child.id() };
    let (mut stdout, mut stderr) = (Pipe::new(child.stdout.take()), Pipe::new(child.stderr.take()));
    let (mut looks, mut threads, mut memory) = (0, None, None);
    let mut next_look = started;

    while stdout.open.is_some() || stderr.open.is_some() {
        let now = Instant::now();
        if now >= next_look {
            interrupt.check()?;
            tick(&mut running)?;
            if let Some(status) = Status::of(child.id()) {
                looks += 1;
                threads = threads.max(status.threads);
                memory = memory.max(status.peak_memory);
            }
            next_look = now + LOOK;
        }
        // The pipes are closed by the child's exit, so its end is not missed
        // by up to a look.
        wait_for_any([&stdout, &stderr], next_look.saturating_duration_since(Instant::now()))?;
        stdout.take_what_is_there()?;
        stderr.take_what_is_there()?;
    }
    let status = child.wait().context("cannot wait for a child")?;
    let wall = started.elapsed();
    let after = usage_of_children()?;
    interrupt.check()?;
    Ok(Ended {
        status,
        wall,
        cpu: cpu(&after).saturating_sub(cpu(&before)),
        switches: switches(&after).saturating_sub(switches(&before)),
        threads: threads.filter(|_| looks >= ENOUGH),
        memory: memory.filter(|_| looks >= ENOUGH),
        stdout: stdout.bytes,
        stderr: stderr.bytes,
    })
}

struct KilledOnDrop(Child);

impl Drop for KilledOnDrop {
    fn drop(&mut self) {
        // Of a child that has been waited for, both know that it is gone.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A pipe from the child, and what has come out of it.
struct Pipe<R> {
    open: Option<R>,
    bytes: Vec<u8>,
}

/// A pipe that can be waited for.
trait Waitable {
    fn fd(&self) -> Option<BorrowedFd<'_>>;
}

impl<R: AsFd> Waitable for Pipe<R> {
    fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.open.as_ref().map(AsFd::as_fd)
    }
}

impl<R: Read + AsFd> Pipe<R> {
    fn new(open: Option<R>) -> Pipe<R> {
        Pipe { open, bytes: Vec::new() }
    }

    fn take_what_is_there(&mut self) -> anyhow::Result<()> {
        const AT_ONCE: usize = 64 * 1024;
        while let Some(pipe) = &mut self.open {
            if !is_ready(pipe.as_fd())? {
                break;
            }
            let kept = self.bytes.len();
            self.bytes.resize(kept + AT_ONCE, 0);
            let read = pipe.read(&mut self.bytes[kept..]);
            self.bytes.truncate(kept + *read.as_ref().unwrap_or(&0));
            match read {
                Ok(0) => self.open = None,
                Ok(_) => {}
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
                Err(cause) => return Err(cause).context("cannot read what a child says"),
            }
        }
        Ok(())
    }
}

fn is_ready(fd: BorrowedFd<'_>) -> anyhow::Result<bool> {
    let mut fds = [PollFd::from_borrowed_fd(fd, PollFlags::IN)];
    Ok(poll_for(&mut fds, Duration::ZERO)? > 0)
}

fn wait_for_any(pipes: [&dyn Waitable; 2], at_most: Duration) -> anyhow::Result<()> {
    let fds = pipes.iter().filter_map(|pipe| pipe.fd());
    let mut fds: Vec<_> = fds.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)).collect();
    poll_for(&mut fds, at_most)?;
    Ok(())
}

fn poll_for(fds: &mut [PollFd<'_>], at_most: Duration) -> anyhow::Result<usize> {
    let at_most = Timespec::try_from(at_most).context("a look is a few milliseconds")?;
    match poll(fds, Some(&at_most)) {
        // A signal: whoever polls asks for it and comes again.
        Err(Errno::INTR) => Ok(0),
        ready => ready.context("cannot wait for what a child says"),
    }
}

fn usage_of_children() -> anyhow::Result<Usage> {
    getrusage(UsageWho::RUSAGE_CHILDREN).context("cannot ask for the CPU time of the children")
}

fn cpu(usage: &Usage) -> Duration {
    [usage.user_time(), usage.system_time()]
        .iter()
        .map(|time| Duration::new(time.tv_sec() as u64, time.tv_usec() as u32 * 1_000))
        .sum()
}

fn switches(usage: &Usage) -> u64 {
    (usage.voluntary_context_switches() + usage.involuntary_context_switches()) as u64
}
