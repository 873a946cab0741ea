//! What happens while a program follows its files.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rustix::process::Signal;

use crate::log::Log;
use crate::scene::{Run, Scene, size};
use crate::{Judging, Why};

/// Starts a program on two logs of ten lines, and waits until it has merged them.
fn begun<'a>(judging: &'a Judging<'a>) -> Result<(Scene<'a>, Run<'a>), Why> {
    let mut scene = Scene::new(judging, 2);
    scene.logs.iter_mut().for_each(|log| log.write(10));
    let run = scene.run()?;
    run.must_have_written(scene.bytes(), "what was there from the beginning")?;
    Ok((scene, run))
}

/// Ends a program when it has written as much as it should, and checks what it has written.
fn merges_it_all(scene: &Scene<'_>, run: Run<'_>) -> Result<(), Why> {
    run.until_written(scene.bytes());
    let end = run.end()?;
    scene.check(&end)
}

/// Has something become of the first log while the program stands still, so that the
/// program meets all of it at once.
fn while_it_stands_still(judging: &Judging<'_>, change: impl FnOnce(&mut Log)) -> Result<(), Why> {
    let (mut scene, run) = begun(judging)?;
    run.program.freeze();
    change(&mut scene.logs[0]);
    run.program.signal(Signal::CONT);
    merges_it_all(&scene, run)
}

/// The first half stays alone until it is in the output, which is wrong, or until five
/// lines of the other file have come out, one after the other: the program has
/// looked at the half by then, and the next line comes after that look.
pub(super) fn a_line_written_in_pieces_appears_whole(judging: &Judging<'_>) -> Result<(), Why> {
    let (mut scene, run) = begun(judging)?;
    for _ in 0..3 {
        let line = scene.logs[0].next(b"in two halves");
        let (first, second) = line.split_at(line.len() / 2);
        scene.logs[0].write_bytes(first);
        for _ in 0..5 {
            scene.logs[1].write(1);
            run.until_written(scene.bytes());
        }
        // A half that was passed on stands in the output beside those lines.
        let passed_on = size(&scene.output) > scene.bytes();
        scene.logs[1].write(1);
        run.until_written(scene.bytes() + if passed_on { first.len() as u64 } else { 0 });
        scene.logs[0].write_bytes(second);
        run.until_written(scene.bytes());
    }
    let end = run.end()?;
    scene.check(&end)
}

pub(super) fn what_is_written_during_the_run_appears_before_the_stop(
    judging: &Judging<'_>,
) -> Result<(), Why> {
    let (mut scene, run) = begun(judging)?;
    for at in [0, 1, 0] {
        scene.logs[at].write(1);
        run.must_have_written(scene.bytes(), "a line that was appended while the program ran")?;
    }
    let end = run.end()?;
    scene.check(&end)
}

/// The program stands still while the lines are written and SIGTERM is sent, so it has
/// not read them before.
pub(super) fn what_was_written_before_the_stop_is_merged(judging: &Judging<'_>) -> Result<(), Why> {
    let (mut scene, run) = begun(judging)?;
    run.program.freeze();
    scene.logs.iter_mut().for_each(|log| log.write(1_000));
    run.ask_to_stop();
    run.program.signal(Signal::CONT);
    let end = run.end()?;
    scene.check(&end)
}

pub(super) fn a_stop_ends_the_run(judging: &Judging<'_>) -> Result<(), Why> {
    let (_scene, run) = begun(judging)?;
    run.end().map(drop)
}

/// How long a writer pauses that does not wait for anything.
const PACE: Duration = Duration::from_millis(1);

/// What becomes of the lines that are written meanwhile is not asked.
pub(super) fn a_stop_ends_the_run_although_the_writers_never_pause(
    judging: &Judging<'_>,
) -> Result<(), Why> {
    let (mut scene, run) = begun(judging)?;
    let has_ended = AtomicBool::new(false);
    let mut busy = scene.logs.remove(0);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !has_ended.load(Ordering::Relaxed) {
                busy.write(10);
                thread::sleep(PACE);
            }
        });
        let bytes = scene.bytes();
        run.until_written(2 * bytes + 100);
        let ended = run.end().map(drop);
        has_ended.store(true, Ordering::Relaxed);
        ended
    })
}

pub(super) fn a_renamed_file_is_read_to_its_end_before_its_successor(
    judging: &Judging<'_>,
) -> Result<(), Why> {
    while_it_stands_still(judging, |log| {
        log.write(10);
        log.rename();
        log.write(10);
        log.create();
        log.write(10);
    })
}

/// The successor's lines are out already when the writer of the old file goes on.
pub(super) fn what_is_written_late_to_a_renamed_file_is_merged(
    judging: &Judging<'_>,
) -> Result<(), Why> {
    let (mut scene, run) = begun(judging)?;
    let log = &mut scene.logs[0];
    log.rename();
    log.create();
    log.write(10);
    run.must_have_written(scene.bytes(), "the first line of the new file")?;
    scene.logs[0].write_late(10);
    merges_it_all(&scene, run)
}

/// The writer keeps the deleted file open, so the new one is another.
pub(super) fn a_deleted_file_that_is_made_anew_is_followed(
    judging: &Judging<'_>,
) -> Result<(), Why> {
    while_it_stands_still(judging, |log| {
        log.write(10);
        log.delete();
        log.create();
        log.write(10);
    })
}

pub(super) fn a_truncated_file_is_read_from_its_start(judging: &Judging<'_>) -> Result<(), Why> {
    let (mut scene, run) = begun(judging)?;
    scene.logs[0].truncate();
    // Less than was in it before: its size alone tells that it is another text.
    scene.logs[0].write(3);
    merges_it_all(&scene, run)
}
