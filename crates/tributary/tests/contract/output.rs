//! The output under its name: rotated, removed, truncated, between two runs and
//! while one runs; and what is never emptied.

use std::fs::{self, File, OpenOptions};
use std::ops::Deref;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::common::Merge;
use crate::common::said::Said;
use testkit::until;
use tributary::{Error, Options, Plan, Read, Target};

/// A place of which it is known what its merges say.
struct Place(crate::common::Place, Said);

impl Deref for Place {
    type Target = crate::common::Place;

    fn deref(&self) -> &crate::common::Place {
        &self.0
    }
}

impl Place {
    fn new() -> Place {
        Place(crate::common::Place::with_checkpoint(), Said::here())
    }

    /// Merges what is there, in a run that ends well.
    fn run(&self) {
        self.0.run(&["app.log"], self.options.clone());
    }

    fn rotate(&self, number: u32) -> PathBuf {
        let rotated = self.output.with_extension(number.to_string());
        self.rename(&self.output, &rotated);
        rotated
    }

    fn said(&self) -> String {
        self.1.events()
    }

    /// The names of all files, to see that none came or went.
    fn names(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.path("")).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        names.sort();
        names
    }
}

#[test]
fn an_output_with_lines_is_not_emptied_when_its_checkpoint_is_missing() {
    let place = Place::new();
    place.append(&place.log, "1\n");
    place.append(&place.output, "months\nof\nlines\n");
    let error = place.refused(place.options.clone());
    assert!(matches!(error, Error::UnknownLines { bytes: 16, .. }), "{error}");
    assert_eq!(place.merged(), "months\nof\nlines\n");
    assert!(!place.checkpoint.exists());

    place.merge(&["app.log"], Options { append: true, ..place.options.clone() }).end();
    assert_eq!(place.merged(), "months\nof\nlines\n1\n");

    // Said on purpose, and whatever the checkpoint is.
    for checkpoint in [None, Some("{\"version\":2}\ndamaged"), Some("")] {
        match checkpoint {
            Some(text) => fs::write(&place.checkpoint, text).unwrap(),
            None => fs::remove_file(&place.checkpoint).unwrap(),
        }
        let mut plan =
            place.merge(&["app.log"], Options { restart: true, ..place.options.clone() });
        plan.drain();
        drop(plan);
        assert_eq!(place.merged(), "1\n", "{checkpoint:?}");
    }
    // Without a checkpoint it is as with `>`.
    place.merge(&["app.log"], Options::default());
    assert_eq!(place.merged(), "");
}

#[test]
fn what_is_refused_leaves_everything_as_it_was() {
    let place = Place::new();
    place.append(&place.log, "1\n");
    let device = PathBuf::from("/dev/null");
    let in_no_folder = place.path("missing/checkpoint");
    let options = |checkpoint: &Path| Options {
        checkpoint: Some(checkpoint.to_owned()),
        append: true,
        ..place.options.clone()
    };
    let bad_pattern = Options { patterns: vec!["[a".into()], ..options(&place.checkpoint) };
    for output_is_there in [false, true] {
        if output_is_there {
            place.append(&place.output, "months\nof\nlines");
        }
        let names = place.names();
        for (options, what) in [
            (bad_pattern.clone(), "cannot be understood"),
            (options(&in_no_folder), "cannot keep the checkpoint"),
            (options(&device), "this is no regular file"),
            (options(&place.path("")), "this is no regular file"),
            (options(&place.output), "it is also the checkpoint"),
        ] {
            let error = place.refused(options);
            assert!(error.to_string().contains(what), "{what}: {error}");
            assert_eq!(place.names(), names, "{what}");
        }
        for target in [Target::Stdout, Target::from(&device)] {
            let error = Plan::open([&place.log], target, place.options.clone()).unwrap_err();
            assert!(error.to_string().contains("cannot be cut back"), "{error}");
        }
    }
    assert_eq!(place.merged(), "months\nof\nlines");
}

#[test]
fn an_output_that_was_renamed_between_two_runs_is_ended_and_a_new_one_begins() {
    for new in [None, Some(""), Some("foreign\nha")] {
        let place = Place::new();
        place.append(&place.log, "1\n2\n");
        let mut plan = place.open();
        plan.drain();
        plan.output.finish().unwrap();
        // Behind the checkpoint.
        place.append(&place.log, "3\n");
        plan.drain();
        drop(plan);
        let rotated = place.rotate(1);
        if let Some(text) = new {
            place.append(&place.output, text);
        }
        place.append(&place.log, "4\n");
        place.run();
        assert_eq!(place.read(&rotated), "1\n2\n", "cut back");
        let before = if new == Some("foreign\nha") { "foreign\nha\n" } else { "" };
        assert_eq!(place.merged(), format!("{before}3\n4\n"));
        let said = place.said();
        assert!(said.contains("INFO") && said.contains("cut back to the checkpoint"), "{said}");

        place.append(&place.log, "5\n");
        place.run();
        assert_eq!(place.merged(), format!("{before}3\n4\n5\n"), "it goes on in the new one");
    }
}

