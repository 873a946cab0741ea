//! What becomes of a log while it is read, beside what the laws ask of every merge
//! (`following.rs` of `conformance`).

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, symlink};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::common::said::Said;
use crate::common::{Merge, Place};
use testkit::BOUND;
use tributary::{Error, Moment, Options, Probe, Read, Wake};

/// A place whose merges let a file go as soon as it has lost its name and is
/// read to its end.
fn impatient() -> Place {
    let mut place = Place::new();
    place.options.quiet = Duration::ZERO;
    place
}

#[test]
fn durations_that_mean_never_are_durations() {
    for wake in [Wake::Notify, Wake::Poll] {
        let place = Place::new();
        place.append(&place.log, "old\n");
        let (interval, quiet) = (Duration::MAX, Duration::MAX);
        let options = Options { wake, interval, quiet, ..place.pattern("*.log") };
        let mut merge = place.merge(&["app.log"], options);
        assert_eq!(merge.look(), "old\n");
        place.rename("app.log", "app.log.1");
        place.append(&place.log, "new\n");
        assert_eq!(merge.look(), "old\nnew\n", "{wake:?}");
    }
}

#[test]
fn a_copy_and_a_packed_copy_are_not_taken_for_a_rotated_file() {
    let place = Place::new();
    // What was there before the merge began is none of its business.
    let yesterday = place.append("app.log.1", "yesterday\n");
    // The clock of a file system ticks; "before" begins with the next tick.
    let born = |file: &File| file.metadata().unwrap().created().unwrap();
    while born(&place.append(&place.log, "")) == born(&yesterday) {
        fs::remove_file(&place.log).unwrap();
    }
    place.append(&place.log, "1\n");
    let mut merge = place.open();
    assert_eq!(merge.look(), "1\n");
    place.rename("app.log.1", "app.log.2");
    place.append("app.log.2.gz", "packed\n");
    place.append("apple.log", "another program\n");
    place.rename("app.log", "app.log.1");
    place.append(&place.log, "2\n");
    assert_eq!(merge.look(), "1\n2\n");
}

/// What Linux calls the file system that gives inodes again at once.
const EXT4: rustix::fs::FsWord = 0xef53;

/// A file is deleted and another one of its name is made, until that has the inode
/// of the first; with the merge in between, or not until afterwards.
#[test]
fn a_file_that_gets_the_inode_of_a_deleted_one_is_new() {
    for looks_in_between in [true, false] {
        let came_back = (0..100).any(|_| {
            let place = impatient();
            let inode = place.append(&place.log, "old 1\n").metadata().unwrap().ino();
            let mut merge = place.open();
            assert_eq!(merge.look(), "old 1\n");
            fs::remove_file(&place.log).unwrap();
            if looks_in_between {
                // The file is let go here, and its inode is free.
                assert_eq!(merge.look(), "old 1\n");
            }
            // Longer than where we stood in the old one.
            let new = place.append(&place.log, "new 1\nnew 2\n").metadata().unwrap().ino();
            assert_eq!(merge.look(), "old 1\nnew 1\nnew 2\n");
            new == inode
        });
        if !looks_in_between {
            assert!(!came_back, "we still had the deleted file open");
        } else if rustix::fs::statfs(std::env::temp_dir()).unwrap().f_type == EXT4 {
            // Not so on a tmpfs, which counts its inodes up for ever.
            assert!(came_back, "ext4 takes the inode that has become free last");
        }
    }
}

#[test]
fn a_deleted_file_is_let_go_when_it_is_quiet() {
    let place = impatient();
    place.append(&place.log, "1\n");
    let mut merge = place.open();
    merge.look();
    let held = || {
        let fds = fs::read_dir("/proc/self/fd").unwrap().flatten();
        fds.filter_map(|fd| fs::read_link(fd.path()).ok())
            .filter(|to| to.to_string_lossy().starts_with(&*place.log.to_string_lossy()))
            .count()
    };
    assert_eq!(held(), 1);
    fs::remove_file(&place.log).unwrap();
    merge.look();
    assert_eq!(held(), 0, "a deleted file is still open, and fills the disk");
}

#[test]
fn a_folder_may_be_replaced() {
    let place = Place::new();
    place.append("logs/app.log", "1\n");
    let mut merge = place.merge(&["logs/app.log"], place.options.clone());
    assert_eq!(merge.look(), "1\n");
    place.rename("logs", "old");
    assert_eq!(merge.look(), "1\n");
    place.append("old/app.log", "2\n");
    place.append("logs/app.log", "3\n");
    assert_eq!(merge.look(), "1\n2\n3\n");
}

#[test]
fn what_is_no_file_is_refused_and_hangs_nothing() {
    let place = Place::new();
    place.append(&place.log, "1\n");
    let mut merge = place.open();
    assert_eq!(merge.look(), "1\n");
    fs::remove_file(&place.log).unwrap();
    fs::create_dir(&place.log).unwrap();
    assert_eq!(merge.look(), "1\n");
    fs::remove_dir(&place.log).unwrap();
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, &place.log, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    assert_eq!(merge.look(), "1\n");
    fs::remove_file(&place.log).unwrap();
    symlink("/dev/null", &place.log).unwrap();
    assert_eq!(merge.look(), "1\n");
    fs::remove_file(&place.log).unwrap();
    place.append(&place.log, "2\n");
    assert_eq!(merge.look(), "1\n2\n");
}

