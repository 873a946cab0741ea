//! A step of the lesson, taken by the learner: begun, checked, and shown as the stage
//! takes it.

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, SystemTime};

use anyhow::Context;
use tributary::Shown;

use crate::asking::interrupt::{Interrupt, Interrupted};
use crate::asking::turn::{CheckArgs, SolutionArgs, YourTurnArgs, workspace};
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

/// Shows what changes from what was written to the stage; without an exercise that
/// leads there, from its predecessors.
pub(crate) fn solution(args: &SolutionArgs) -> anyhow::Result<()> {
    let mine = YourTurn::open(args.place.folder());
    match mine.ok().filter(|mine| mine.exercise.to == args.stage.number) {
        Some(mine) => {
            let (text, path) = (mine.text()?, shown(&mine.file()));
            print(&diff::from_yours(&text, &path, args.stage))
        }
        None => print(&diff::render(args.stage)),
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
            Err(error) if error.is::<Interrupted>() && interrupt.check().is_ok() => continue,
            Err(error) => return Err(error),
        }
        while !is_saved() {
            interrupt.check()?;
            thread::sleep(LOOK);
        }
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
            print(&told::refused(mine.exercise, &errors))?;
            return Ok(false);
        }
    };
    let known = hold(&path, &wanted, args.within, interrupt, &progress, is_over)?;
    progress.finish_and_clear();
    let broken = told::first_broken(&known).map(|(at, _)| wanted[at].name());
    let times = mine.asked(broken.unwrap_or("nothing"))?;
    print(&told::warned(&warnings))?;
    print(&told::held(mine.exercise, &wanted, &known, times))?;
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
