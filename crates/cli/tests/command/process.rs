//! The command, in a process of its own.

use std::env;
use std::ffi::OsStr;
use std::fs::File;
use std::process::{Command, Stdio};

use testkit::{Ended, Folder, Running};

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_tributary");

/// The command with these arguments, in `folder`.
pub(crate) fn tributary<S: AsRef<OsStr>>(folder: &Folder, args: &[S]) -> Command {
    let mut command = Command::new(BINARY);
    command.args(args).current_dir(folder.folder()).stdin(Stdio::null());
    command.env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE").env("TERM", "xterm");
    command
}

/// A shell that runs some lines in `folder`, with the command in its `PATH`.
pub(crate) fn shell(folder: &Folder, lines: &str) -> Command {
    let programs = BINARY.trim_end_matches("tributary");
    let path = format!("{programs}:{}", env::var("PATH").unwrap());
    let mut shell = Command::new("sh");
    shell.args(["-c", lines]).env("PATH", path);
    shell.current_dir(folder.folder()).stdin(Stdio::null());
    shell
}

/// Runs some lines of the shell to their end.
#[track_caller]
pub(crate) fn run_shell(folder: &Folder, lines: &str) -> Ended {
    Running::start(folder, shell(folder, lines).stdout(Stdio::piped())).end()
}

/// Starts the command with these arguments; its stdout goes to `stdout` in the
/// folder.
pub(crate) fn start(folder: &Folder, args: &[&str]) -> Running {
    let stdout = File::create(folder.path("stdout")).unwrap();
    Running::start(folder, tributary(folder, args).stdout(stdout))
}

/// Starts a merge that follows.
pub(crate) fn follow(folder: &Folder, args: &[&str]) -> Running {
    start(folder, &[&["-F"], args].concat())
}

/// Runs a command to its end. Its stdout must fit into a pipe.
#[track_caller]
pub(crate) fn run<S: AsRef<OsStr>>(folder: &Folder, args: &[S]) -> Ended {
    Running::start(folder, tributary(folder, args).stdout(Stdio::piped())).end()
}
