//! A command in a process, which is neither left behind nor waited for without end.

use std::fs;
use std::io::Read;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Once};

use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::SIGHUP;
use signal_hook::flag;

use crate::{Folder, until};

/// A running command. Dropping it kills the process.
#[derive(Debug)]
pub struct Running {
    /// Its process.
    pub child: Child,
    /// The file that its stderr goes to, if the test has not sent it elsewhere.
    said: Option<PathBuf>,
}

impl Running {
    /// Starts a command; its stderr goes to a file of its own in the folder.
    #[track_caller]
    pub fn start(folder: &Folder, command: &mut Command) -> Running {
        let said = tempfile::Builder::new().prefix("stderr-").tempfile_in(folder.folder()).unwrap();
        let (file, said) = said.keep().unwrap();
        Running { child: spawn(command.stderr(file)), said: Some(said) }
    }

    /// Starts a command with its stderr on `terminal`.
    #[track_caller]
    pub fn start_before(terminal: Stdio, command: &mut Command) -> Running {
        Running { child: spawn(command.stderr(terminal)), said: None }
    }

    /// Returns its stderr so far; nothing if that is a terminal.
    pub fn said(&self) -> String {
        self.said.as_ref().map(|said| fs::read_to_string(said).unwrap()).unwrap_or_default()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for the end, for [`BOUND`](crate::BOUND) at most, and then reads its
    /// stdout, if that is a pipe: what it writes must fit into one.
    #[track_caller]
    pub fn end(mut self) -> Ended {
        let mut status = None;
        until("the process ended", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        let mut stdout = Vec::new();
        if let Some(mut pipe) = self.child.stdout.take() {
            pipe.read_to_end(&mut stdout).unwrap();
        }
        Ended { status: status.unwrap(), stdout, stderr: self.said() }
    }

    /// Sends SIGTERM, as a service manager does, and waits for the end.
    #[track_caller]
    pub fn terminate(self) -> Ended {
        self.signal(Signal::TERM);
        self.end()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail if the command has ended, as it should.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Spawns a command that hears SIGHUP, also where `nohup` runs the tests. A child
/// inherits a signal that is ignored, but not one that is caught.
#[track_caller]
fn spawn(command: &mut Command) -> Child {
    static CAUGHT: Once = Once::new();
    CAUGHT.call_once(|| {
        flag::register(SIGHUP, Arc::default()).unwrap();
    });
    command.spawn().unwrap()
}

/// A command that has ended.
#[derive(Debug)]
pub struct Ended {
    status: ExitStatus,
    /// Its stdout, if that was a pipe.
    pub stdout: Vec<u8>,
    /// Its stderr; empty if that was a terminal.
    pub stderr: String,
}

impl Ended {
    /// Asserts this exit code.
    #[track_caller]
    pub fn with(self, code: i32) -> Ended {
        assert_eq!(self.status.code(), Some(code), "{} {}", self.status, self.stderr);
        self
    }

    /// Asserts success, and returns its stdout.
    #[track_caller]
    pub fn out(self) -> String {
        String::from_utf8_lossy(&self.with(0).stdout).into_owned()
    }

    /// Asserts this exit code, and one line on stderr: an error with all of `parts`.
    #[track_caller]
    pub fn error(self, code: i32, parts: &[&str]) {
        let said = self.with(code).stderr;
        assert!(said.starts_with("error: ") && said.ends_with('\n'), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        for part in parts {
            assert!(said.contains(part), "{part} in: {said}");
        }
    }
}
