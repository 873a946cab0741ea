//! What becomes of the lines.

use checker::Kind;

use crate::scene::{End, Scene};
use crate::{Judging, Why};

pub(super) fn every_line_is_merged_once(judging: &Judging<'_>) -> Result<(), Why> {
    merged_without(&[Kind::Lost, Kind::Doubled], judging)
}

pub(super) fn each_source_keeps_its_order(judging: &Judging<'_>) -> Result<(), Why> {
    merged_without(&[Kind::OutOfOrder], judging)
}

pub(super) fn no_line_is_torn_or_mixed(judging: &Judging<'_>) -> Result<(), Why> {
    merged_without(&[Kind::Torn, Kind::Glued, Kind::Changed, Kind::Unfinished], judging)
}

pub(super) fn nothing_is_added(judging: &Judging<'_>) -> Result<(), Why> {
    merged_without(&[Kind::Foreign], judging)
}

/// Merges three files of 80 KB, which grow once while they are followed.
fn merged_without(kinds: &[Kind], judging: &Judging<'_>) -> Result<(), Why> {
    let mut scene = Scene::new(judging, 3);
    scene.logs.iter_mut().for_each(|log| log.write(2_000));
    let end = merge_and_grow(&mut scene)?;
    scene.check_for(kinds, &end)
}

/// Merges the logs, which get two lines more each while they are followed.
fn merge_and_grow(scene: &mut Scene<'_>) -> Result<End, Why> {
    let run = scene.run()?;
    if run.follows() && run.until_written(scene.bytes()) {
        scene.logs.iter_mut().for_each(|log| log.write(2));
        run.until_written(scene.bytes());
    }
    run.end()
}

pub(super) fn bytes_are_bytes(judging: &Judging<'_>) -> Result<(), Why> {
    let mut scene = Scene::new(judging, 2);
    scene.logs[0]
        .write_bytes(b"CR\r\nNUL \0\nnot UTF-8 \xff\xfe\n\n  blanks  \nC:\\new\\t %s\n-n\n");
    scene.logs[1].write_bytes(b"\xc3\xa9\n* ~ $HOME\n");
    let end = scene.merge()?;
    scene.check_bytes(&end)
}

pub(super) fn a_last_line_without_a_newline_gets_one(judging: &Judging<'_>) -> Result<(), Why> {
    let mut scene = Scene::new(judging, 3);
    for (log, whole) in scene.logs.iter_mut().zip([3, 0, 3]) {
        log.write(whole);
        let line = log.next(b"without a newline");
        log.write_bytes(&line[..line.len() - 1]);
    }
    let end = scene.merge()?;
    scene.check(&end)
}

pub(super) fn a_line_longer_than_every_buffer_stays_whole(
    judging: &Judging<'_>,
) -> Result<(), Why> {
    let mut scene = Scene::new(judging, 2);
    scene.logs.iter_mut().for_each(|log| log.write(3));
    let long = scene.logs[0].next(&vec![b'x'; 1 << 20]);
    scene.logs[0].write_bytes(&long);
    scene.logs.iter_mut().for_each(|log| log.write(3));
    let end = scene.merge()?;
    scene.check(&end)
}

pub(super) fn an_empty_source_holds_nothing_up(judging: &Judging<'_>) -> Result<(), Why> {
    let mut scene = Scene::new(judging, 3);
    scene.logs[1].write(10);
    let end = scene.merge()?;
    scene.check(&end)
}
