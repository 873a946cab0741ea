//! A command in a process, which is not left behind and not waited for
//! without end.

use std::fs;
use std::io::Read;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Once};

use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::SIGHUP;
use signal_hook::flag;

use crate::{Folder, until};

/// A command that runs. Dropped, it is killed.
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

    /// Returns what it has said on stderr so far; of a terminal, nothing.
    pub fn said(&self) -> String {
        self.said.as_ref().map(|said| fs::read_to_string(said).unwrap()).unwrap_or_default()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for its end, and reads what is left in its stdout, if that is a
    /// pipe: it must fit into one.
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

    /// Asks it to end as a service manager does, and waits for that.
    #[track_caller]
    pub fn terminate(self) -> Ended {
        self.signal(Signal::TERM);
        self.end()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Too late for one that has ended, which is what is hoped for.
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

/// What a command did.
#[derive(Debug)]
pub struct Ended {
    status: ExitStatus,
    /// What came to stdout, if that was a pipe.
    pub stdout: Vec<u8>,
    /// What it said on stderr.
    pub stderr: String,
}

impl Ended {
    /// Asks for this exit code.
    #[track_caller]
    pub fn with(self, code: i32) -> Ended {
        assert_eq!(self.status.code(), Some(code), "{} {}", self.status, self.stderr);
        self
    }

    /// Asks for success, and returns what came to stdout.
    #[track_caller]
    pub fn out(self) -> String {
        String::from_utf8_lossy(&self.with(0).stdout).into_owned()
    }

    /// Asks for one line on stderr, an error with all of `parts` in it.
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
