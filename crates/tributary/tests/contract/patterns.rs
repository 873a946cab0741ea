//! Logs that join a merge because they fit a pattern.

use std::fs;
use std::os::unix::fs::symlink;
use std::time::Duration;

use crate::common::Place;
use crate::common::said::Said;
use testkit::BOUND;
use tributary::{Error, Options, Plan, Start, Wake};

#[test]
fn what_fits_is_merged_and_the_output_is_not() {
    let place = Place::new();
    place.append("a.log", "a\n");
    place.append("b.log", "b\n");
    place.append("c.txt", "c\n");
    fs::create_dir(place.path("d.log")).unwrap();
    let mut plan = place.merge(&[], Options { follow: false, ..place.pattern("*.log") });
    assert_eq!(plan.sources.len(), 3, "one for each, and one for what joins");
    assert_eq!(plan.look(), "a\nb\n");
    let written = plan.output.finish().unwrap();
    let sources: Vec<_> =
        written.sources.iter().map(|source| (&*source.path, source.lines)).collect();
    assert_eq!(sources, [(&*place.path("a.log"), 1), (&*place.path("b.log"), 1)]);
    assert_eq!(plan.progress().sources().len(), 2);
}

#[test]
fn a_rotated_log_is_read_once_also_if_its_new_name_fits() {
    let place = Place::new();
    place.append("app.log", "1\n");
    let options = Options { wake: Wake::Notify, ..place.pattern("app.log*") };
    let mut plan = place.merge(&[], options);
    assert_eq!(plan.look(), "1\n");
    place.rename("app.log", "app.log.1");
    place.append("app.log.1", "2\n");
    place.append("app.log", "3\n");
    assert_eq!(plan.look(), "1\n2\n3\n");
}

#[test]
fn what_comes_to_fit_joins_and_wakes_the_source() {
    let place = Place::new();
    place.append("one/a.log", "a 1\n");
    // The end of what is there, and the whole of what comes.
    let options = Options { wake: Wake::Notify, start: Start::End, ..place.pattern("*/*.log") };
    let mut plan = place.merge(&[], options);
    assert_eq!(plan.look(), "");
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
            assert!(changed.wait_timeout(BOUND), "not woken by {name}");
            plan.look();
        }
    }
}

#[test]
fn a_pattern_that_is_polled_finds_what_comes_too() {
    let place = Place::new();
    let mut plan = place.merge(&[], place.pattern("*.log"));
    assert_eq!(plan.look(), "");
    place.append("a.log", "a\n");
    // Folders are read once a second at most.
    plan.look_until("a\n");
}

// A link that leads nowhere stands for all that cannot be opened: root may read
// what others may not.
#[test]
fn what_fits_and_cannot_be_opened_is_an_error_of_a_run_that_does_not_follow() {
    let place = Place::new();
    place.append("d/a.log", "a\n");
    symlink("../elsewhere/b", place.path("d/b.log")).unwrap();
    let options = Options { follow: false, ..place.pattern("d/*.log") };
    let none: [&str; 0] = [];
    let error = Plan::open(none, &place.output, options).and_then(tributary::merge).unwrap_err();
    assert_eq!(place.merged(), "a\n", "the others are merged");
    assert!(matches!(&error, Error::Read { path, .. } if path.ends_with("d/b.log")), "{error}");
}

#[test]
fn what_fits_and_cannot_be_opened_is_tried_again() {
    let place = Place::new();
    place.append("d/a.log", "a\n");
    fs::create_dir(place.path("elsewhere")).unwrap();
    symlink("../elsewhere/b", place.path("d/b.log")).unwrap();
    let mut plan = place.merge(&[], Options { wake: Wake::Notify, ..place.pattern("d/*.log") });
    assert_eq!(plan.look(), "a\n");
    // In a folder that nobody watches.
    place.append("elsewhere/b", "b\n");
    let joins = plan.sources.len() - 1;
    while place.merged() != "a\nb\n" {
        let changed = plan.sources[joins].changed();
        // Sooner than everything is looked at once, every thirty seconds.
        assert!(changed.wait_timeout(Duration::from_secs(20)), "not tried again");
        plan.look();
    }
}

#[test]
#[cfg(target_os = "linux")]
fn what_fits_and_cannot_be_read_is_tried_again() {
    // Whoever reads this file of Linux is refused.
    let unreadable = "/sys/class/net/lo/speed";
    assert!(fs::metadata(unreadable).is_ok() && fs::read(unreadable).is_err());
    let place = Place::with_checkpoint();
    place.append("d/a.log", "1\n");
    let options = Options { quiet: Duration::ZERO, ..place.pattern("d/*.log") };
    let mut plan = place.merge(&[], options);
    assert_eq!(plan.look(), "1\n");
    place.rename("d/a.log", "d/a.old");
    plan.drain();
    // It is compared with the log that had the path before.
    symlink(unreadable, place.path("d/a.log")).unwrap();
    let said = Said::here();
    testkit::until("it is told", || {
        plan.drain();
        said.events().contains("d/a.log: left out")
    });
    fs::remove_file(place.path("d/a.log")).unwrap();
    place.append("d/a.log", "2\n");
    plan.look_until("1\n2\n");
    assert_eq!(plan.progress().files(), 1);
}

#[test]
fn a_rotation_between_two_runs_is_no_warning_where_a_pattern_fits_the_rotated_names() {
    let place = Place::with_checkpoint();
    for (name, line) in [("app.log", "4\n"), ("app.log.1", "3\n"), ("app.log.2", "2\n")] {
        place.append(name, line);
    }
    let options = || Options { follow: false, ..place.pattern("app.log*") };
    let before = place.run(&[], options());
    for number in [2, 1] {
        place.rename(format!("app.log.{number}"), format!("app.log.{}", number + 1));
    }
    place.rename("app.log", "app.log.1");
    place.append("app.log", "5\n");
    let said = Said::here();
    assert_eq!(place.run(&[], options()), before + "5\n");
    assert_eq!(said.events(), "");
}

#[test]
fn a_pattern_that_cannot_be_understood_is_an_error() {
    let place = Place::new();
    let error = place.refused(place.pattern("[a"));
    assert!(matches!(error, Error::BadPattern { .. }), "{error}");
    assert!(error.to_string().contains("[a"), "{error}");
}
