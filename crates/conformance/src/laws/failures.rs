//! What happens when something fails.

use std::fs;
use std::io;
use std::panic::resume_unwind;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use tributary::{Error, MergeFn, Moment, Options, Plan};

use crate::broken::{Broken, Verdict, require};
use crate::fifo::Fifo;
use crate::run::{HOUR, SOON, chain};
use crate::scene::Scene;

/// A source that is missing is an error that names it, and changes nothing.
pub fn a_missing_source_is_an_error_that_names_it(merge: MergeFn) -> Verdict {
    let scene = Scene::new();
    let missing = scene.path("missing.log");
    let good = scene.logs(1).remove(0);
    let error = refused(merge, &scene, &[&good.path, &missing])?;
    let is_said = matches!(&error, Error::Open { path, cause }
        if *path == missing && cause.kind() == io::ErrorKind::NotFound);
    says(&error, is_said, &missing, "is missing")
}

/// A source that cannot be read is an error that names it, and changes nothing.
///
/// It is a directory, and the only source: a file that one user may not read,
/// another one may.
pub fn an_unreadable_source_is_an_error_that_names_it(merge: MergeFn) -> Verdict {
    let scene = Scene::new();
    let folder = scene.path("folder.log");
    fs::create_dir(&folder).expect("the folder can be written");
    let error = refused(merge, &scene, &[&folder])?;
    let is_said = error.path() == Some(&folder) && chain(&error).contains("a directory");
    says(&error, is_said, &folder, "is a directory")
}

/// Requires that the error says what is so of a path.
#[track_caller]
fn says(error: &Error, is_said: bool, path: &Path, what: &str) -> Verdict {
    require(is_said, || format!("expected that {} {what}, found: {}", path.display(), chain(error)))
}

/// Merges sources of which the last is bad, and returns the error; the output
/// that was there must be as it was.
fn refused(merge: MergeFn, scene: &Scene, sources: &[&Path]) -> Result<Error, Broken> {
    const KEPT: &str = "an older output\n";
    fs::write(&scene.output, KEPT).expect("the folder can be written");
    let ended = Plan::open(sources, &scene.output, Options::default()).and_then(merge);
    let merged = scene.merged();
    require(merged == KEPT.as_bytes(), || {
        format!(
            "expected the output as it was, \"an older output\\n\", found {} bytes",
            merged.len()
        )
    })?;
    match ended {
        Ok(_) => Err(Broken::new(format!("expected an error that names {sources:?}"))),
        Err(error) => Ok(error),
    }
}

/// A source that fails ends the run, with its error and its path.
///
/// One of three sources fails at its third look; the others have nothing, and
/// an hour to wait.
pub fn a_failing_source_ends_the_run_and_is_named(merge: MergeFn) -> Verdict {
    const CAUSE: &str = "the disk is gone";
    let scene = Scene::new();
    let logs = scene.logs(3);
    logs[1].append(1..=10).expect("a log can be written");
    let failing = logs[1].clone();
    let run = scene.following(&logs, HOUR).during(move |look| {
        if look.found_nothing(&failing) { Err(io::Error::other(CAUSE)) } else { Ok(()) }
    });
    let error = run.run(merge).error()?;
    let is_said = matches!(&error, Error::Read { path, cause }
        if *path == logs[1].path && cause.to_string() == CAUSE);
    says(&error, is_said, &logs[1].path, "cannot be read")
}

/// When a source fails, the lines of the others and those it gave are merged.
///
/// Five sources have several chunks of lines. The third one fails when it has
/// given all of its lines; the others may not have been looked at by then.
pub fn a_failing_source_lets_the_lines_of_the_others_through(merge: MergeFn) -> Verdict {
    let scene = Scene::new();
    let logs = scene.logs(5);
    for log in &logs {
        log.append(1..=if log.index == 2 { 10 } else { 10_000 }).expect("a log can be written");
    }
    let failing = logs[2].clone();
    let run = scene.following(&logs, SOON).during(move |look| {
        if look.begins(&failing) && look.count == 2 {
            Err(io::Error::other("the disk is gone"))
        } else {
            Ok(())
        }
    });
    run.run(merge).error()?;
    scene.require_right(&logs)
}

/// A disk that is full ends the run, with the error and the path of the output.
///
/// The output is `/dev/full`; one source has lines, and the others have
/// nothing, and an hour to wait.
pub fn a_full_disk_ends_the_run_and_the_output_is_named(merge: MergeFn) -> Verdict {
    const FULL: &str = "/dev/full";
    let scene = Scene::new();
    let logs = scene.logs(3);
    logs[1].append(1..=10_000).expect("a log can be written");
    let error = scene.following(&logs, HOUR).into(FULL).run(merge).error()?;
    let is_said = matches!(&error, Error::Write { path, cause }
        if path == Path::new(FULL) && cause.kind() == io::ErrorKind::StorageFull);
    says(&error, is_said, Path::new(FULL), "is full")
}

/// A reader of the output that goes away ends the run, with the output's path.
///
/// The output is a FIFO whose reader takes a little and leaves. One source has
/// something new at every look; the others have nothing, and an hour to wait.
pub fn a_reader_that_goes_away_ends_the_run_and_the_output_is_named(merge: MergeFn) -> Verdict {
    let scene = Scene::new();
    let logs = scene.logs(3);
    let mut fifo = Fifo::new(scene.path("fifo"));
    let path = fifo.path.clone();
    let busy = logs[1].clone();
    let run = scene.following(&logs, HOUR).into(&path).during(move |look| {
        if look.begins(&busy) { busy.append(look.count..=look.count) } else { Ok(()) }
    });
    let run = run.run(merge);
    fifo.read_some(&run)?;
    drop(fifo);
    let error = run.error()?;
    let is_said = matches!(&error, Error::Write { path: named, cause }
        if *named == path && cause.kind() == io::ErrorKind::BrokenPipe);
    says(&error, is_said, &path, "is a broken pipe")
}

/// A panic at a source ends the run and comes out of it as it was.
///
/// One of three sources panics when the others were found empty; they have an
/// hour to wait.
pub fn a_panic_ends_the_run_and_comes_out_of_it(merge: MergeFn) -> Verdict {
    /// A value that no other panic has.
    #[derive(PartialEq)]
    struct Payload(u64);
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);

    let scene = Scene::new();
    let logs = scene.logs(3);
    let panicking = logs[1].clone();
    let run = scene.following(&logs, HOUR).during(move |look| {
        if look.moment == Moment::FoundNothing && look.path == panicking.path {
            // A panic like any other, except that it does not print.
            resume_unwind(Box::new(Payload(number)));
        }
        Ok(())
    });
    match run.run(merge).end()? {
        Ok(Ok(_)) => Err(Broken::new("a source panicked, and the merge returned a report")),
        Ok(Err(error)) => Err(Broken::new(format!(
            "a source panicked, and the merge returned an error instead: {}",
            chain(&error)
        ))),
        Err(panic) => require(panic.downcast_ref() == Some(&Payload(number)), || {
            let said = crate::try_law::message_of(&*panic);
            format!("expected the panic of the source, found another one: {said}")
        }),
    }
}
