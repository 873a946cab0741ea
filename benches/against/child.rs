//! A contender as a child of this process, and what it took.

use std::fs;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use nix::sys::resource::{UsageWho, getrusage};
use rustix::process::{Pid, Signal, kill_process};

/// What a child took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Took {
    /// From the spawn to the exit.
    pub(crate) wall: Duration,
    /// CPU time, all threads together.
    pub(crate) cpu: Duration,
}

/// A running child. Dropping it kills the process.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    started: Instant,
    cpu_before: Duration,
}

/// What `/proc` says about a running process. Memory is in bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Status {
    pub(crate) peak_memory: u64,
    pub(crate) threads: u64,
    /// CPU time so far, to the nanosecond.
    pub(crate) cpu: Duration,
}

impl Running {
    pub(crate) fn start(command: &mut Command) -> anyhow::Result<Running> {
        let cpu_before = cpu_of_children()?;
        let started = Instant::now();
        let child = command.spawn();
        let child =
            child.with_context(|| format!("cannot start {}", command.get_program().display()))?;
        Ok(Running { child, started, cpu_before })
    }

    /// Waits for the end. Fails unless that is exit code 0 or a signal.
    pub(crate) fn wait(mut self) -> anyhow::Result<Took> {
        let status = self.child.wait()?;
        let wall = self.started.elapsed();
        // SIGTERM ends `tail`; the others exit with 0.
        if !status.success() && status.code().is_some() {
            bail!("a contender has ended with {status}");
        }
        Ok(Took { wall, cpu: cpu_of_children()?.saturating_sub(self.cpu_before) })
    }

    /// Sends SIGTERM, and waits for the end.
    pub(crate) fn terminate(self) -> anyhow::Result<Took> {
        let process = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        kill_process(process.context("a child has a number")?, Signal::TERM)?;
        self.wait()
    }

    /// Fails if the child has ended.
    pub(crate) fn check(&mut self) -> anyhow::Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => bail!("a contender that follows has ended with {status}"),
        }
    }

    pub(crate) fn status(&self) -> anyhow::Result<Status> {
        let folder = format!("/proc/{}", self.child.id());
        let status = fs::read_to_string(format!("{folder}/status"))?;
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok())
                .with_context(|| format!("{folder}/status has no {name}"))
        };
        let mut cpu = 0;
        for task in fs::read_dir(format!("{folder}/task"))? {
            let told = fs::read_to_string(task?.path().join("schedstat"))?;
            let ran = told.split(' ').next().and_then(|ran| ran.parse::<u64>().ok());
            cpu += ran.context("schedstat begins with the time on a processor")?;
        }
        Ok(Status {
            peak_memory: field("VmHWM:")? * 1024,
            threads: field("Threads:")?,
            cpu: Duration::from_nanos(cpu),
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Once `wait` has returned, both do nothing.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn cpu_of_children() -> anyhow::Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let times = [usage.user_time(), usage.system_time()];
    Ok(times
        .iter()
        .map(|time| Duration::new(time.tv_sec() as u64, time.tv_usec() as u32 * 1_000))
        .sum())
}
