//! What does a span cost that the recorder hears? The same spans with it and
//! without, in turns, so that whatever else the machine does meets both. What the
//! spans of a whole merge cost is told by `cargo compare cost`.
//!
//! ```sh
//! cargo run --release -p recorder --example recorder-cost
//! ```
//!
//! Here a thread finds its subscriber by way of a thread local; with one for the
//! whole process it is a little cheaper.
#![expect(clippy::print_stdout, reason = "its figures are what it is for")]

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use recorder::Recorder;
use tracing::{Dispatch, callsite, dispatcher, warn_span};
use tracing_subscriber::layer::SubscriberExt;

// Many rounds, and short ones: on a machine that is at other work too, most of
// them are not cut in two by it, and the median is of those.
const ROUNDS: usize = 501;
const SPANS: u32 = 1_000;

fn main() {
    println!("{ROUNDS} rounds each; with the recorder / without it: medians, and 10% to 90%");
    compare("a span, on one thread", spans);
    compare("a span, on two threads at once", || {
        let dispatch = dispatcher::get_default(Dispatch::clone);
        let work = || dispatcher::with_default(&dispatch, spans);
        thread::scope(|scope| {
            let threads = [scope.spawn(work), scope.spawn(work)];
            // The longer one: both together are the work.
            threads.into_iter().map(|it| it.join().expect("no panic")).max().expect("two")
        })
    });
}

/// Prints the two times of a span and their ratio: medians, and between what
/// eight of ten rounds lie.
fn compare(name: &str, work: impl Fn() -> Duration) {
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
        recorded.push(with / f64::from(SPANS));
        bare.push(without / f64::from(SPANS));
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
    format!("{:.1} ns", seconds * 1e9)
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

fn spans() -> Duration {
    let source = Path::new("/var/log/nginx/access.log").display();
    let begin = Instant::now();
    for _ in 0..SPANS {
        let _span = warn_span!(target: "tributary", "append", %source).entered();
    }
    begin.elapsed()
}
