//! What does the watch cost? The same work on a bare runtime and on
//! `event_loop::run`, in turns, so that whatever else the machine does meets both.
//!
//! ```sh
//! cargo run --release -p event-loop --example watch-cost
//! ```
#![expect(clippy::print_stdout, reason = "its figures are what it is for")]

use std::io;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, LocalOptions};
use tokio::task::{spawn_blocking, yield_now};

const ROUNDS: usize = 15;

fn main() -> io::Result<()> {
    println!("{ROUNDS} rounds each; with the watch / without it");
    compare("1,000,000 turns of one task", async || {
        for _ in 0..1_000_000 {
            yield_now().await;
        }
    })?;
    compare("20,000 hops to a blocking thread", async || {
        for _ in 0..20_000 {
            spawn_blocking(|| ()).await.expect("it does not panic");
        }
    })?;
    compare("100 timers of 1 ms, one by one", async || {
        for _ in 0..100 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })?;
    compare("an empty main", async || ())
}

/// Prints the ratio of the two times, median and extremes over the rounds.
fn compare(name: &str, work: impl AsyncFn()) -> io::Result<()> {
    let mut ratios = Vec::new();
    let mut watched = Vec::new();
    let mut bare = Vec::new();
    for round in 0..ROUNDS {
        // Who comes first changes, so that no one always meets a warm machine.
        let (with, without) = if round % 2 == 0 {
            let with = time_watched(&work)?;
            (with, time_bare(&work)?)
        } else {
            let without = time_bare(&work)?;
            (time_watched(&work)?, without)
        };
        ratios.push(with.as_secs_f64() / without.as_secs_f64());
        watched.push(with);
        bare.push(without);
    }
    ratios.sort_by(f64::total_cmp);
    watched.sort();
    bare.sort();
    println!(
        "{name:<34} {:>9.3?} / {:>9.3?}   ratio {:.3} ({:.3} to {:.3})",
        watched[ROUNDS / 2],
        bare[ROUNDS / 2],
        ratios[ROUNDS / 2],
        ratios[0],
        ratios[ROUNDS - 1],
    );
    Ok(())
}

fn time_watched(work: &impl AsyncFn()) -> io::Result<Duration> {
    let begin = Instant::now();
    event_loop::run(1, None, work())?;
    Ok(begin.elapsed())
}

fn time_bare(work: &impl AsyncFn()) -> io::Result<Duration> {
    let begin = Instant::now();
    let runtime = Builder::new_current_thread()
        .enable_time()
        .max_blocking_threads(1)
        .build_local(LocalOptions::default())?;
    runtime.block_on(work());
    drop(runtime);
    Ok(begin.elapsed())
}