#[test]
fn a_renamed_output_that_cannot_be_found_is_told() {
    let place = Place::new();
    place.append(&place.log, "1\n");
    place.run();
    let rotated = place.rotate(1);
    // Packed, so that its inode is gone; nobody else may get it.
    let packed = File::create(place.path("merged.1.gz")).unwrap();
    fs::remove_file(&rotated).unwrap();
    place.append(&place.log, "2\n");
    place.run();
    drop(packed);
    let said = place.said();
    assert!(said.contains("WARN") && said.contains("its last lines may stand in both"), "{said}");
    assert_eq!(place.merged(), "2\n");
}

#[test]
fn an_output_of_another_name_and_file_is_refused_whether_it_is_there_or_not() {
    let place = Place::new();
    place.append(&place.log, "1\n");
    place.run();
    let other = place.path("other");
    let open = || Plan::open([&place.log], &other, place.options.clone());
    assert!(open().unwrap_err().to_string().contains("is of another output, "));
    assert!(!other.exists());
    place.append(&other, "not ours\n");
    assert!(open().unwrap_err().to_string().contains("is of another output, "));
    assert_eq!(place.read(&other), "not ours\n");
    // The same file, whatever its name.
    fs::rename(&place.output, &other).unwrap();
    open().unwrap();
}

#[test]
fn an_output_that_is_shorter_than_known_is_told_and_gone_on_with() {
    let place = Place::new();
    place.append(&place.log, "1\n2\n");
    place.run();
    OpenOptions::new().write(true).open(&place.output).unwrap().set_len(3).unwrap();
    place.append(&place.log, "3\n");
    place.run();
    assert_eq!(place.merged(), "1\n2\n3\n");
    let said = place.said();
    assert!(said.contains("has 3 bytes, and the checkpoint speaks of 4"), "{said}");
    place.run();
    assert_eq!(place.said(), "", "once");
}

#[test]
fn a_request_goes_on_in_the_file_that_has_the_name() {
    let place = Place::new();
    place.append(&place.log, "1\n");
    let mut plan = place.open();
    let reopen = plan.reopen();
    plan.drain();
    // Nothing was renamed.
    reopen.request();
    place.append(&place.log, "2\n");
    assert_eq!(plan.look(), "1\n2\n");

    let rotated = place.rotate(1);
    place.append(&place.log, "3\n");
    reopen.request();
    plan.drain();
    assert_eq!(place.read(&rotated), "1\n2\n");
    assert_eq!(place.merged(), "3\n");
    let said = place.said();
    assert!(said.contains("INFO") && said.contains("it was renamed"), "{said}");

    // The new one is ours alone, the old one nobody's.
    let again = place.refused(Options::default());
    assert!(again.to_string().contains("another merge writes to it"), "{again}");
    Plan::open([&place.log], &rotated, Options { append: true, ..Options::default() }).unwrap();

    // What is there already stays, and a half line is ended.
    place.rotate(2);
    place.append(&place.output, "foreign");
    place.append(&place.log, "4\n");
    reopen.request();
    assert_eq!(plan.look(), "foreign\n4\n");

    // The end counts as well.
    place.rotate(3);
    plan.output.finish().unwrap();
    assert_eq!(place.merged(), "");
    drop(plan);
    place.append(&place.log, "5\n");
    place.run();
    assert_eq!(place.merged(), "5\n");
}

#[test]
fn what_has_no_name_of_ours_is_left_alone() {
    let place = Place::new();
    place.append(&place.log, "1\n");
    let mut plan = Merge::new(&place.log, Path::new("/dev/null"), Options::default());
    plan.reopen().request();
    plan.drain();
    assert_eq!(plan.output.finish().unwrap().lines, 1);
    assert_eq!(place.said(), "");
}

#[test]
fn a_new_output_that_cannot_be_opened_is_told_and_the_old_one_gone_on_with() {
    let place = Place::new();
    place.append(&place.log, "1\n");
    let mut plan = place.open();
    plan.drain();
    let rotated = place.rotate(1);
    fs::create_dir(&place.output).unwrap();
    for line in ["2\n", "3\n"] {
        place.append(&place.log, line);
        plan.reopen().request();
        plan.drain();
    }
    let said = place.said();
    assert_eq!(said.matches("a new one cannot be opened").count(), 1, "{said}");
    fs::remove_dir(&place.output).unwrap();
    place.append(&place.log, "4\n");
    plan.reopen().request();
    plan.drain();
    assert_eq!(place.read(&rotated), "1\n2\n3\n");
    assert_eq!(place.merged(), "4\n");
}

