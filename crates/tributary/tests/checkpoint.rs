//! Exactly once: merges that are killed, and go on where they stood.
//!
//! Dropping a plan saves nothing, so it is what `kill -9` is, at a moment of
//! our choice. `Output::finish` saves the checkpoint, and the merge may go on.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;
use tributary::{Durability, Error, Options, Plan, Read, Wake};

struct Place {
    _folder: TempDir,
    log: PathBuf,
    rotated: PathBuf,
    output: PathBuf,
    checkpoint: PathBuf,
}

impl Place {
    fn new() -> Place {
        let folder = tempfile::tempdir().unwrap();
        let path = |name| folder.path().join(name);
        let (log, rotated) = (path("app.log"), path("app.log.1"));
        let (output, checkpoint) = (path("merged"), path("merged.checkpoint"));
        Place { _folder: folder, log, rotated, output, checkpoint }
    }

    fn options(&self) -> Options {
        Options {
            follow: true,
            wake: Wake::Poll,
            checkpoint: Some(self.checkpoint.clone()),
            ..Options::default()
        }
    }

    fn open(&self) -> Plan {
        Plan::open([&self.log], &self.output, self.options()).unwrap()
    }

    fn refused(&self) -> String {
        let error = Plan::open([&self.log], &self.output, self.options()).unwrap_err();
        error.to_string()
    }

    fn merged(&self) -> String {
        fs::read_to_string(&self.output).unwrap()
    }
}

