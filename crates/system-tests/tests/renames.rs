//! Twenty rotations in a second, by plain renames, while 20,000 lines a second
//! are written.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, Instant};

use stages::{STAGES, Stage};
use system_tests::{Daemon, Merge, Reopen, lost};
use tributary::{Options, Wake};

const PAUSE: Duration = Duration::from_millis(50);
const ROTATIONS: u32 = 60;

fn rotate(log: &Path, number: u32) {
    fs::rename(log, log.with_extension(format!("log.{number:02}"))).unwrap();
    // The daemon creates it, too: who is first is left to chance.
    let _ = File::create_new(log);
}

fn twenty_a_second(stage: &'static Stage, wake: Wake, interval: Duration) {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("app.log");
    let daemon = Daemon::start(&log, Reopen::After(Duration::ZERO));
    let options = Options { wake, interval, ..Options::default() };
    let merge = Merge::start(stage, &log, options);
    merge.wait_for_output();
    let begin = Instant::now();
    for number in 1..=ROTATIONS {
        // The pace of the rotations, nothing waits for it.
        std::thread::sleep((begin + PAUSE * number).saturating_duration_since(Instant::now()));
        rotate(&log, number);
    }
    let last = daemon.end();
    let merged = merge.stop();
    assert_eq!(lost(&merged, last), [], "{}, {wake:?}: of {last} lines", stage.name);
}

#[test]
fn twenty_rotations_a_second_lose_nothing_when_notified() {
    for stage in STAGES {
        twenty_a_second(stage, Wake::Notify, Duration::from_millis(100));
    }
}

#[test]
fn twenty_rotations_a_second_lose_nothing_when_polling() {
    for stage in STAGES {
        twenty_a_second(stage, Wake::Poll, Duration::from_millis(10));
    }
}

#[test]
fn rotations_between_two_looks_lose_nothing() {
    // Two files, or three, come and go between two looks.
    for stage in STAGES {
        twenty_a_second(stage, Wake::Poll, Duration::from_millis(130));
    }
}
