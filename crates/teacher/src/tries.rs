//! Builds and tries what a learner has written.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use indicatif::ProgressBar;
use runner::{Interrupt, side_by_side, target, try_by};
use serde::Deserialize;

use crate::args::Wanted;

/// The result of a build.
#[derive(Debug)]
pub(crate) enum Built {
    /// The program, and the compiler's warnings about futures and results that nobody
    /// takes.
    Program { path: PathBuf, warnings: Vec<Diagnostic> },
    /// The errors of the compiler.
    Refused(Vec<Diagnostic>),
}

/// An error or a warning of the compiler.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Diagnostic {
    level: String,
    code: Option<Code>,
    /// The message as the compiler shows it, in colours.
    pub(crate) rendered: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct Code {
    code: String,
}

impl Diagnostic {
    /// Returns its code, if it has one: `E0382` or the name of a lint.
    pub(crate) fn code(&self) -> Option<&str> {
        self.code.as_ref().map(|code| &*code.code)
    }

    /// Says whether it is an error, and not a summary of others.
    fn is_error(&self) -> bool {
        let sum = ["aborting due to", "could not compile"];
        let said = self.rendered.as_deref().unwrap_or_default();
        self.level == "error" && !sum.iter().any(|sum| said.contains(sum))
    }
}

/// A line of cargo's JSON.
#[derive(Deserialize)]
struct Told {
    message: Option<Diagnostic>,
    executable: Option<PathBuf>,
}

/// Builds the program of the crate in this folder, in the target folder of the
/// workspace.
pub(crate) fn build(folder: &Path, interrupt: &Interrupt) -> anyhow::Result<Built> {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["build", "--quiet", "--message-format=json-diagnostic-rendered-ansi"]);
    command.args(["--bin", "your-turn", "--manifest-path"]).arg(folder.join("Cargo.toml"));
    command.arg("--target-dir").arg(target());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let ended = runner::run(&mut command, interrupt, |_| Ok(()))?;
    let told = String::from_utf8_lossy(&ended.stdout);
    let told: Vec<Told> = told.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let executable = told.iter().find_map(|it| it.executable.clone());
    let (errors, warnings): (Vec<_>, Vec<_>) =
        told.into_iter().filter_map(|it| it.message).partition(Diagnostic::is_error);
    match executable {
        Some(path) if ended.status.success() => {
            let is_told = |it: &Diagnostic| it.code() == Some("unused_must_use");
            let warnings = warnings.into_iter().filter(is_told).collect();
            Ok(Built::Program { path, warnings })
        }
        _ if !errors.is_empty() => Ok(Built::Refused(errors)),
        _ => bail!("{}: cargo cannot build it: {}", folder.display(), ended.stderr),
    }
}

/// What is known of a law or a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Known {
    NotTried,
    Holds,
    /// It does not hold: what was seen.
    Broken(String),
}

/// Tries the program by the laws and checks, several at once, up to the first that does
/// not hold. Returns what is known of each, in the order of `wanted`.
pub(crate) fn hold(
    program: &Path,
    wanted: &[Wanted],
    within: Duration,
    interrupt: &Interrupt,
    progress: &ProgressBar,
    is_over: &(dyn Fn() -> bool + Sync),
) -> anyhow::Result<Vec<Known>> {
    let folder = tempfile::tempdir().context("the laws need a folder")?;
    interrupt.would_leave(folder.path());
    progress.set_length(wanted.len() as u64);
    progress.set_message("the laws");
    let order: Vec<_> = (0..wanted.len()).collect();
    let mut known = vec![Known::NotTried; wanted.len()];
    let try_one = |at: usize, is_failed: &(dyn Fn() -> bool + Sync)| {
        let within = wanted[at].within(within);
        let mut command = Command::new(program);
        command.arg(wanted[at].name()).arg(within.as_secs().max(1).to_string());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let is_over = || is_failed() || is_over();
        try_by(&mut command, within, folder.path(), interrupt, &is_over)
    };
    side_by_side(&order, try_one, |at, tried| {
        known[at] = tried.unwrap_or_else(Some).map_or(Known::Holds, Known::Broken);
        progress.inc(1);
        progress.set_message(wanted[at].name());
        Ok(known[at] == Known::Holds)
    })?;
    Ok(known)
}
