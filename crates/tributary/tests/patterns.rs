//! Logs that join a merge because they fit a pattern.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;
use tributary::{Error, Listener, Options, Plan, Read, Start, Wake};

struct Place {
    folder: TempDir,
    output: PathBuf,
}

impl Place {
    fn new() -> Place {
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().join("merged.log");
        Place { folder, output }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn append(&self, name: &str, text: &str) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        let file = OpenOptions::new().append(true).create(true).open(self.path(name));
        file.unwrap().write_all(text.as_bytes()).unwrap();
    }

    fn options(&self, pattern: &str) -> Options {
        let patterns = vec![self.path(pattern).to_str().unwrap().to_owned()];
        Options { follow: true, wake: Wake::Poll, patterns, ..Options::default() }
    }

    fn open(&self, sources: &[PathBuf], options: Options) -> Plan {
        Plan::open(sources, &self.output, options).unwrap()
    }

    fn merged(&self) -> String {
        fs::read_to_string(&self.output).unwrap()
    }

    fn look(&self, plan: &mut Plan) -> String {
        for source in &mut plan.sources {
            while let Read::Lines(lines) = source.read_lines().unwrap() {
                plan.output.append(&lines).unwrap();
            }
        }
        self.merged()
    }
}

#[test]
fn what_fits_is_merged_and_the_output_is_not() {
    let place = Place::new();
    place.append("a.log", "a\n");
    place.append("b.log", "b\n");
    place.append("c.txt", "c\n");
    fs::create_dir(place.path("d.log")).unwrap();
    let mut plan = place.open(&[], Options { follow: false, ..place.options("*.log") });
    assert_eq!(plan.sources.len(), 3, "one for each, and one for what joins");
    assert_eq!(place.look(&mut plan), "a\nb\n");
    let written = plan.output.finish().unwrap();
    let sources: Vec<_> =
        written.sources.iter().map(|source| (&*source.path, source.lines)).collect();
    assert_eq!(sources, [(&*place.path("a.log"), 1), (&*place.path("b.log"), 1)]);
    assert_eq!(plan.progress().sources().len(), 2);
}

#[test]
fn a_log_that_is_named_is_not_read_a_second_time_by_a_pattern() {
    let place = Place::new();
    place.append("a.log", "a\n");
    let mut plan = place.open(&[place.path("a.log")], place.options("*.log"));
    assert_eq!(place.look(&mut plan), "a\n");
}

#[test]
fn a_rotated_log_is_read_once_also_if_its_new_name_fits() {
    let place = Place::new();
    place.append("app.log", "1\n");
    let options = Options { wake: Wake::Notify, ..place.options("app.log*") };
    let mut plan = place.open(&[], options);
    assert_eq!(place.look(&mut plan), "1\n");
    fs::rename(place.path("app.log"), place.path("app.log.1")).unwrap();
    place.append("app.log.1", "2\n");
    place.append("app.log", "3\n");
    assert_eq!(place.look(&mut plan), "1\n2\n3\n");
}

#[test]
fn what_comes_to_fit_joins_and_wakes_the_source() {
    let place = Place::new();
    place.append("one/a.log", "a 1\n");
    // The end of what is there, and the whole of what comes.
    let options = Options { wake: Wake::Notify, start: Start::End, ..place.options("*/*.log") };
    let mut plan = place.open(&[], options);
    assert_eq!(place.look(&mut plan), "");
    let mut expected = String::new();
    // What was there is a source of its own, what joins later shares one.
    let joins = plan.sources.len() - 1;
    for (name, line, source) in
        [("one/b.log", "b 1\n", joins), ("two/c.log", "c 1\n", joins), ("one/a.log", "a 2\n", 0)]
    {
        place.append(name, line);
        expected += line;
        while place.merged() != expected {
            let changed = plan.sources[source].changed();
            assert!(changed.wait_timeout(Duration::from_secs(60)).is_some(), "not woken by {name}");
            place.look(&mut plan);
        }
    }
}

#[test]
fn a_pattern_that_is_polled_finds_what_comes_too() {
    let place = Place::new();
    let mut plan = place.open(&[], place.options("*.log"));
    assert_eq!(place.look(&mut plan), "");
    place.append("a.log", "a\n");
    // Folders are read once a second at most.
    let bound = std::time::Instant::now() + Duration::from_secs(60);
    while place.look(&mut plan) != "a\n" {
        assert!(std::time::Instant::now() < bound, "never found");
        plan.sources[0].changed().wait_timeout(plan.interval);
    }
}

// A link that leads nowhere stands for all that cannot be opened: root may read
// what others may not.
#[test]
fn what_fits_and_cannot_be_opened_is_an_error_of_a_run_that_does_not_follow() {
    let place = Place::new();
    place.append("d/a.log", "a\n");
    symlink("../elsewhere/b", place.path("d/b.log")).unwrap();
    let mut plan = place.open(&[], Options { follow: false, ..place.options("d/*.log") });
    let mut errors = Vec::new();
    for source in &mut plan.sources {
        loop {
            match source.read_lines() {
                Ok(Read::Lines(lines)) => plan.output.append(&lines).unwrap(),
                Ok(_) => break,
                Err(error) => {
                    errors.push(error);
                    break;
                }
            }
        }
    }
    assert_eq!(place.merged(), "a\n", "the others are merged");
    assert!(matches!(&errors[..], [Error::Read { path, .. }] if path.ends_with("d/b.log")));
}

#[test]
fn what_fits_and_cannot_be_opened_is_tried_again() {
    let place = Place::new();
    place.append("d/a.log", "a\n");
    fs::create_dir(place.path("elsewhere")).unwrap();
    symlink("../elsewhere/b", place.path("d/b.log")).unwrap();
    let mut plan = place.open(&[], Options { wake: Wake::Notify, ..place.options("d/*.log") });
    assert_eq!(place.look(&mut plan), "a\n");
    // In a folder that nobody watches.
    place.append("elsewhere/b", "b\n");
    let joins = plan.sources.len() - 1;
    while place.merged() != "a\nb\n" {
        let changed = plan.sources[joins].changed();
        // Sooner than everything is looked at once, every thirty seconds.
        assert!(changed.wait_timeout(Duration::from_secs(20)).is_some(), "not tried again");
        place.look(&mut plan);
    }
}

#[test]
fn a_checkpoint_knows_what_joined_by_a_pattern() {
    let place = Place::new();
    let checkpoint = Some(place.path("checkpoint"));
    let options = Options { checkpoint, wake: Wake::Notify, ..place.options("*.log") };
    place.append("a.log", "a 1\n");
    let mut plan = place.open(&[], options.clone());
    assert_eq!(place.look(&mut plan), "a 1\n");
    plan.output.finish().unwrap();
    place.append("b.log", "b 1\n");
    drop(plan);
    place.append("a.log", "a 2\n");
    let mut plan = place.open(&[], options);
    assert_eq!(place.look(&mut plan), "a 1\na 2\nb 1\n");
}

#[test]
fn a_pattern_that_cannot_be_understood_is_an_error() {
    let place = Place::new();
    let error = Plan::open([] as [&Path; 0], &place.output, place.options("[a")).unwrap_err();
    assert!(matches!(error, Error::BadPattern { .. }), "{error}");
    assert!(error.to_string().contains("[a"), "{error}");
}
