//! What does a span cost that the recorder hears? The same spans with it and
//! without, in turns, so that whatever else the machine does meets both. What the
//! spans of a whole merge cost is told by `cargo compare cost`.
//!
//! ```sh
//! cargo run --release -p recorder --example recorder-cost
//! ```
#![expect(clippy::print_stdout, reason = "its figures are what it is for")]

use std::path::Path;
use std::thread;
use std::time::Instant;

use recorder::Recorder;
use tracing::{Dispatch, callsite, dispatcher, warn_span};
use tracing_subscriber::layer::SubscriberExt;

// Many rounds, and short ones: on a machine that is at other work too, most of
// them are not cut in two by it, and the median is of those.
const ROUNDS: usize = 501;
const SPANS: usize = 1_000;

fn main() {
    println!("nanoseconds a span, {ROUNDS} rounds: the median, and 10% to 90%");
    for threads in [1, 2] {
        let (mut with, mut without) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let recorder = Recorder::new(4 * SPANS);
            let subscriber = tracing_subscriber::registry().with(recorder.layer());
            with.push(spans(threads, &subscriber.into()));
            // A span asks who listens only when it is told that this has changed.
            callsite::rebuild_interest_cache();
            without.push(spans(threads, &Dispatch::none()));
        }
        let (with, without) = (show(with), show(without));
        println!("threads at once: {threads}; with the recorder {with}, without it {without}");
    }
}

fn show(mut nanos: Vec<f64>) -> String {
    nanos.sort_by(f64::total_cmp);
    let [low, median, high] = [1, 5, 9].map(|tenths| nanos[tenths * ROUNDS / 10]);
    format!("{median:.1} ({low:.1} to {high:.1})")
}

/// Opens spans on as many threads at once, and returns what one took on the
/// slowest of them.
fn spans(threads: usize, dispatch: &Dispatch) -> f64 {
    let work = || {
        let source = Path::new("/var/log/nginx/access.log").display();
        let begin = Instant::now();
        for _ in 0..SPANS {
            let _span = warn_span!(target: "tributary", "append", %source).entered();
        }
        begin.elapsed().as_nanos() as f64 / SPANS as f64
    };
    thread::scope(|scope| {
        let recorded = || dispatcher::with_default(dispatch, work);
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(recorded)).collect();
        threads.into_iter().map(|it| it.join().expect("no panic")).fold(0.0, f64::max)
    })
}
