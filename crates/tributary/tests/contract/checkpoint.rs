//! Exactly once: merges that are killed, and go on where they stood.
//!
//! The stories have what happens here in every order; these tests have it by
//! itself. To drop a plan is what `kill -9` is, at a moment of our choice: nothing
//! is saved. `Output::finish` saves the checkpoint, and the merge may go on.

use std::fs::{self, File};
use std::path::Path;
use std::time::Duration;

use crate::common::{Merge, Place};
use tributary::{Durability, Error, Options, Plan, Read};

#[test]
fn what_was_written_after_the_checkpoint_is_written_again_and_once() {
    let place = Place::with_checkpoint();
    place.append(&place.log, "1\n2\n");
    let mut plan = place.open();
    plan.drain();
    plan.output.finish().unwrap();
    place.append(&place.log, "3\n");
    assert_eq!(plan.look(), "1\n2\n3\n");
    drop(plan);

    let mut plan = place.open();
    assert_eq!(place.merged(), "1\n2\n", "cut back to the checkpoint");
    place.append(&place.log, "4\n");
    assert_eq!(plan.look(), "1\n2\n3\n4\n");
}

#[test]
fn a_half_line_is_left_for_the_next_run() {
    let place = Place::with_checkpoint();
    place.append(&place.log, "1\nha");
    let mut plan = place.open();
    plan.stop.request();
    plan.drain();
    plan.output.finish().unwrap();
    assert_eq!(place.merged(), "1\n");
    drop(plan);
    place.append(&place.log, "lf\n");
    let mut plan = place.open();
    assert_eq!(plan.look(), "1\nhalf\n");
}

#[test]
fn a_file_that_was_known_and_not_read_yet_is_found_again() {
    let place = Place::with_checkpoint();
    let mut last = place.append(&place.log, "1\n");
    let mut plan = place.open();
    plan.drain();
    for (number, line) in [(1, "2\n"), (2, "3\n")] {
        place.rename("app.log", format!("app.log.{number}"));
        last = successor(&place.log, &last);
        place.append(&place.log, line);
    }
    // Both are known by now, and the second one has given nothing.
    assert!(plan.look_once());
    plan.output.finish().unwrap();
    drop(plan);
    assert_eq!(place.merged(), "1\n2\n");
    place.rename("app.log", "app.log.3");
    successor(&place.log, &last);
    place.append(&place.log, "4\n");
    // Also if it was born long before the checkpoint.
    let saved = place.read("state");
    let (head, rest) = saved.split_once("\"at\":").unwrap();
    let (at, rest) = rest.split_at(rest.find('}').unwrap());
    let later = at.parse::<u64>().unwrap() + 3_600_000_000_000;
    fs::write(&place.checkpoint, format!("{head}\"at\":{later}{rest}")).unwrap();
    let mut plan = place.open();
    assert_eq!(plan.look(), "1\n2\n3\n4\n");
}

#[test]
fn a_rotated_file_that_was_let_go_is_not_read_again() {
    let place = Place::with_checkpoint();
    place.append(&place.log, "1\nhalf");
    let mut plan = place.open_with(|it| it.quiet = Duration::ZERO);
    plan.drain();
    place.rename("app.log", "app.log.1");
    place.append(&place.log, "2\n");
    plan.drain();
    let merged = place.merged();
    assert!(merged == "1\nhalf\n2\n" || merged == "1\n2\nhalf\n", "{merged:?}");
    plan.end();
    // It is remembered for as long as it is there.
    let offsets = || place.read("state").matches("\"offset\"").count();
    assert_eq!(offsets(), 2);
    let mut plan = place.open();
    assert_eq!(plan.look(), merged);
    drop(plan);
    fs::remove_file(place.path("app.log.1")).unwrap();
    place.open().output.finish().unwrap();
    assert_eq!(offsets(), 1);
}

#[test]
fn lines_that_are_still_held_are_not_in_the_checkpoint() {
    let place = Place::with_checkpoint();
    place.append(&place.log, "1\n");
    let mut plan = place.open_with(|it| it.quiet = Duration::ZERO);
    plan.drain();
    place.append(&place.log, "2\n");
    place.rename("app.log", "app.log.1");
    place.append(&place.log, "3\n");
    // The old file is let go with the last look, and its line was never appended.
    let look = |plan: &mut Merge| plan.sources[0].read_lines().unwrap();
    let held = [look(&mut plan), look(&mut plan)];
    assert!(matches!(&held, [Read::Lines(_), Read::Lines(_)]));
    assert!(matches!(look(&mut plan), Read::NoNewData));
    plan.output.finish().unwrap();
    drop((plan, held));
    assert_eq!(place.open().look(), "1\n2\n3\n");
}

