//! What happens when something fails.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use checker::Kind;

use super::REPLACED;
use crate::scene::{End, Run, Scene, size};
use crate::witness::seconds;
use crate::{Judging, Why};

/// A program that follows may wait for the file, and says that it does.
pub(super) fn a_missing_source_is_an_error_that_names_it(judging: &Judging<'_>) -> Result<(), Why> {
    let scene = Scene::new(judging, 2);
    let missing = scene.path("missing.log");
    let run = scene.run_with(&[&missing], &scene.output)?;
    names(&run, &missing)?;
    let end = run.end()?;
    if end.is_success() && !end.was_asked {
        return Err(Why::Broken("missing.log is missing, and the exit code is 0".to_owned()));
    }
    Ok(())
}

/// It is a directory: a file that one user may not read, another one may. Either nothing
/// is merged, or all of the others are.
pub(super) fn an_unreadable_source_is_an_error_that_names_it(
    judging: &Judging<'_>,
) -> Result<(), Why> {
    let mut scene = Scene::new(judging, 2);
    scene.logs.iter_mut().for_each(|log| log.write(10));
    let folder = scene.path("folder.log");
    fs::create_dir(&folder).expect("the folder can be written");
    let run = scene.run_with(&[&folder], &scene.output)?;
    names(&run, &folder)?;
    if run.follows() {
        run.until_written(scene.bytes());
    }
    let end = run.end()?;
    if end.is_success() && !end.was_asked {
        return Err(Why::Broken("folder.log is a directory, and the exit code is 0".to_owned()));
    }
    // A refusal before anything was merged leaves every line where it was.
    let is_refused = size(&scene.output) == 0 && !end.was_asked;
    if is_refused { Ok(()) } else { scene.check_lines(&Kind::ALL) }
}

/// Asks that the program names a file on stderr, before it ends or while it runs.
fn names(run: &Run<'_>, path: &Path) -> Result<(), Why> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if run.until(|run| run.program.said().contains(&*name)) {
        return Ok(());
    }
    let said = run.program.said();
    let first = said.lines().next().unwrap_or("nothing");
    Err(Why::Broken(format!("{name} is not named on stderr, which says: {first}")))
}

/// The output is a link to `/dev/full`, so that nobody replaces that by a file.
pub(super) fn a_full_disk_ends_the_run(judging: &Judging<'_>) -> Result<(), Why> {
    const FULL: &str = "/dev/full";
    if !Path::new(FULL).exists() {
        return Err(Why::NotAsked(format!("there is no {FULL} here")));
    }
    let mut scene = Scene::new(judging, 2);
    scene.logs.iter_mut().for_each(|log| log.write(2_000));
    let link = scene.path("full");
    symlink(FULL, &link).expect("the folder can be written");
    let run = scene.run_with(&[], &link)?;
    let end = must_fail(run, "the disk is full", || !link.is_symlink())?;
    if end.said.trim().is_empty() {
        return Err(Why::Broken("the disk is full, and nothing is said on stderr".to_owned()));
    }
    Ok(())
}

/// Asks that the program ends by itself, with an error, since it cannot write.
pub(super) fn must_fail(
    run: Run<'_>,
    why: &str,
    is_replaced: impl FnOnce() -> bool,
) -> Result<End, Why> {
    if run.follows() {
        run.until(|_| false);
        if run.program.ended().is_none() {
            let within = seconds(run.within());
            return Err(Why::Broken(format!("{why}, and the program goes on after {within}")));
        }
    }
    let end = run.end()?;
    if is_replaced() {
        return Err(Why::NotAsked(REPLACED.to_owned()));
    }
    if end.is_success() {
        return Err(Why::Broken(format!("{why}, and the exit code is 0")));
    }
    Ok(end)
}
