//! A foreign program that runs, in a process group of its own.

use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

/// The groups that have not been killed. A group keeps its number until its leader is
/// waited for, and that is after it has left this list.
static RUNNING: Mutex<Vec<Pid>> = Mutex::new(Vec::new());

fn running() -> MutexGuard<'static, Vec<Pid>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Kills all programs that are judged, with all that they have started, for a process
/// that ends at once: no other is started afterwards, and whoever tries waits for ever.
pub fn kill_all() {
    let running = running();
    running.iter().for_each(|&group| kill(group, Signal::KILL));
    std::mem::forget(running);
}

fn kill(group: Pid, signal: Signal) {
    // It is an error if nobody is left in it.
    let _ = kill_process_group(group, signal);
}

/// A program that runs. Dropped, its whole process group is killed.
pub(crate) struct Program {
    child: Child,
    stderr: PathBuf,
}

/// How a program has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    With(i32),
    BySignal(i32),
}

impl Program {
    /// Starts it; what it says on stderr goes to a file in `folder`.
    pub(crate) fn start(mut command: Command, folder: &Path) -> io::Result<Program> {
        let stderr = folder.join("stderr");
        command.stderr(File::create(&stderr)?).process_group(0);
        let mut running = running();
        let child = command.spawn()?;
        running.push(Pid::from_child(&child));
        Ok(Program { child, stderr })
    }

    /// Sends a signal to the program and all that it has started, as a terminal and a
    /// service manager do.
    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_child(&self.child), signal);
    }

    /// Stops the program, and returns when it stands still.
    pub(crate) fn freeze(&self) {
        self.signal(Signal::STOP);
        let options = WaitIdOptions::STOPPED | WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        // Whatever the answer: it runs no more.
        let _ = waitid(WaitId::Pid(Pid::from_child(&self.child)), options);
    }

    /// Says how it has ended, if it has. It is not waited for, so that its group keeps
    /// its number until everything in it is killed.
    pub(crate) fn ended(&self) -> Option<Ended> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let status = waitid(WaitId::Pid(Pid::from_child(&self.child)), options).ok()??;
        let code = status.exit_status().map(Ended::With);
        code.or_else(|| status.terminating_signal().map(Ended::BySignal))
    }

    /// Returns what it has said on stderr so far.
    pub(crate) fn said(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.stderr).unwrap_or_default()).into_owned()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
        let group = Pid::from_child(&self.child);
        running().retain(|&running| running != group);
        let _ = self.child.wait();
    }
}
