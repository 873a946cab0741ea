//! A step of the lesson, taken by the learner: begun, checked, and shown as the stage
//! takes it.

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, SystemTime};

use anyhow::Context;
use exercises::Exercise;
use tributary::Shown;

use crate::asking::interrupt::{Interrupt, Interrupted};
use crate::asking::turn::{CheckArgs, End, SolutionArgs, YourTurnArgs, workspace};
use crate::diff;
use crate::keeping::turn::YourTurn;
use crate::running::rounds;
use crate::running::turn::{Built, build, hold};
use crate::telling::terminal::print;
use crate::telling::turn as told;

/// How often a file is asked whether it was saved.
const LOOK: Duration = Duration::from_millis(100);

/// Begins an exercise.
pub(crate) fn begin(args: &YourTurnArgs) -> anyhow::Result<()> {
    let mine = YourTurn::begin(args.exercise()?, args.place.folder(), args.force)?;
    print(&told::begun(mine.exercise, &shown(&mine.file())))
}

/// Shows what changes from what was written to the end of its step; without an exercise
/// that leads there, from its predecessors.
pub(crate) fn solution(args: &SolutionArgs) -> anyhow::Result<()> {
    let mine = YourTurn::open(args.place.folder());
    let mine = mine.ok().filter(|mine| mine.exercise.to == args.to.key());
    let (name, file, source) = (args.to.name(), args.to.file(), args.to.source());
    let to = (&*name, &*file, &*source);
    match (mine, args.to) {
        (Some(mine), _) => {
            print(&diff::between(("yours", &shown(&mine.file()), &mine.text()?), to))
        }
        (None, End::Stage(stage)) => print(&diff::render(stage)),
        (None, End::Service(_)) => {
            let exercise = Exercise::to(&args.to.key(), None);
            let from = End::of(&exercise.context(format!("{name}: no step leads there"))?.from);
            print(&diff::between((&from.name(), &from.file(), &from.source()), to))
        }
    }
}

/// Says how far the exercise is, once or whenever the file is saved.
pub(crate) fn check(args: &CheckArgs) -> anyhow::Result<ExitCode> {
    let interrupt = Interrupt::listen().context("cannot listen for Ctrl-C")?;
    // The laws inherit it.
    rlimit::increase_nofile_limit(u64::MAX).context("cannot open many files")?;
    let mine = YourTurn::open(args.place.folder())?;
    let file = mine.file();
    loop {
        let seen = saved(&file);
        let is_saved = || saved(&file) != seen;
        match check_once(args, &mine, &interrupt, &|| args.watch && is_saved()) {
            Ok(true) => return Ok(ExitCode::SUCCESS),
            Ok(false) if !args.watch => return Ok(ExitCode::FAILURE),
            Ok(false) => {}
            // It was saved meanwhile, so what was tried is of no use any more.
            Err(error) if error.is::<Interrupted>() && interrupt.check().is_ok() => {}
            Err(error) => return Err(error),
        }
        while !is_saved() {
            interrupt.check()?;
            thread::sleep(LOOK);
        }
        print(&told::saved(&shown(&file)))?;
    }
}

fn check_once(
    args: &CheckArgs,
    mine: &YourTurn,
    interrupt: &Interrupt,
    is_over: &(dyn Fn() -> bool + Sync),
) -> anyhow::Result<bool> {
    let wanted = args.wanted(mine.exercise)?;
    let progress = rounds::bar();
    progress.set_message("cargo builds it");
    let (path, warnings) = match build(&mine.folder, interrupt)? {
        Built::Program { path, warnings } => (path, warnings),
        Built::Refused(errors) => {
            progress.finish_and_clear();
            print(&told::refused(mine.exercise, &errors, &shown(&mine.file())))?;
            return Ok(false);
        }
    };
    let known = hold(&path, &wanted, args.within, interrupt, &progress, is_over)?;
    progress.finish_and_clear();
    let broken = told::first_broken(&known);
    let helps = broken.map(|(at, seen)| told::helps(mine.exercise, wanted[at], seen));
    let times = mine.asked(helps.as_ref().map_or("nothing", |help| help.of))?;
    let file = shown(&mine.file());
    print(&told::warned(&warnings, &file))?;
    print(&told::held(mine.exercise, &wanted, &known, times, &file))?;
    Ok(broken.is_none())
}

/// When the file was last saved, and its size.
fn saved(file: &Path) -> Option<(SystemTime, u64)> {
    let file = fs::metadata(file).ok()?;
    Some((file.modified().ok()?, file.len()))
}

/// A path as it is from the root of the workspace, where it lies in it.
fn shown(path: &Path) -> String {
    Shown(path.strip_prefix(workspace()).unwrap_or(path)).to_string()
}
