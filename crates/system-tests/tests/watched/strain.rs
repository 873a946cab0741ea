//! What a machine may do to a program that does nothing wrong.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::service::Service;

/// Threads that repeat a step until this is dropped.
pub(crate) struct Threads {
    ended: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Threads {
    fn start(count: usize, step: impl Fn() + Clone + Send + 'static) -> Threads {
        let ended = Arc::new(AtomicBool::new(false));
        let threads = (0..count).map(|_| {
            let (ended, step) = (Arc::clone(&ended), step.clone());
            thread::spawn(move || {
                while !ended.load(Ordering::Relaxed) {
                    step();
                }
            })
        });
        Threads { threads: threads.collect(), ended }
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            // A thread's panic fails the test, unless the test itself panics.
            assert!(thread.join().is_ok() || thread::panicking());
        }
    }
}

/// Starts eight threads that compute.
pub(crate) fn neighbours() -> Threads {
    Threads::start(8, std::hint::spin_loop)
}

/// Stops the program again and again, for `stopped`, and lets it go on for `runs`.
pub(crate) fn pauses(service: &Service, stopped: Duration, runs: Duration) -> Threads {
    let process = Pid::from_child(&service.running.child);
    let signal = move |signal| kill_process(process, signal).unwrap();
    Threads::start(1, move || {
        signal(Signal::STOP);
        // These two are the pause and the time between pauses, and wait for nothing.
        thread::sleep(stopped);
        signal(Signal::CONT);
        thread::sleep(runs);
    })
}

/// Bounds a program to a fifth of one processor: 20 ms in 100 ms.
pub(crate) enum Quota {
    /// By a control group, which has this folder.
    Group(PathBuf),
    /// By pauses, where this user may not make control groups.
    #[expect(dead_code, reason = "it is dropped")]
    Pauses(Threads),
}

impl Quota {
    pub(crate) fn of(service: &Service) -> Quota {
        group(service.running.child.id()).map_or_else(
            |_| {
                Quota::Pauses(pauses(service, Duration::from_millis(80), Duration::from_millis(20)))
            },
            Quota::Group,
        )
    }

    /// Tells whether the program has met the quota; of pauses, that is certain.
    pub(crate) fn was_felt(&self) -> bool {
        let Quota::Group(folder) = self else { return true };
        let said = fs::read_to_string(folder.join("cpu.stat")).unwrap();
        let count = said.lines().find_map(|line| line.strip_prefix("nr_throttled "));
        count.unwrap().parse::<u64>().unwrap() > 0
    }
}

impl Drop for Quota {
    fn drop(&mut self) {
        if let Quota::Group(folder) = self {
            // A folder that is left behind does no harm.
            let _ = leave(folder);
        }
    }
}

/// Puts a process into a new control group with the quota; returns the group's folder.
/// Version 1 of control groups has a folder for each resource, version 2 one for all.
fn group(process: u32) -> io::Result<PathBuf> {
    let first = Path::new("/sys/fs/cgroup/cpu");
    let all = if first.exists() { first } else { Path::new("/sys/fs/cgroup") };
    let folder = all.join(format!("tributary-test-{process}"));
    fs::create_dir(&folder)?;
    let limits = if first.exists() {
        [("cpu.cfs_period_us", "100000"), ("cpu.cfs_quota_us", "20000")].as_slice()
    } else {
        &[("cpu.max", "20000 100000")]
    };
    let process = process.to_string();
    let enter = |(file, value): &(&str, &str)| fs::write(folder.join(file), value);
    let entered =
        limits.iter().try_for_each(enter).and_then(|()| enter(&("cgroup.procs", &process)));
    // The system has the files of a group, and may still refuse a value.
    entered.inspect_err(|_| drop(fs::remove_dir(&folder)))?;
    Ok(folder)
}

/// Moves all processes of a control group to the group above, and removes the group.
fn leave(folder: &Path) -> io::Result<()> {
    for process in fs::read_to_string(folder.join("cgroup.procs"))?.lines() {
        fs::write(folder.with_file_name("cgroup.procs"), process)?;
    }
    fs::remove_dir(folder)
}
