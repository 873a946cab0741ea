//! Who merges: the stages, and what a person would use instead of them: `cat`
//! for files that are complete, `tail` for those that grow.

use std::env;
use std::process::{self, Command, Stdio};

use anyhow::bail;
use clap::ValueEnum;
use rustix::fs::{Access, access};

use stages::Stage;

/// Who runs.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Contender {
    Stage(&'static Stage),
    /// A program that was asked for by name: its output is checked.
    Program(Program),
    /// `cat`, which the stages are measured by: it is timed, and not checked.
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

    /// Says why it cannot do every job.
    pub(crate) fn why_not(self) -> &'static str {
        match self {
            Program::Cat => "it ends at the end of each file, and these grow",
            Program::Tail => "it follows files and never ends, and these are complete",
        }
    }

    /// Fails if there is no such program: better now than in a minute.
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

/// Has `tail` end when this process is gone, however that ended: it would
/// follow for ever files that nobody writes.
fn ends_with_this_process() -> String {
    format!("--pid={}", process::id())
}

/// Says whether this system's `tail` knows that option, as that of GNU does.
fn tail_knows_pid() -> bool {
    let mut tail = Command::new("tail");
    tail.arg(ends_with_this_process()).args(["-n", "0", "/dev/null"]);
    tail.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    tail.status().is_ok_and(|status| status.success())
}