#[test]
fn the_output_is_not_read_when_a_rotation_makes_it_a_source() {
    let place = Place::new();
    place.append(&place.log, "1\n");
    let mut merge = place.open();
    assert_eq!(merge.look(), "1\n");
    fs::remove_file(&place.log).unwrap();
    fs::hard_link(&place.output, &place.log).unwrap();
    assert_eq!(merge.look(), "1\n");
    assert_eq!(merge.look(), "1\n");
}

/// A probe whose first looks fail with this error.
fn failing(place: &Place, times: usize, code: i32) -> Options {
    let looks = AtomicUsize::new(0);
    let probe = Probe::new(move |moment, _| {
        if moment == Moment::BeforeLook && looks.fetch_add(1, Ordering::SeqCst) < times {
            return Err(io::Error::from_raw_os_error(code));
        }
        Ok(())
    });
    Options { probe: Some(probe), ..place.options.clone() }
}

#[test]
fn an_error_that_may_pass_opens_the_file_again() {
    let place = Place::new();
    place.append(&place.log, "1\n");
    for code in [rustix::io::Errno::STALE, rustix::io::Errno::MFILE] {
        let mut merge = place.merge(&["app.log"], failing(&place, 3, code.raw_os_error()));
        assert_eq!(merge.look(), "1\n");
        assert!(!merge.stop.requested());
    }
}

#[test]
fn an_error_that_does_not_pass_names_the_file_and_ends_the_run() {
    let place = Place::new();
    place.append(&place.log, "1\n");
    for (times, code) in [(4, rustix::io::Errno::STALE), (1, rustix::io::Errno::IO)] {
        let mut merge = place.merge(&["app.log"], failing(&place, times, code.raw_os_error()));
        let error = merge.sources[0].read_lines().unwrap_err();
        assert_eq!(error.path(), Some(&*place.log));
        assert!(matches!(error, Error::Read { .. }), "{error}");
        assert!(merge.stop.requested());
    }
}

#[test]
fn a_path_is_bytes() {
    let place = Place::new();
    for name in [&b"-n"[..], b"a b", b"new\nline", b"\xff\xfe"] {
        let log = place.path(OsStr::from_bytes(name));
        place.append(&log, "1\n");
        let mut merge = Merge::new(&log, &place.output, place.options.clone());
        assert_eq!(merge.look(), "1\n");
        place.rename(&log, "gone");
        place.append(&log, "2\n");
        assert_eq!(merge.look(), "1\n2\n");
        assert_eq!(merge.sources[0].path(), log);
    }
}

#[test]
fn the_drain_ends_at_the_size_of_the_stop() {
    let place = Place::new();
    place.append(&place.log, "1\n2");
    let mut merge = place.open();
    merge.stop.request();
    let Read::Lines(lines) = merge.sources[0].read_lines().unwrap() else { panic!() };
    assert_eq!(lines.as_bytes(), b"1\n");
    // Too late for this run, but for the end of the line that the stop has cut.
    place.append(&place.log, "nd\n3\n4\n");
    let Read::Lines(lines) = merge.sources[0].read_lines().unwrap() else { panic!() };
    assert_eq!(lines.as_bytes(), b"2nd\n");
    assert!(matches!(merge.sources[0].read_lines().unwrap(), Read::Closed));
}

#[test]
fn an_abandoned_merge_drains_nothing() {
    let place = Place::new();
    place.append(&place.log, "1\n");
    let mut merge = place.open();
    merge.stop.abandon();
    assert_eq!(merge.look(), "");
}

#[test]
fn a_source_at_rest_is_woken_by_a_file_that_is_renamed_over_its_own() {
    let place = Place::new();
    let options = Options { wake: Wake::Notify, ..place.options.clone() };
    place.append(&place.log, "1\n");
    let mut merge = place.merge(&["app.log"], options);
    assert_eq!(merge.look(), "1\n");
    place.append("next", "2\n");
    place.rename("next", "app.log");
    while merge.look() != "1\n2\n" {
        assert!(merge.sources[0].changed().wait_timeout(BOUND), "not woken");
    }
}

#[test]
fn a_folder_that_cannot_be_watched_is_told_once_and_is_no_limit() {
    let place = Place::new();
    let said = Said::here();
    let options = Options { wake: Wake::Notify, ..place.options.clone() };
    place.append("there/app.log", "1\n");
    symlink("there", place.path("current")).unwrap();
    let mut merge = place.merge(&["current/app.log"], options);
    assert_eq!(merge.look(), "1\n");
    // A link to itself leads nowhere.
    symlink("current", place.path("link")).unwrap();
    place.rename("link", "current");
    let mut told = String::new();
    testkit::until("it is told", || {
        merge.drain();
        told += &said.events();
        told.contains("cannot be notified")
    });
    merge.drain();
    told += &said.events();
    let told: Vec<_> = told.lines().filter(|it| it.contains("cannot be notified")).collect();
    assert!(matches!(&told[..], [one] if one.contains("changes, it is polled every")), "{told:?}");
}
