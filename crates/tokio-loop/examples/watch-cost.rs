//! What do the watch and the debug mode cost? The same work on a bare runtime
//! and on `tokio_loop::run`, in turns, so that whatever else the machine does
//! meets all of them.
//!
//! ```sh
//! cargo run --release -p tokio-loop --example watch-cost
//! ```
#![expect(clippy::print_stdout, reason = "its figures are what it is for")]

use std::hint::black_box;
use std::io;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, LocalOptions};
use tokio::task::{spawn_blocking, spawn_local, yield_now};
use tracing::Dispatch;
use tracing::dispatcher::with_default;
use tracing::warn_span;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::{Identity, Layer, SubscriberExt};

const ROUNDS: usize = 15;

/// How the work is run; the first is what the others are compared with.
const WAYS: [(&str, Way); 5] = [
    ("a bare runtime", Way { watched: false, debug: None, named: false }),
    ("run, debug off", Way { watched: true, debug: None, named: false }),
    ("run, debug off, names()", Way { watched: true, debug: None, named: true }),
    ("run, debug on", Way { watched: true, debug: Some(tokio_loop::SLOW), named: false }),
    ("run, debug on, names()", Way { watched: true, debug: Some(tokio_loop::SLOW), named: true }),
];

#[derive(Clone, Copy)]
struct Way {
    watched: bool,
    debug: Option<Duration>,
    /// Whether the layer of the names is there; without it, no subscriber is.
    named: bool,
}

fn main() -> io::Result<()> {
    // Before there is a subscriber; afterwards `tracing` asks it more.
    let nobody = time_of_spans();
    let hears_events = filter_fn(|metadata| metadata.is_event());
    let printing = tracing_subscriber::registry().with(Identity::new().with_filter(hears_events));
    let refused = with_default(&printing.into(), time_of_spans);
    println!(
        "a span that is off: {nobody:.1} ns without a subscriber, {refused:.1} ns where one refuses it\n"
    );
    println!("{ROUNDS} rounds, medians; ratio to a bare runtime, median and extremes");
    compare("1,000,000 turns of one task", async || {
        for _ in 0..1_000_000 {
            yield_now().await;
        }
    })?;
    compare("1,000 tasks, 1,000 turns each", async || {
        let turns = async || {
            for _ in 0..1_000 {
                yield_now().await;
            }
        };
        let tasks: Vec<_> = (0..1_000).map(|_| spawn_local(turns())).collect();
        for task in tasks {
            task.await.expect("it does not panic");
        }
    })?;
    compare("20,000 hops to a blocking thread", async || {
        for _ in 0..20_000 {
            spawn_blocking(|| ()).await.expect("it does not panic");
        }
    })?;
    compare("1,000,000 spans on the loop", async || {
        spans(1_000_000);
    })?;
    compare("1,000,000 spans elsewhere", async || {
        let dispatch = tracing::dispatcher::get_default(Dispatch::clone);
        let spans = move || with_default(&dispatch, || spans(1_000_000));
        spawn_blocking(spans).await.expect("it does not panic");
    })?;
    compare("100 timers of 1 ms, one by one", async || {
        for _ in 0..100 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })?;
    compare("an empty main", async || ())
}

/// Opens and closes so many spans, one after the other, such as `append` has.
fn spans(count: u64) {
    for number in 0..count {
        let _span = warn_span!(target: "tributary", "append", source = %"a.log").entered();
        black_box(number);
    }
}

/// Returns the nanoseconds that a span takes: the least of some rounds.
fn time_of_spans() -> f64 {
    const SPANS: u64 = 1_000_000;
    let time = |_| {
        let begin = Instant::now();
        spans(SPANS);
        begin.elapsed().as_nanos() as f64 / SPANS as f64
    };
    (0..ROUNDS).map(time).fold(f64::INFINITY, f64::min)
}

/// Prints the time of each way, and its ratio to that of the first.
fn compare(name: &str, work: impl AsyncFn()) -> io::Result<()> {
    let mut times = WAYS.map(|_| Vec::new());
    let mut ratios = WAYS.map(|_| Vec::new());
    for round in 0..ROUNDS {
        // Who comes first changes, so that no one always meets a warm machine.
        for turn in 0..WAYS.len() {
            let which = (round + turn) % WAYS.len();
            times[which].push(time(WAYS[which].1, &work)?);
        }
        for which in 0..WAYS.len() {
            ratios[which].push(times[which][round].as_secs_f64() / times[0][round].as_secs_f64());
        }
    }
    println!("\n{name}");
    for (which, (way, _)) in WAYS.iter().enumerate() {
        times[which].sort();
        ratios[which].sort_by(f64::total_cmp);
        let [least, middle, most] = [0, ROUNDS / 2, ROUNDS - 1].map(|at| ratios[which][at]);
        let time = times[which][ROUNDS / 2];
        println!("  {way:<26} {time:>10.3?}   {middle:.3} ({least:.3} to {most:.3})");
    }
    Ok(())
}

fn time(way: Way, work: &impl AsyncFn()) -> io::Result<Duration> {
    let timed = || {
        let begin = Instant::now();
        if way.watched {
            tokio_loop::run(1, way.debug, work())?;
        } else {
            let runtime = Builder::new_current_thread()
                .enable_time()
                .max_blocking_threads(1)
                .build_local(LocalOptions::default())?;
            runtime.block_on(work());
        }
        Ok(begin.elapsed())
    };
    if way.named {
        with_default(&tracing_subscriber::registry().with(tokio_loop::names()).into(), timed)
    } else {
        timed()
    }
}