#[test]
fn a_source_that_gets_the_name_of_the_output_is_not_written_to() {
    let place = Place::new();
    let other = "other.log";
    place.append(&place.log, "1\n");
    place.append(other, "other\n");
    let mut plan = place.merge(&["app.log", other], place.options.clone());
    plan.drain();
    let rotated = place.rotate(1);
    fs::hard_link(place.path(other), &place.output).unwrap();
    place.append(&place.log, "2\n");
    plan.reopen().request();
    assert!(plan.look_once());
    assert_eq!(place.read(&rotated), "1\nother\n2\n");
    assert_eq!(place.read(other), "other\n", "it would be read and written for ever");
    let said = place.said();
    assert!(said.contains("a new one cannot be opened (its name leads to a source or "), "{said}");

    // What goes to a file without a name would be lost.
    fs::remove_file(&rotated).unwrap();
    place.append(&place.log, "3\n");
    plan.reopen().request();
    let Read::Lines(lines) = plan.sources[0].read_lines().unwrap() else { panic!("a line") };
    assert!(matches!(plan.output.append(&lines), Err(Error::Write { .. })));
    assert_eq!(place.read(other), "other\n");
}

#[test]
fn a_log_that_was_let_go_and_the_checkpoint_are_no_outputs_either() {
    let place = Place::new();
    place.append(&place.log, "1\n");
    let options = Options { quiet: Duration::ZERO, ..place.options.clone() };
    let mut plan = place.merge(&["app.log"], options);
    plan.drain();
    place.rename("app.log", "old.log");
    place.append(&place.log, "2\n");
    plan.drain();
    plan.drain();
    let rotated = place.rotate(1);
    for other in ["old.log", "state"] {
        symlink(place.path(other), &place.output).unwrap();
        let before = place.read(other);
        place.append(&place.log, "3\n");
        plan.reopen().request();
        assert!(plan.look_once());
        assert!(place.read(other).starts_with(&before), "{other}: {}", place.read(other));
        assert!(!place.read(other).contains("3\n"), "{other}: {}", place.read(other));
        fs::remove_file(&place.output).unwrap();
    }
    assert_eq!(place.read(&rotated), "1\n2\n3\n3\n");
}

#[test]
fn without_a_request_a_lost_name_is_noticed_within_a_moment() {
    for removed in [false, true] {
        let place = Place::new();
        place.append(&place.log, "1\n");
        let mut plan = place.open();
        plan.drain();
        if removed {
            fs::remove_file(&place.output).unwrap()
        } else {
            drop(place.rotate(1))
        }
        let output = place.output.clone();
        until("the name is there", || {
            place.append(&place.log, "more\n");
            plan.drain();
            output.exists()
        });
        let said = place.said();
        let told = if removed { "WARN: .*removed" } else { "INFO: .*renamed" };
        let (level, word) = told.split_once(".*").unwrap();
        assert!(said.starts_with(level) && said.contains(word), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}

#[test]
fn an_output_that_was_removed_and_cannot_be_made_anew_ends_the_merge() {
    let place = Place::new();
    place.append(&place.log, "1\n");
    let folder = place.path("folder");
    fs::create_dir(&folder).unwrap();
    let output = folder.join("merged");
    let mut plan = Merge::new(&place.log, &output, place.options.clone());
    plan.drain();
    fs::remove_dir_all(&folder).unwrap();
    place.append(&place.log, "2\n");
    plan.reopen().request();
    let Read::Lines(lines) = plan.sources[0].read_lines().unwrap() else { panic!("a line") };
    let error = plan.output.append(&lines).unwrap_err();
    assert!(matches!(error, Error::Write { .. }), "{error}");
    assert!(plan.stop.requested() && plan.output.append(&lines).is_err());
    assert!(plan.output.finish().is_err());
}

#[test]
fn an_output_that_is_truncated_while_the_merge_runs_is_told_and_gone_on_with() {
    let place = Place::new();
    place.append(&place.log, "1\n2\n");
    let mut plan = place.open();
    plan.drain();
    // As `copytruncate` does.
    OpenOptions::new().write(true).open(&place.output).unwrap().set_len(0).unwrap();
    place.append(&place.log, "3\n");
    plan.drain();
    let said = place.said();
    assert!(said.starts_with("WARN") && said.contains("it was truncated"), "{said}");
    plan.output.finish().unwrap();
    place.append(&place.log, "4\n");
    plan.drain();
    drop(plan);
    place.run();
    assert_eq!(place.merged(), "3\n4\n");
    assert_eq!(place.said(), "");

    // In the midst of a line: noticed when it is asked, and the line is ended.
    let mut plan = place.open();
    OpenOptions::new().write(true).open(&place.output).unwrap().set_len(3).unwrap();
    place.append(&place.log, "5\n");
    plan.reopen().request();
    plan.drain();
    let said = place.said();
    assert!(said.contains("it was truncated, from 4 bytes to 3"), "{said}");
    plan.end();
    place.run();
    assert_eq!(place.merged(), "3\n4\n5\n");
}

#[test]
fn what_somebody_else_appends_shifts_no_checkpoint() {
    let place = Place::new();
    place.append(&place.log, "1\n");
    let mut plan = place.open();
    plan.drain();
    place.append(&place.output, "a mark of the administrator\n");
    place.append(&place.log, "a line that is long enough\n");
    plan.end();
    let before = place.merged();
    place.run();
    assert_eq!(place.merged(), before);
}
