//! What does the recorder cost? The same work with it and without, in turns, so
//! that whatever else the machine does meets both.
//!
//! ```sh
//! cargo run --release -p recorder --example recorder-cost
//! ```
//!
//! First the spans alone, which is the cost of each; then merges of 4 MiB that
//! are in the page cache into `/dev/null`, where nothing else takes time. With
//! it, here, a thread finds its subscriber by way of a thread local; with one
//! for the whole process it is a little cheaper.
#![expect(clippy::print_stdout, reason = "its figures are what it is for")]

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use recorder::Recorder;
use tracing::{Dispatch, callsite, dispatcher, warn_span};
use tracing_subscriber::layer::SubscriberExt;
use tributary::{Options, Plan, Read};

// Many rounds, and short ones: on a machine that is at other work too, most of
// them are not cut in two by it, and the median is of those.
const ROUNDS: usize = 501;
const SPANS: u32 = 1_000;
const BYTES: usize = 4 * 1024 * 1024;

fn main() -> Result<(), Box<dyn Error>> {
    println!("{ROUNDS} rounds each; with the recorder / without it: medians, and 10% to 90%");
    compare("a span, on one thread", SPANS, || spans(SPANS));
    compare("a span, on two threads at once", SPANS, || {
        let dispatch = dispatcher::get_default(Dispatch::clone);
        let work = || dispatcher::with_default(&dispatch, || spans(SPANS));
        thread::scope(|scope| {
            let threads = [scope.spawn(work), scope.spawn(work)];
            // The longer one: both together are the work.
            threads.into_iter().map(|it| it.join().expect("no panic")).max().expect("two")
        })
    });
    for files in [8, 512] {
        let folder = tempfile::tempdir()?;
        let paths = make(folder.path(), files)?;
        compare(&format!("4 MiB from {files} files"), 1, || merge(&paths));
    }
    Ok(())
}

/// Prints the two times, divided by `parts`, and their ratio: medians, and
/// between what eight of ten rounds lie.
fn compare(name: &str, parts: u32, work: impl Fn() -> Duration) {
    let (mut ratios, mut recorded, mut bare) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        // Who comes first changes, so that no one always meets a warm machine.
        let (with, without) = if round % 2 == 0 {
            let with = with_recorder(&work);
            (with, without_recorder(&work))
        } else {
            let without = without_recorder(&work);
            (with_recorder(&work), without)
        };
        let (with, without) = (with.as_secs_f64(), without.as_secs_f64());
        ratios.push(with / without);
        recorded.push(with / f64::from(parts));
        bare.push(without / f64::from(parts));
    }
    for figures in [&mut ratios, &mut recorded, &mut bare] {
        figures.sort_by(f64::total_cmp);
    }
    println!(
        "{name:<32} {:>9} / {:>9}   ratio {:.2} ({:.2} to {:.2})",
        show(recorded[ROUNDS / 2]),
        show(bare[ROUNDS / 2]),
        ratios[ROUNDS / 2],
        ratios[ROUNDS / 10],
        ratios[ROUNDS - 1 - ROUNDS / 10],
    );
}

fn show(seconds: f64) -> String {
    if seconds < 1e-4 {
        format!("{:.1} ns", seconds * 1e9)
    } else {
        format!("{:.2} ms", seconds * 1e3)
    }
}

fn with_recorder(work: impl FnOnce() -> Duration) -> Duration {
    let recorder = Recorder::new(4 * SPANS as usize);
    let dispatch = Dispatch::new(tracing_subscriber::registry().with(recorder.layer()));
    let took = dispatcher::with_default(&dispatch, work);
    assert_eq!(recorder.recording().left_out, 0);
    drop(dispatch);
    // A span asks who listens only when it is told that this has changed.
    callsite::rebuild_interest_cache();
    took
}

fn without_recorder(work: impl FnOnce() -> Duration) -> Duration {
    assert!(warn_span!(target: "tributary", "append").is_disabled());
    work()
}

fn spans(count: u32) -> Duration {
    let source = Path::new("/var/log/nginx/access.log").display();
    let begin = Instant::now();
    for _ in 0..count {
        let _span = warn_span!(target: "tributary", "append", %source).entered();
    }
    begin.elapsed()
}

/// Makes `files` files, 4 MiB together.
fn make(folder: &Path, files: usize) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let lines = format!("{}\n", "x".repeat(127)).repeat(BYTES / files / 128);
    let paths: Vec<_> = (0..files).map(|file| folder.join(format!("{file:03}.log"))).collect();
    for path in &paths {
        fs::write(path, &lines)?;
    }
    Ok(paths)
}

/// Merges on this thread, and times it without the opening of the files.
fn merge(paths: &[PathBuf]) -> Duration {
    let plan = Plan::open(paths, "/dev/null", Options::default()).expect("the files are there");
    let Plan { mut sources, mut output, .. } = plan;
    let begin = Instant::now();
    for source in &mut sources {
        while let Read::Lines(lines) = source.read_lines().expect("they can be read") {
            output.append(&lines).expect("/dev/null takes everything");
        }
    }
    output.finish().expect("/dev/null takes everything");
    begin.elapsed()
}
