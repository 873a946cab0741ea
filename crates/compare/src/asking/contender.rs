//! Who merges: the stages, and the programs that a person would use instead: `cat` for
//! complete files, `tail` for growing ones.

use std::env;
use std::process::{self, Command, Stdio};

use anyhow::bail;
use clap::ValueEnum;
use rustix::fs::{Access, access};

use stages::Stage;

/// Who runs in a job.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Contender {
    Stage(&'static Stage),
    /// A program of `--against`: its output is checked.
    Program(Program),
    /// `cat` as the measure of the stages: timed, and not checked.
    Floor,
}

impl Contender {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Contender::Stage(stage) => stage.name,
            Contender::Program(program) => program.name(),
            Contender::Floor => Program::Cat.name(),
        }
    }

    pub(crate) fn is(self, program: Program) -> bool {
        self.name() == program.name()
    }
}

/// A program that merges files in its own way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Program {
    /// `cat FILES > output`, where the files are complete.
    Cat,
    /// `tail -q -n +1 -F FILES > output`, where they grow.
    Tail,
}

impl Program {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Program::Cat => "cat",
            Program::Tail => "tail",
        }
    }

    /// Returns the command, without the files.
    pub(crate) fn command(self) -> Command {
        let mut command = Command::new(self.name());
        if self == Program::Tail {
            command.args(["-q", "-n", "+1", "-F"]);
            if tail_knows_pid() {
                command.arg(ends_with_this_process());
            }
        }
        command
    }

    /// Says which jobs the program cannot do, and why.
    pub(crate) fn why_not(self) -> &'static str {
        match self {
            Program::Cat => "it ends at the end of each file, and these grow",
            Program::Tail => "it follows files and never ends, and these are complete",
        }
    }

    /// Fails if the program is missing, before any work is done.
    pub(crate) fn find(self) -> anyhow::Result<()> {
        let folders = env::var_os("PATH").unwrap_or_default();
        let mut paths = env::split_paths(&folders).map(|folder| folder.join(self.name()));
        if paths.any(|path| path.is_file() && access(path, Access::EXEC_OK).is_ok()) {
            return Ok(());
        }
        bail!(
            "{}: there is no such program on the PATH, install it or leave it out of --against",
            self.name()
        )
    }
}

/// The option with which `tail` ends once this process is gone. Without it, a kill of
/// this process would leave `tail` following for ever.
fn ends_with_this_process() -> String {
    format!("--pid={}", process::id())
}

/// Says whether this system's `tail` knows `--pid`, as GNU's does.
fn tail_knows_pid() -> bool {
    let mut tail = Command::new("tail");
    tail.arg(ends_with_this_process()).args(["-n", "0", "/dev/null"]);
    tail.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    tail.status().is_ok_and(|status| status.success())
}
