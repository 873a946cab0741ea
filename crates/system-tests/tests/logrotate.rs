//! The real `logrotate`, forced ten times while 20,000 lines a second are
//! written.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use stages::{STAGES, Stage};
use system_tests::{Daemon, Logrotate, Merge, Reopen, lost, stage, warnings};
use tempfile::TempDir;
use tributary::{Options, Wake};

const ROTATIONS: usize = 10;

/// Lines between two rotations: a tenth of a second, so that a merge that
/// polls looks in between.
const BETWEEN: u64 = 2_000;

const WAKES: [Wake; 2] = [Wake::Notify, Wake::Poll];

/// How long a daemon needs until it has opened its log again.
const SOON: Reopen = Reopen::After(Duration::from_millis(10));

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("app.log");
    (folder, log)
}

fn options(wake: Wake) -> Options {
    Options { wake, interval: Duration::from_millis(20), ..Options::default() }
}

/// Rotates by renaming: nothing may be lost.
fn renamed(stage: &'static Stage, wake: Wake, directives: &str, reopen: Reopen) {
    let (folder, log) = folder();
    let logrotate = Logrotate::new(&log, directives);
    let daemon = Daemon::start(&log, reopen);
    let merge = Merge::start(stage, &log, options(wake));
    for rotation in 1..=ROTATIONS as u64 {
        daemon.wait(BETWEEN);
        logrotate.force();
        testkit::until("the daemon reopens its log", || daemon.reopened() >= rotation);
    }
    daemon.wait(BETWEEN);
    let last = daemon.end();
    let merged = merge.stop();

    let rotated = fs::read_dir(folder.path()).unwrap().flatten();
    let rotated =
        rotated.filter(|entry| entry.file_name().as_encoded_bytes().starts_with(b"app.log."));
    assert_eq!(rotated.count(), ROTATIONS, "logrotate has not rotated");
    assert_eq!(lost(&merged, last), [], "{}, {wake:?}: of {last} lines", stage.name);
}

#[test]
fn create_loses_nothing_when_notified() {
    for stage in STAGES {
        renamed(stage, Wake::Notify, "create", SOON);
    }
}

#[test]
fn create_loses_nothing_when_polling() {
    for stage in STAGES {
        renamed(stage, Wake::Poll, "create", SOON);
    }
}

#[test]
fn compress_loses_nothing() {
    // The daemon still writes to the file while gzip packs and deletes it:
    // those lines are nowhere but in the deleted file.
    for wake in WAKES {
        renamed(stage(5), wake, "create\ncompress", SOON);
    }
}

#[test]
fn delayed_compress_loses_nothing() {
    for wake in WAKES {
        renamed(stage(4), wake, "create\ncompress\ndelaycompress", SOON);
    }
}

#[test]
fn delayed_create_loses_nothing() {
    // For a while there is no file of that name.
    let later = Reopen::After(Duration::from_millis(150));
    for wake in WAKES {
        renamed(stage(1), wake, "nocreate", later);
        renamed(stage(5), wake, "nocreate\ncompress\ndelaycompress", later);
    }
}

/// Rotates by copying and truncating: what was written between the last look
/// and the truncation is lost, and nothing else.
fn truncated(stage: &'static Stage, wake: Wake) {
    warnings::keep();
    let (_folder, log) = folder();
    let logrotate = Logrotate::new(&log, "copytruncate");
    let daemon = Daemon::start(&log, Reopen::Never);
    let merge = Merge::start(stage, &log, options(wake));
    let mut windows = Vec::new();
    for _ in 0..ROTATIONS {
        daemon.wait(BETWEEN);
        let before = daemon.written();
        logrotate.force();
        windows.push((before, daemon.written() + 1));
    }
    daemon.wait(BETWEEN);
    let last = daemon.end();
    let merged = merge.stop();

    let lost = lost(&merged, last);
    let said = warnings::about(&log);
    // Counted as lost is a range that ends while logrotate ran, and only one a
    // rotation.
    let mut counts = Vec::new();
    let mut left = lost.clone();
    for (before, after) in &windows {
        let here = |range: &mut system_tests::Lost| (before..=after).contains(&range.end());
        let here: Vec<_> = left.extract_if(.., here).collect();
        assert!(here.len() <= 1, "several losses at one truncation: {here:?}");
        counts.push(here.iter().map(|range| range.end() - range.start() + 1).sum::<u64>());
    }
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "copytruncate, {}, {wake:?}: lost at each rotation {counts:?}, of {last} lines",
        stage.name
    )
    .unwrap();
    assert_eq!(left, [], "lost without a truncation, which were in {windows:?}");
    let truncations = said.iter().filter(|it| it.contains("truncated or rewritten")).count();
    assert!((lost.len()..=ROTATIONS).contains(&truncations), "{lost:?}, but said was: {said:#?}");
}

#[test]
fn copytruncate_loses_only_its_window_when_notified() {
    for number in [1, 4, 5] {
        truncated(stage(number), Wake::Notify);
    }
}

#[test]
fn copytruncate_loses_only_its_window_when_polling() {
    for number in [1, 5] {
        truncated(stage(number), Wake::Poll);
    }
}