#[test]
fn a_half_line_that_is_not_handed_out_at_the_stop_is_not_in_the_checkpoint() {
    let place = Place::with_checkpoint();
    place.append("d/other.log", "1\n");
    let options = |pattern| Options { quiet: Duration::ZERO, ..place.pattern(pattern) };
    let mut plan = place.merge(&[], options("d/*.log"));
    plan.drain();
    // Both join by the pattern, and share a source.
    for log in ["d/a.log", "d/b.log"] {
        place.append(log, "2\nhalf");
    }
    plan.look_until("1\n2\n2\n");
    for (log, old) in [("d/a.log", "d/a.old"), ("d/b.log", "d/b.old")] {
        place.rename(log, old);
    }
    let source = plan.sources.len() - 1;
    let look = |plan: &mut Merge| match plan.sources[source].read_lines().unwrap() {
        Read::Lines(lines) => lines,
        other => panic!("{other:?}"),
    };
    // Both are let go with one look, which hands out the end of one of them.
    let one = look(&mut plan);
    plan.output.append(&one).unwrap();
    drop(one);
    plan.stop.request();
    let other = look(&mut plan);
    plan.output.finish().unwrap();
    drop((plan, other));
    assert_eq!(place.merged(), "1\n2\n2\nhalf\n");
    for old in ["d/a.old", "d/b.old"] {
        place.append(old, " a line\n");
    }
    let merged = place.merge(&[], options("d/*.old")).look();
    let lines = |line| merged.lines().filter(|it| *it == line).count();
    assert_eq!((lines("half"), lines("half a line")), (1, 1), "{merged:?}");
}

#[test]
fn lines_that_are_still_held_are_not_noted_of_a_file_that_gets_the_inode() {
    for _ in 0..20 {
        let place = Place::with_checkpoint();
        let options = Options { quiet: Duration::ZERO, ..place.options.clone() };
        let logs = ["app.log", "other.log"];
        place.append(&place.log, "1\nhalf");
        let mut plan = place.merge(&logs, options.clone());
        plan.drain();
        // The file is let go, and its last line is not in the output.
        fs::remove_file(&place.log).unwrap();
        let Read::Lines(half) = plan.sources[0].read_lines().unwrap() else { panic!("a line") };
        place.append("other.log", "other 1\nother 2\n");
        let Read::Lines(other) = plan.sources[1].read_lines().unwrap() else { panic!("lines") };
        for lines in [other, half] {
            plan.output.append(&lines).unwrap();
        }
        plan.end();
        assert_eq!(place.merge(&logs, options).look(), "1\nother 1\nother 2\nhalf\n");
    }
}

#[test]
fn another_file_with_the_same_name_is_read_from_its_start() {
    let place = Place::with_checkpoint();
    place.append(&place.log, "1\n2\n");
    place.open().end();
    // The same inode, and longer than where we stood: the bytes tell.
    fs::write(&place.log, "a\nb\nc\n").unwrap();
    let mut plan = place.open();
    assert_eq!(plan.look(), "1\n2\na\nb\nc\n");
}

#[test]
fn a_checkpoint_of_no_use_is_an_error_and_never_a_fresh_start() {
    let place = Place::with_checkpoint();
    place.append(&place.log, "1\n");
    place.open().end();
    let good = place.read("state");
    let name = place.checkpoint.display().to_string();

    for (text, why) in [
        (String::new(), "it is empty"),
        (good[..good.len() / 2].to_owned(), "it is damaged"),
        (good.replace("\"version\":2", "\"version\":3"), "its version is 3"),
        (good.replacen("}\n", "\n", 1), "it is damaged"),
        ("\0".repeat(100), "it is damaged"),
    ] {
        fs::write(&place.checkpoint, &text).unwrap();
        let message = place.refused(place.options.clone()).to_string();
        assert!(message.starts_with(&name) && message.contains(why), "{why}: {message}");
        assert_eq!(place.merged(), "1\n", "nothing was changed");
    }
}

#[test]
fn a_file_that_is_no_checkpoint_is_never_replaced_by_one() {
    let place = Place::with_checkpoint();
    let log = "a line\nof a log\n";
    place.append(&place.log, log);
    place.append("other.log", log);
    place.append("json.log", "{\"level\":\"info\"}\n");
    fs::hard_link(&place.log, place.path("linked")).unwrap();
    place.append("empty.log", "");
    let sources = [place.log.clone(), place.path("empty.log")];
    let something_else = "a file of another kind";
    for (checkpoint, what, restarts) in [
        ("app.log", something_else, &[false, true][..]),
        ("other.log", something_else, &[false, true]),
        ("json.log", something_else, &[false, true]),
        ("linked", something_else, &[false, true]),
        // Without a restart an empty checkpoint is of no use.
        ("empty.log", "also a source (as ", &[true]),
    ] {
        for &restart in restarts {
            let checkpoint = place.path(checkpoint);
            let before = fs::read(&checkpoint).unwrap();
            let checkpoint = Some(checkpoint);
            let options = Options { checkpoint, restart, ..place.options.clone() };
            let error = Plan::open(&sources, &place.output, options.clone()).unwrap_err();
            assert!(matches!(error, Error::NotACheckpoint { .. }), "{error}");
            assert!(error.to_string().contains(what), "{error}");
            assert_eq!(fs::read(options.checkpoint.unwrap()).unwrap(), before);
        }
    }
}

