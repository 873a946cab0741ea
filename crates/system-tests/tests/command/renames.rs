//! Twenty rotations in a second, by plain renames, while 20,000 lines a second
//! are written.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, Instant};

use system_tests::Reopen;

use crate::load::{Load, in_every_stage};

const PAUSE: Duration = Duration::from_millis(50);
const ROTATIONS: u32 = 60;

fn rotate(log: &Path, number: u32) {
    fs::rename(log, log.with_extension(format!("log.{number:02}"))).unwrap();
    // The daemon creates the log, too: chance decides who is first.
    let _ = File::create_new(log);
}

fn twenty_a_second(flags: [&str; 4]) {
    in_every_stage(|stage| {
        let load = Load::start(stage, &flags, Reopen::After(Duration::ZERO));
        let log = load.folder.path("app.log");
        let begin = Instant::now();
        for number in 1..=ROTATIONS {
            // The pace of the rotations: nothing is waited for.
            std::thread::sleep((begin + PAUSE * number).saturating_duration_since(Instant::now()));
            rotate(&log, number);
        }
        let done = load.end();
        assert_eq!(done.lost(), [], "{stage}, {flags:?}: of {} lines", done.last);
    });
}

#[test]
fn twenty_rotations_a_second_lose_nothing_when_notified() {
    twenty_a_second(["--wake", "notify", "--interval", "100ms"]);
}

#[test]
fn twenty_rotations_a_second_lose_nothing_when_polling() {
    twenty_a_second(["--wake", "poll", "--interval", "10ms"]);
}

#[test]
fn rotations_between_two_looks_lose_nothing() {
    // Two files, or three, come and go between two looks.
    twenty_a_second(["--wake", "poll", "--interval", "130ms"]);
}
