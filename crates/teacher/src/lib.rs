//! The lesson as commands: what changes from one stage to the next, and a step that the
//! learner takes. It is begun, checked, and shown as the stage takes it.
//!
//! `args` is the command line, `mine` the crate in which the learner writes; `tries`
//! builds and tries it, and `said` has what the teacher says.

mod args;
pub mod diff;
mod mine;
mod said;
mod tries;

use std::fs;
use std::io;
use std::path::Path;
use std::thread;
use std::time::{Duration, SystemTime};

use anyhow::Context;
use clap::Subcommand;
use exercises::Exercise;
use runner::{Interrupt, Interrupted, workspace};
use stages::{Stage, find};
use tributary::Shown;

use crate::args::{CheckArgs, End, SolutionArgs, YourTurnArgs};
use crate::mine::YourTurn;
use crate::tries::{Built, build, hold};

/// The interval between two looks whether the file was saved.
const LOOK: Duration = Duration::from_millis(100);

/// What can be asked of the lesson.
#[derive(Debug, Subcommand)]
pub enum Lesson {
    /// Show what changes from the predecessors of a stage to the stage.
    Diff {
        /// The stage, by number or name.
        #[arg(value_parser = find)]
        stage: &'static Stage,
    },
    /// Take the step to a stage yourself: makes a crate to write it in.
    YourTurn(YourTurnArgs),
    /// Say how far you are with your step.
    CheckMine(CheckArgs),
    /// Show what changes from what you have written to the stage.
    Solution(SolutionArgs),
}

impl Lesson {
    /// Does what was asked, and passes each text to `tell`. Returns whether what was
    /// checked holds; true if nothing was. Only a check calls `listen`, for Ctrl-C.
    ///
    /// # Blocking
    ///
    /// Blocks the calling thread: a check until the laws are tried; with `--watch`,
    /// until all of them hold or a signal comes.
    ///
    /// # Errors
    ///
    /// The command line has a mistake, a file cannot be read or written, cargo fails
    /// otherwise than by an error of the compiler, or a signal came.
    pub fn take(
        &self,
        listen: impl FnOnce() -> io::Result<Interrupt>,
        mut tell: impl FnMut(&str) -> anyhow::Result<()>,
    ) -> anyhow::Result<bool> {
        let said = match self {
            Lesson::Diff { stage } => diff::render(stage),
            Lesson::YourTurn(args) => begin(args)?,
            Lesson::Solution(args) => solution(args)?,
            Lesson::CheckMine(args) => {
                let interrupt = listen().context("cannot listen for Ctrl-C")?;
                return check(args, &interrupt, &mut tell);
            }
        };
        tell(&said).map(|()| true)
    }
}

fn begin(args: &YourTurnArgs) -> anyhow::Result<String> {
    let mine = YourTurn::begin(args.exercise()?, args.place.folder(), args.force)?;
    Ok(said::begun(mine.exercise, &shown(&mine.file())))
}

/// Returns the diff from what was written to the end of its step. If no exercise leads
/// there, returns the step from its predecessors.
fn solution(args: &SolutionArgs) -> anyhow::Result<String> {
    let mine = YourTurn::open(args.place.folder());
    let mine = mine.ok().filter(|mine| mine.exercise.to == args.to.key());
    let (name, file, source) = (args.to.name(), args.to.file(), args.to.source());
    let to = (&*name, &*file, &*source);
    match (mine, args.to) {
        (Some(mine), _) => Ok(diff::between(("yours", &shown(&mine.file()), &mine.text()?), to)),
        (None, End::Stage(stage)) => Ok(diff::render(stage)),
        (None, End::Service(_)) => {
            let exercise = Exercise::to(&args.to.key(), None);
            let from = End::of(&exercise.context(format!("{name}: no step leads there"))?.from);
            Ok(diff::between((&from.name(), &from.file(), &from.source()), to))
        }
    }
}

/// Says how far the exercise is, once or after each save.
fn check(
    args: &CheckArgs,
    interrupt: &Interrupt,
    tell: &mut dyn FnMut(&str) -> anyhow::Result<()>,
) -> anyhow::Result<bool> {
    // The processes of the laws inherit the limit.
    rlimit::increase_nofile_limit(u64::MAX).context("cannot open many files")?;
    let mine = YourTurn::open(args.place.folder())?;
    let file = mine.file();
    loop {
        let seen = saved(&file);
        let is_saved = || saved(&file) != seen;
        match check_once(args, &mine, interrupt, tell, &|| args.watch && is_saved()) {
            Ok(true) => return Ok(true),
            Ok(false) if !args.watch => return Ok(false),
            Ok(false) => {}
            // The file was saved meanwhile, so what was tried is out of date.
            Err(error) if error.is::<Interrupted>() && interrupt.check().is_ok() => {}
            Err(error) => return Err(error),
        }
        while !is_saved() {
            interrupt.check()?;
            thread::sleep(LOOK);
        }
        tell(&said::saved(&shown(&file)))?;
    }
}

fn check_once(
    args: &CheckArgs,
    mine: &YourTurn,
    interrupt: &Interrupt,
    tell: &mut dyn FnMut(&str) -> anyhow::Result<()>,
    is_over: &(dyn Fn() -> bool + Sync),
) -> anyhow::Result<bool> {
    let wanted = args.wanted(mine.exercise)?;
    let progress = runner::bar();
    progress.set_message("cargo builds it");
    let (path, warnings) = match build(&mine.folder, interrupt)? {
        Built::Program { path, warnings } => (path, warnings),
        Built::Refused(errors) => {
            progress.finish_and_clear();
            tell(&said::refused(mine.exercise, &errors, &shown(&mine.file())))?;
            return Ok(false);
        }
    };
    let known = hold(&path, &wanted, args.within, interrupt, &progress, is_over)?;
    progress.finish_and_clear();
    let broken = said::first_broken(&known);
    let helps = broken.map(|(at, seen)| said::helps(mine.exercise, wanted[at], seen));
    let times = mine.asked(helps.as_ref().map_or("nothing", |help| help.of))?;
    let file = shown(&mine.file());
    tell(&said::warned(&warnings, &file))?;
    tell(&said::held(mine.exercise, &wanted, &known, times, &file))?;
    Ok(broken.is_none())
}

/// When the file was last saved, and its size; `None` if it is missing.
fn saved(file: &Path) -> Option<(SystemTime, u64)> {
    let file = fs::metadata(file).ok()?;
    Some((file.modified().ok()?, file.len()))
}

/// Returns the path from the workspace, if it lies in there.
fn shown(path: &Path) -> String {
    Shown(path.strip_prefix(workspace()).unwrap_or(path)).to_string()
}
