//! The `tributary` command: merges log files into one, while they are still
//! being written.
//!
//! The reading order of its modules: `args` (what can be typed), `habits` (and
//! what is typed by habit), `list`, `run` (one
//! merge), `signals`, `exit` (codes and errors), then what it says: `voice`,
//! `stats`, `backlog`.

mod args;
mod backlog;
mod exit;
mod habits;
mod list;
mod print;
mod run;
mod signals;
mod stats;
mod voice;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use args::{Args, Command};
use voice::Voice;

/// Runs the command with the arguments of this process.
pub fn main() -> ExitCode {
    run(std::env::args_os())
}

/// Runs the command with these arguments, of which the first is its name.
///
/// It takes over the signals of the process, and a second interrupt ends the
/// process.
///
/// # Blocking
///
/// Blocks the calling thread until the merge has ended.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    if args.len() < 2 {
        Voice::new(false, false).text(print::USAGE);
        return exit::USAGE.into();
    }
    let args = match Args::try_parse_from(&args) {
        Ok(args) => args,
        Err(error) => {
            if let Some(told) = habits::instead(&error, &args) {
                Voice::new(false, false).error(&told);
                return exit::USAGE.into();
            }
            // Nobody is left to tell that stdout or stderr is gone.
            let _ = error.print();
            return u8::try_from(error.exit_code()).unwrap_or(exit::USAGE).into();
        }
    };
    let voice = Voice::new(args.verbose, args.debug.is_some());
    let code = match &args.command {
        Some(Command::Completions { shell }) => print::completions(*shell, &voice),
        Some(Command::Man) => print::man(&voice),
        None => run::run(&args, &voice),
    };
    code.into()
}

/// Returns the command as clap knows it: all its flags, with their help.
pub fn command() -> clap::Command {
    Args::command()
}
