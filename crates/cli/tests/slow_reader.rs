//! An output whose reader is slow.

use std::fs::{self, File};
use std::io::Read;
use std::process::Command;
use std::thread;
use std::time::Duration;

use stages::STAGES;

#[test]
fn a_reader_that_sleeps_for_three_seconds_gets_every_line() {
    let folder = tempfile::tempdir().unwrap();
    let (log, fifo) = (folder.path().join("a.log"), folder.path().join("fifo"));
    let lines: String = (0..100_000).map(|number| format!("{number}\n")).collect();
    fs::write(&log, &lines).unwrap();
    workload::make_fifo(&fifo).unwrap();
    for stage in STAGES.iter().map(|stage| stage.name) {
        let reader = thread::spawn({
            let fifo = fifo.clone();
            move || {
                let mut output = File::open(fifo).unwrap();
                // The reader that the test is about: it pauses, the pipe fills.
                thread::sleep(Duration::from_secs(3));
                let mut all = String::new();
                output.read_to_string(&mut all).map(|_| all)
            }
        });
        let ended = Command::new(env!("CARGO_BIN_EXE_tributary"))
            .args(["--stage", stage, "--output"])
            .args([&fifo, &log])
            .output()
            .unwrap();
        assert!(ended.status.success(), "{stage}: {}", String::from_utf8_lossy(&ended.stderr));
        assert!(reader.join().unwrap().unwrap() == lines, "{stage}: other lines");
    }
}
