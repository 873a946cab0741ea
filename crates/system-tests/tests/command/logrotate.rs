//! The real `logrotate`, forced ten times while 20,000 lines a second are
//! written.

use std::io::Write;
use std::time::Duration;

use system_tests::{Logrotate, Reopen};
use testkit::until;

use crate::load::{Load, in_every_stage};

pub(crate) const ROTATIONS: usize = 10;

/// Lines between two rotations: they take a tenth of a second, so that a merge that
/// polls looks in between.
pub(crate) const BETWEEN: u64 = 2_000;

const WAKES: [&str; 2] = ["notify", "poll"];

/// How long a daemon needs until it has opened its log again.
const SOON: Reopen = Reopen::After(Duration::from_millis(10));

fn load(stage: &str, wake: &str, reopen: Reopen) -> Load {
    Load::start(stage, &["--wake", wake, "--interval", "20ms"], reopen)
}

/// Rotates by renaming: nothing may be lost.
fn renamed(stage: &str, wake: &str, directives: &str, reopen: Reopen) {
    let load = load(stage, wake, reopen);
    let logrotate = Logrotate::new(&load.folder.path("app.log"), directives);
    for rotation in 1..=ROTATIONS as u64 {
        load.daemon.wait(BETWEEN);
        logrotate.force();
        until("the daemon reopens its log", || load.daemon.reopened() >= rotation);
    }
    load.daemon.wait(BETWEEN);
    let done = load.end();
    assert_eq!(done.count("app.log."), ROTATIONS, "logrotate has not rotated");
    assert_eq!(done.lost(), [], "{stage}, {wake}: of {} lines", done.last);
}

#[test]
fn create_loses_nothing_when_notified() {
    in_every_stage(|stage| renamed(stage, "notify", "create", SOON));
}

#[test]
fn create_loses_nothing_when_polling() {
    in_every_stage(|stage| renamed(stage, "poll", "create", SOON));
}

#[test]
fn compress_loses_nothing() {
    for wake in WAKES {
        // The daemon still writes to the file while gzip packs and deletes it: those
        // lines are only in the deleted file.
        renamed("fully-async", wake, "create\ncompress", SOON);
        renamed("tasks", wake, "create\ncompress\ndelaycompress", SOON);
    }
}

#[test]
fn delayed_create_loses_nothing() {
    // For a while there is no file of that name.
    let later = Reopen::After(Duration::from_millis(150));
    for wake in WAKES {
        renamed("threads", wake, "nocreate", later);
        renamed("fully-async", wake, "nocreate\ncompress\ndelaycompress", later);
    }
}

/// Rotates by copying and truncating: only lines that were written between the last
/// look and the truncation are lost. Of the first of them, the beginning may have been
/// read.
fn truncated(stage: &str, wake: &str) {
    let load = load(stage, wake, Reopen::Never);
    let logrotate = Logrotate::new(&load.folder.path("app.log"), "copytruncate");
    let mut windows = Vec::new();
    for _ in 0..ROTATIONS {
        load.daemon.wait(BETWEEN);
        let before = load.daemon.written();
        logrotate.force();
        windows.push((before, load.daemon.written() + 1));
    }
    load.daemon.wait(BETWEEN);
    let done = load.end();

    let (last, lost) = (done.last, done.lost_by_truncation());
    // A rotation may lose one range, which ends with a line that was written while
    // logrotate ran.
    let mut counts = Vec::new();
    let mut left = lost.clone();
    for (before, after) in &windows {
        let here = |range: &mut system_tests::Lost| (before..=after).contains(&range.end());
        let here: Vec<_> = left.extract_if(.., here).collect();
        assert!(here.len() <= 1, "several losses at one truncation: {here:?}");
        counts.push(here.iter().map(|range| range.end() - range.start() + 1).sum::<u64>());
    }
    let mut out = std::io::stdout().lock();
    let told = format!("copytruncate, {stage}, {wake}: lost at each rotation {counts:?}");
    writeln!(out, "{told}, of {last} lines").unwrap();
    assert_eq!(left, [], "lost without a truncation, which were in {windows:?}");
    let truncations = done.said.matches("truncated or rewritten").count();
    assert!((lost.len()..=ROTATIONS).contains(&truncations), "{lost:?}, but said: {}", done.said);
}

#[test]
fn copytruncate_loses_only_its_window_when_notified() {
    for stage in ["threads", "tasks", "fully-async"] {
        truncated(stage, "notify");
    }
}

#[test]
fn copytruncate_loses_only_its_window_when_polling() {
    for stage in ["threads", "fully-async"] {
        truncated(stage, "poll");
    }
}