fn append(path: impl AsRef<Path>, text: &str) -> File {
    let mut file = OpenOptions::new().append(true).create(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

/// Looks until there is nothing new, or the end.
fn look(plan: &mut Plan) {
    while look_once(plan) {}
}

fn look_once(plan: &mut Plan) -> bool {
    let Read::Lines(lines) = plan.sources[0].read_lines().unwrap() else { return false };
    plan.output.append(&lines).unwrap();
    true
}

#[test]
fn what_was_written_after_the_checkpoint_is_written_again_and_once() {
    let place = Place::new();
    append(&place.log, "1\n2\n");
    let mut plan = place.open();
    look(&mut plan);
    plan.output.finish().unwrap();
    append(&place.log, "3\n");
    look(&mut plan);
    assert_eq!(place.merged(), "1\n2\n3\n");
    drop(plan);

    let mut plan = place.open();
    assert_eq!(place.merged(), "1\n2\n", "cut back to the checkpoint");
    append(&place.log, "4\n");
    look(&mut plan);
    assert_eq!(place.merged(), "1\n2\n3\n4\n");
}

#[test]
fn a_merge_that_is_killed_before_its_first_line_begins_at_its_start() {
    let place = Place::new();
    append(&place.log, "1\n");
    let mut plan = place.open();
    look(&mut plan);
    assert_eq!(place.merged(), "1\n");
    drop(plan);
    let mut plan = place.open();
    look(&mut plan);
    assert_eq!(place.merged(), "1\n");
}

#[test]
fn a_half_line_is_left_for_the_next_run() {
    let place = Place::new();
    append(&place.log, "1\nha");
    let mut plan = place.open();
    plan.stop.request();
    look(&mut plan);
    plan.output.finish().unwrap();
    assert_eq!(place.merged(), "1\n");
    drop(plan);
    append(&place.log, "lf\n");
    let mut plan = place.open();
    look(&mut plan);
    assert_eq!(place.merged(), "1\nhalf\n");
}

#[test]
fn a_file_rotated_away_meanwhile_is_drained_first() {
    let place = Place::new();
    append(&place.log, "1\n2");
    let mut plan = place.open();
    look(&mut plan);
    plan.output.finish().unwrap();
    drop(plan);
    append(&place.log, "nd\n3\n");
    fs::rename(&place.log, &place.rotated).unwrap();
    append(&place.log, "4\n");
    // And once more.
    fs::rename(&place.rotated, place.rotated.with_extension("2")).unwrap();
    fs::rename(&place.log, &place.rotated).unwrap();
    append(&place.log, "5\n");
    let mut plan = place.open();
    look(&mut plan);
    assert_eq!(place.merged(), "1\n2nd\n3\n4\n5\n");
}

#[test]
fn a_file_that_was_known_and_not_read_yet_is_found_again() {
    let place = Place::new();
    let mut last = append(&place.log, "1\n");
    let mut plan = place.open();
    look(&mut plan);
    for (number, line) in [(1, "2\n"), (2, "3\n")] {
        fs::rename(&place.log, place.log.with_extension(format!("log.{number}"))).unwrap();
        last = successor(&place.log, &last);
        append(&place.log, line);
    }
    // Both are known by now, and the second one has given nothing.
    assert!(look_once(&mut plan));
    plan.output.finish().unwrap();
    drop(plan);
    assert_eq!(place.merged(), "1\n2\n");
    fs::rename(&place.log, place.log.with_extension("log.3")).unwrap();
    successor(&place.log, &last);
    append(&place.log, "4\n");
    // Also if it was born long before the checkpoint.
    let saved = fs::read_to_string(&place.checkpoint).unwrap();
    let (head, rest) = saved.split_once("\"at\":").unwrap();
    let (at, rest) = rest.split_at(rest.find('}').unwrap());
    let later = at.parse::<u64>().unwrap() + 3_600_000_000_000;
    fs::write(&place.checkpoint, format!("{head}\"at\":{later}{rest}")).unwrap();
    let mut plan = place.open();
    look(&mut plan);
    assert_eq!(place.merged(), "1\n2\n3\n4\n");
}

#[test]
fn a_start_in_the_midst_of_a_rotation_loses_nothing() {
    let place = Place::new();
    let first = append(&place.log, "1\n");
    let mut plan = place.open();
    look(&mut plan);
    plan.output.finish().unwrap();
    drop(plan);
    fs::rename(&place.log, place.log.with_extension("log.1")).unwrap();
    let second = successor(&place.log, &first);
    append(&place.log, "2\n");
    // Long enough ago that it came before the next run, by any clock.
    while second.metadata().unwrap().created().unwrap() + Duration::from_millis(100)
        > std::time::SystemTime::now()
    {
        std::thread::yield_now();
    }
    fs::rename(&place.log, place.log.with_extension("log.2")).unwrap();
    // Nothing has the name when the merge begins.
    let mut plan = place.open();
    look(&mut plan);
    successor(&place.log, &second);
    append(&place.log, "3\n");
    look(&mut plan);
    assert_eq!(place.merged(), "1\n2\n3\n");
}

#[test]
fn a_rotated_file_that_was_let_go_is_not_read_again() {
    let place = Place::new();
    append(&place.log, "1\nhalf");
    let options = Options { quiet: Duration::ZERO, ..place.options() };
    let mut plan = Plan::open([&place.log], &place.output, options).unwrap();
    look(&mut plan);
    fs::rename(&place.log, &place.rotated).unwrap();
    append(&place.log, "2\n");
    look(&mut plan);
    let merged = place.merged();
    assert!(merged == "1\nhalf\n2\n" || merged == "1\n2\nhalf\n", "{merged:?}");
    plan.output.finish().unwrap();
    drop(plan);
    // It is remembered for as long as it is there.
    let offsets = || fs::read_to_string(&place.checkpoint).unwrap().matches("\"offset\"").count();
    assert_eq!(offsets(), 2);
    let mut plan = place.open();
    look(&mut plan);
    assert_eq!(place.merged(), merged);
    drop(plan);
    fs::remove_file(&place.rotated).unwrap();
    place.open().output.finish().unwrap();
    assert_eq!(offsets(), 1);
}

#[test]
fn another_file_with_the_same_name_is_read_from_its_start() {
    let place = Place::new();
    append(&place.log, "1\n2\n");
    let mut plan = place.open();
    look(&mut plan);
    plan.output.finish().unwrap();
    drop(plan);
    // The same inode, and longer than where we stood: the bytes tell.
    fs::write(&place.log, "a\nb\nc\n").unwrap();
    let mut plan = place.open();
    look(&mut plan);
    assert_eq!(place.merged(), "1\n2\na\nb\nc\n");
}

#[test]
fn a_source_that_is_left_out_once_is_remembered() {
    let place = Place::new();
    append(&place.log, "1\n");
    append(&place.rotated, "other 1\n");
    let both = [&place.log, &place.rotated];
    let open = |sources: &[&PathBuf]| {
        Plan::open(sources, &place.output, Options { follow: false, ..place.options() }).unwrap()
    };
    let run = |mut plan: Plan| {
        for source in &mut plan.sources {
            while let Read::Lines(lines) = source.read_lines().unwrap() {
                plan.output.append(&lines).unwrap();
            }
        }
        plan.output.finish().unwrap();
    };
    run(open(&both));
    append(&place.log, "2\n");
    run(open(&[&place.log]));
    append(&place.rotated, "other 2\n");
    run(open(&both));
    assert_eq!(place.merged(), "1\nother 1\n2\nother 2\n");
}

#[test]
fn a_checkpoint_of_no_use_is_an_error_and_never_a_fresh_start() {
    let place = Place::new();
    append(&place.log, "1\n");
    let mut plan = place.open();
    look(&mut plan);
    plan.output.finish().unwrap();
    drop(plan);
    let good = fs::read_to_string(&place.checkpoint).unwrap();
    let name = place.checkpoint.display().to_string();

    for (text, why) in [
        (String::new(), "it is empty"),
        (good[..good.len() / 2].to_owned(), "it is damaged"),
        (good.replace("\"version\":2", "\"version\":3"), "its version is 3"),
        ("{}".to_owned(), "it is damaged"),
    ] {
        fs::write(&place.checkpoint, &text).unwrap();
        let message = place.refused();
        assert!(message.starts_with(&name) && message.contains(why), "{why}: {message}");
        assert_eq!(place.merged(), "1\n", "nothing was changed");
    }

    fs::write(&place.checkpoint, &good).unwrap();
    let other = place.output.with_extension("other");
    for _ in 0..2 {
        let error = Plan::open([&place.log], &other, place.options()).unwrap_err();
        assert!(error.to_string().contains("is of another output, "), "{error}");
        fs::write(&other, "").unwrap();
    }
}

#[test]
fn a_checkpoint_may_not_be_the_output_and_needs_one_that_can_be_cut() {
    let place = Place::new();
    append(&place.log, "1\n");
    let options = Options { checkpoint: Some(place.output.clone()), ..place.options() };
    let error = Plan::open([&place.log], &place.output, options).unwrap_err();
    assert!(error.to_string().contains("it is also the checkpoint"), "{error}");
    let error = Plan::open([&place.log], "/dev/null", place.options()).unwrap_err();
    assert!(error.to_string().contains("cannot be cut back"), "{error}");
    assert!(!place.checkpoint.exists());
}

#[test]
fn a_second_merge_into_the_same_output_is_refused() {
    let place = Place::new();
    append(&place.log, "1\n");
    let mut plan = Plan::open([&place.log], &place.output, Options::default()).unwrap();
    look(&mut plan);
    let error = Plan::open([&place.log], &place.output, Options::default()).unwrap_err();
    assert!(error.to_string().contains("another merge writes to it"), "{error}");
    assert_eq!(place.merged(), "1\n", "nothing was changed");
    drop(plan);
    Plan::open([&place.log], &place.output, Options::default()).unwrap();
}

#[test]
fn a_checkpoint_that_cannot_be_written_ends_the_merge() {
    let place = Place::new();
    append(&place.log, "1\n");
    let checkpoint = Some(place.output.with_file_name("missing").join("checkpoint"));
    let options = Options { checkpoint, ..place.options() };
    let error = Plan::open([&place.log], &place.output, options).unwrap_err();
    assert!(matches!(error, Error::Checkpoint { .. }), "{error}");
}

#[test]
fn every_durability_writes_the_same() {
    for durability in [Durability::None, Durability::Flush, Durability::Fsync] {
        let place = Place::new();
        append(&place.log, "1\n2\n");
        let options = Options { durability, follow: false, ..place.options() };
        let mut plan = Plan::open([&place.log], &place.output, options).unwrap();
        look(&mut plan);
        assert_eq!(plan.output.finish().unwrap().lines, 2);
        assert_eq!(place.merged(), "1\n2\n");
        drop(plan);
        // There is nothing to sync in a device, and that is no error.
        let options = Options { durability, ..Options::default() };
        let mut plan = Plan::open([&place.log], "/dev/null", options).unwrap();
        look(&mut plan);
        assert_eq!(plan.output.finish().unwrap().lines, 2);
    }
}

/// Creates the file that comes after `last`, as a rotation does: later, also
/// by the clock of the file system, which ticks. Files of one tick that nobody
/// saw with their name have no order.
fn successor(log: &Path, last: &File) -> File {
    let born = |file: &File| file.metadata().unwrap().created().unwrap();
    loop {
        let next = append(log, "");
        if born(&next) > born(last) {
            return next;
        }
        fs::remove_file(log).unwrap();
    }
}

#[test]
fn a_checkpoint_of_the_version_before_is_read() {
    use std::os::unix::fs::MetadataExt;
    let place = Place::new();
    append(&place.log, "1\n2\n");
    append(&place.output, "1\nbehind the checkpoint\n");
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
    fs::rename(&place.log, &place.rotated).unwrap();
    append(&place.log, "3\n");
    let mut plan = place.open();
    look(&mut plan);
    plan.output.finish().unwrap();
    assert_eq!(place.merged(), "1\n2\n3\n");
    assert!(fs::read_to_string(&place.checkpoint).unwrap().starts_with("{\"version\":2}\n"));
}
