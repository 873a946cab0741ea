//! The `tributary` command: merges log files into one, while they are still
//! being written.
//!
//! The reading order of its modules: `args` (what can be typed) with `wire` (of
//! that, what concerns a stream on another machine), `habits` (what is typed by
//! habit), `list`, `run` (one merge), `signals`, `exit` (codes and errors). Then
//! what the command says: `voice`, `observer` (how far a merge is) with `stalls`,
//! `stats`, `metrics`, `backlog`; and instead of a merge `print`, `help`, `man`.

mod args;
mod backlog;
mod exit;
mod habits;
mod help;
mod list;
mod man;
mod metrics;
mod observer;
mod print;
mod run;
mod signals;
mod stalls;
mod stats;
mod voice;
mod wire;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use tracing::warn;

use args::{Args, Command};
use voice::Voice;

/// Runs the command with the arguments of this process, as [`run`] does.
pub fn main() -> ExitCode {
    run(std::env::args_os())
}

/// Runs the command with these arguments, of which the first is its name; returns
/// its exit code. Errors are told on stderr.
///
/// A merge takes over SIGINT, SIGTERM, SIGHUP and SIGUSR1 of the process, and the
/// second signal that asks for its end ends the process.
///
/// # Blocking
///
/// Blocks the calling thread until the merge has ended.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    let parsed = Args::try_parse_from(&args);
    let voice = match &parsed {
        Ok(args) => Voice::new(args.verbose, args.debug.is_some()),
        Err(_) => Voice::new(false, false),
    };
    warn_of_a_file_called_like_a_command(&args);
    let code = match parsed {
        Ok(args) => match args.command {
            Some(Command::Completions { shell }) => print::completions(shell, &voice),
            Some(Command::Help { topic }) => print::help(topic, &voice),
            Some(Command::Man) => print::man(&voice),
            None => run::run(&args, &voice),
        },
        Err(error) => refuse(&error, &args, &voice),
    };
    code.into()
}

/// Says what clap has to say, which may be the help; returns the exit code.
fn refuse(error: &clap::Error, args: &[OsString], voice: &Voice) -> u8 {
    if !error.use_stderr() {
        return print::print(error.render().ansi().to_string().as_bytes(), voice);
    }
    if args.len() < 2 {
        voice.text(print::USAGE);
    } else if let Some(told) = habits::instead(error, args) {
        voice.error(&told);
    } else {
        voice.text(&error.render().ansi().to_string());
    }
    exit::USAGE
}

/// Warns if the first argument is a command and also a file: whoever typed
/// `tributary help` may have meant a log of that name.
fn warn_of_a_file_called_like_a_command(args: &[OsString]) {
    let Some(first) = args.get(1).and_then(|first| first.to_str()) else { return };
    if command().find_subcommand(first).is_some() && Path::new(first).exists() {
        warn!("{first}: taken for the command of that name; the file is ./{first}");
    }
}

/// Returns the command as clap knows it: all its flags, with their help.
pub fn command() -> clap::Command {
    Args::command()
}