#[test]
fn a_checkpoint_with_a_length_that_cannot_be_is_no_panic() {
    let place = Place::with_checkpoint();
    let options = || Options { follow: false, ..place.pattern("app.log*") };
    let lines = "a line\n".repeat(50);
    place.append(&place.log, &lines);
    let mut plan = place.merge(&[], Options { follow: true, ..options() });
    plan.drain();
    // Truncated: a copy of what it had is known by a few numbers.
    fs::write(&place.log, "new\n").unwrap();
    plan.end();
    let saved = place.read("state");
    let (good, bad) = ("\"length\":256,", "\"length\":257,");
    assert!(saved.contains(good), "{saved}");
    fs::write(&place.checkpoint, saved.replace(good, bad)).unwrap();
    place.append("app.log.1", &lines);
    // It is not known now.
    assert_eq!(place.run(&[], options()), lines.clone() + "new\n" + &lines);
}

#[test]
fn a_second_merge_into_the_same_output_is_refused() {
    let place = Place::new();
    place.append(&place.log, "1\n");
    let mut plan = place.open();
    plan.drain();
    let error = place.refused(place.options.clone());
    assert!(error.to_string().contains("another merge writes to it"), "{error}");
    assert_eq!(place.merged(), "1\n", "nothing was changed");
    drop(plan);
    place.open();
}

#[test]
fn a_save_that_failed_ends_the_merge_and_is_its_error_although_the_last_one_goes_well() {
    let place = Place::with_checkpoint();
    fs::create_dir(place.path("folder")).unwrap();
    let checkpoint = Some(place.path("folder/state"));
    let mut plan = place.open_with(|it| it.checkpoint = checkpoint);
    // There is no place for a new journal, for a while. The old one takes a few lines.
    place.rename("folder", "moved");
    testkit::until("the merge stops", || {
        place.append(&place.log, "line\n");
        plan.drain();
        plan.stop.requested()
    });
    place.rename("moved", "folder");
    plan.drain();
    let error = plan.output.finish().unwrap_err();
    assert!(matches!(error, Error::Checkpoint { .. }), "{error}");
}

#[test]
fn every_durability_writes_the_same() {
    for durability in [Durability::None, Durability::Flush, Durability::Fsync] {
        let place = Place::with_checkpoint();
        place.append(&place.log, "1\n2\n");
        let options = Options { durability, follow: false, ..place.options.clone() };
        let mut plan = place.merge(&["app.log"], options);
        plan.drain();
        assert_eq!(plan.output.finish().unwrap().lines, 2);
        assert_eq!(place.merged(), "1\n2\n");
        drop(plan);
        // There is nothing to sync in a device, and that is no error.
        let options = Options { durability, ..Options::default() };
        let mut plan = Merge::new(&place.log, Path::new("/dev/null"), options);
        plan.drain();
        assert_eq!(plan.output.finish().unwrap().lines, 2);
    }
}

/// Creates the file that comes after `last`, as a rotation does: later, also
/// by the clock of the file system, which ticks. Files of one tick that nobody
/// saw with their name have no order.
fn successor(log: &Path, last: &File) -> File {
    let born = |file: &File| file.metadata().unwrap().created().unwrap();
    loop {
        let next = crate::common::append(log, "");
        if born(&next) > born(last) {
            return next;
        }
        fs::remove_file(log).unwrap();
    }
}

#[test]
fn a_checkpoint_of_the_version_before_is_read() {
    use std::os::unix::fs::MetadataExt;
    let place = Place::with_checkpoint();
    place.append(&place.log, "1\n2\n");
    place.append(&place.output, "1\nbehind the checkpoint\n");
    let id = |path: &Path| {
        let metadata = fs::metadata(path).unwrap();
        format!("\"device\":{},\"inode\":{}", metadata.dev(), metadata.ino())
    };
    let (output, file) = (id(&place.output), id(&place.log));
    let path = place.log.display();
    fs::write(
        &place.checkpoint,
        format!(
            "{{\"version\":1,\"output\":{{{output},\"length\":2}},\"sources\":[{{\"path\":\"{path}\",\
             \"at\":1,\"files\":[{{{file},\"offset\":2,\"before\":\"1\\n\"}}]}}]}}\n"
        ),
    )
    .unwrap();
    // Rotated since then, too.
    place.rename("app.log", "app.log.1");
    place.append(&place.log, "3\n");
    place.open().end();
    assert_eq!(place.merged(), "1\n2\n3\n");
    assert!(place.read("state").starts_with("{\"version\":2}\n"));
}
