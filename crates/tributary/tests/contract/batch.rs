//! Looks that wait for nothing, and batches that are written at once.

use std::fs::File;

use tributary::{Batch, Error, Look, Marks, Options, Probe, Read, Wake};

use crate::common::{Merge, Place};

/// Looks at the first source until there is an answer that is not [`Look::More`].
fn look(merge: &mut Merge, batch: &mut Batch) -> Look {
    loop {
        match merge.sources[0].look_into(batch, 64).unwrap() {
            Look::More => {}
            look => return look,
        }
    }
}

/// Writes the batch, has the first source looked at by `read_lines`, writes what that
/// gives, and returns what the output has then.
fn write_and_wait(place: &Place, merge: &mut Merge, batch: &mut Batch) -> String {
    merge.output.append_batch(batch).unwrap();
    batch.clear();
    while let Read::Lines(lines) = merge.sources[0].read_lines().unwrap() {
        batch.push(lines);
        merge.output.append_batch(batch).unwrap();
        batch.clear();
    }
    place.merged()
}

fn notified() -> Place {
    let mut place = Place::new();
    place.options.wake = Wake::Notify;
    place
}

#[test]
fn a_source_is_read_at_once_and_is_idle_when_its_changes_are_notified() {
    let place = notified();
    place.append("app.log", "one\ntwo\nthr");
    let (mut merge, mut batch) = (place.open(), Batch::new(1024));
    // Nothing is watched yet.
    assert_eq!(look(&mut merge, &mut batch), Look::Blocks);
    assert_eq!(batch.as_bytes(), b"one\ntwo\n");
    assert_eq!(write_and_wait(&place, &mut merge, &mut batch), "one\ntwo\n");

    let mut places = Vec::new();
    merge.ready.take(&mut places);
    assert_eq!(places, [0], "nobody had looked");
    let changed = merge.ready.changed();
    place.append("app.log", "ee\nfour\nfi");
    changed.wait();
    assert!(merge.sources[0].is_changed());
    assert_eq!(look(&mut merge, &mut batch), Look::Idle);
    assert_eq!(batch.as_bytes(), b"three\nfour\n");
    assert!(!merge.sources[0].is_changed());
}

#[test]
fn what_is_more_than_to_read_on_is_left_to_who_may_wait() {
    for (what, happens) in [
        ("truncated", (|place| drop(File::create(place.path("app.log")).unwrap())) as fn(&Place)),
        ("rewritten", |place| {
            std::fs::write(place.path("app.log"), "another line\nand more\n").unwrap();
        }),
        ("rotated", |place| place.rename("app.log", "app.log.1")),
        ("reserved", |place| {
            let log = File::options().write(true).open(place.path("app.log")).unwrap();
            log.set_len(100).unwrap();
        }),
    ] {
        let place = notified();
        place.append("app.log", "a line\n");
        let (mut merge, mut batch) = (place.open(), Batch::new(1024));
        assert_eq!(write_and_wait(&place, &mut merge, &mut batch), "a line\n");
        merge.ready.take(&mut Vec::new());
        let changed = merge.ready.changed();
        happens(&place);
        changed.wait();
        assert_eq!(look(&mut merge, &mut batch), Look::Blocks, "{what}");
        assert!(batch.is_empty(), "{what}");
    }
}

#[test]
fn a_line_waits_for_a_batch_that_has_room_and_a_long_one_for_who_may_wait() {
    let place = Place::new();
    place.append("app.log", format!("{}\n{}\n", "x".repeat(39), "y".repeat(200)));
    let (mut merge, mut batch) = (place.open(), Batch::new(64));
    assert_eq!(look(&mut merge, &mut batch), Look::Full);
    assert_eq!(batch.as_bytes().len(), 40);
    merge.output.append_batch(&batch).unwrap();
    batch.clear();
    assert_eq!(look(&mut merge, &mut batch), Look::Blocks, "it fits into no batch");
    write_and_wait(&place, &mut merge, &mut batch);
    assert_eq!(place.merged(), place.read("app.log"));
}

#[test]
fn marks_are_put_round_the_lines_of_a_batch_and_what_does_not_fit_is_read_again() {
    let place = Place::new();
    let marks = Marks::Prefix("a prefix of more than one byte: ".parse().unwrap());
    place.append("app.log", "a\n".repeat(100));
    let mut merge = place.merge(&["app.log"], Options { marks, ..place.options.clone() });
    let mut batch = Batch::new(512);
    while look(&mut merge, &mut batch) == Look::Full {
        assert!(batch.as_bytes().len() < 1024, "a batch is filled, and a line more");
        merge.output.append_batch(&batch).unwrap();
        batch.clear();
    }
    let merged = write_and_wait(&place, &mut merge, &mut batch);
    assert_eq!(merged, "a prefix of more than one byte: a\n".repeat(100));
}

#[test]
fn what_was_read_into_a_batch_and_not_written_is_read_again_by_the_next_merge() {
    let place = Place::with_checkpoint();
    place.append("app.log", "one\n");
    let mut merge = place.open();
    let mut batch = Batch::new(1024);
    write_and_wait(&place, &mut merge, &mut batch);
    place.append("app.log", "two\nthree\n");
    assert_eq!(look(&mut merge, &mut batch), Look::Blocks);
    assert_eq!(batch.as_bytes(), b"two\nthree\n");
    // Not written: the merge is killed.
    drop(merge);
    assert_eq!(
        place.run(&["app.log"], Options { follow: false, ..place.options.clone() }),
        "one\ntwo\nthree\n"
    );
}

#[test]
fn the_error_of_a_probe_ends_the_source() {
    let place = Place::new();
    place.append("app.log", "one\n");
    let probe = Some(Probe::new(|_, _| Err(std::io::Error::other("refused"))));
    let mut merge = place.merge(&["app.log"], Options { probe, ..place.options.clone() });
    let looked = merge.sources[0].look_into(&mut Batch::new(64), 64);
    assert!(matches!(looked, Err(Error::Read { .. })), "{looked:?}");
    assert!(merge.stop.requested());
}
