//! The command in a process, which is not left behind and not waited for
//! without end.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Read;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::folder::Folder;

/// A wait that only a hang makes this long.
const BOUND: Duration = Duration::from_secs(60);

/// Waits until something is so.
#[track_caller]
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < BOUND, "it never came that {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// The command, to be run in `folder`.
pub(crate) fn tributary<S: AsRef<OsStr>>(folder: &Folder, args: &[S]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tributary"));
    command.args(args).current_dir(folder.folder()).stdin(Stdio::null());
    command.env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE").env("TERM", "xterm");
    command
}

/// A command that runs, and is killed when this goes.
pub(crate) struct Running {
    pub(crate) child: Child,
    /// The file that its stderr goes to, if it does not go to a terminal.
    said: Option<PathBuf>,
}

impl Running {
    /// Starts it. Stdout goes to `stdout` in the folder unless it was sent
    /// elsewhere before, and stderr to a file of the process.
    pub(crate) fn start(folder: &Folder, command: &mut Command) -> Running {
        let said = tempfile::Builder::new().prefix("stderr-").tempfile_in(folder.folder()).unwrap();
        let (file, said) = said.keep().unwrap();
        Running { child: command.stderr(file).spawn().unwrap(), said: Some(said) }
    }

    /// Starts it with its stderr on `terminal`.
    pub(crate) fn start_before(terminal: Stdio, command: &mut Command) -> Running {
        Running { child: command.stderr(terminal).spawn().unwrap(), said: None }
    }

    pub(crate) fn follow(folder: &Folder, args: &[&str]) -> Running {
        Running::plain(folder, &[&["-F"], args].concat())
    }

    /// Starts it with these arguments alone.
    pub(crate) fn plain(folder: &Folder, args: &[&str]) -> Running {
        let stdout = File::create(folder.path("stdout")).unwrap();
        Running::start(folder, tributary(folder, args).stdout(stdout))
    }

    /// What it has said on stderr so far; of a terminal, nothing.
    pub(crate) fn said(&self) -> String {
        self.said.as_ref().map(|said| fs::read_to_string(said).unwrap()).unwrap_or_default()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn end(mut self) -> Ended {
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
    pub(crate) fn terminate(self) -> Ended {
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

/// What a command did.
#[derive(Debug)]
pub(crate) struct Ended {
    status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Ended {
    /// Asks for this exit code.
    #[track_caller]
    pub(crate) fn with(self, code: i32) -> Ended {
        assert_eq!(self.status.code(), Some(code), "{} {}", self.status, self.stderr);
        self
    }

    /// Asks for success, and returns what came to stdout.
    #[track_caller]
    pub(crate) fn out(self) -> String {
        let ended = self.with(0);
        String::from_utf8_lossy(&ended.stdout).into_owned()
    }

    /// Asks for one line on stderr, an error with all of `parts` in it.
    #[track_caller]
    pub(crate) fn error(self, code: i32, parts: &[&str]) {
        let ended = self.with(code);
        let said = &ended.stderr;
        assert!(said.starts_with("error: ") && said.ends_with('\n'), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        for part in parts {
            assert!(said.contains(part), "{part} in: {said}");
        }
    }
}

/// Runs a command to its end. Its stdout must fit into a pipe.
#[track_caller]
pub(crate) fn run<S: AsRef<OsStr>>(folder: &Folder, args: &[S]) -> Ended {
    Running::start(folder, tributary(folder, args).stdout(Stdio::piped())).end()
}
