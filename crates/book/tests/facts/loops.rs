//! Loops: what one blocking call does to the timers, on one thread and on many.

use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::Builder;
use tokio::time::sleep;

use crate::{A_WHILE, comes, one_thread};

const WORKERS: usize = 4;

// ANCHOR: workers
/// Blocks one of four workers, and tells whether a timer fires meanwhile.
fn a_timer_fires_while_a_worker_is_blocked() -> bool {
    let runtime = Builder::new_multi_thread().worker_threads(WORKERS).enable_time().build();
    runtime.unwrap().block_on(async {
        let (fire, fired) = channel();
        let blocks = tokio::spawn(async move {
            // Woken by the timer, on the worker that turns its wheel.
            sleep(Duration::from_millis(20)).await;
            let while_it_blocks = fired.recv_timeout(A_WHILE).is_ok();
            (while_it_blocks, fired)
        });
        let other = tokio::spawn(async move {
            sleep(Duration::from_millis(60)).await;
            fire.send(()).unwrap();
        });
        let (while_it_blocked, fired) = blocks.await.unwrap();
        other.await.unwrap();
        while_it_blocked || fired.try_recv().is_err()
    })
}

#[test]
fn one_blocking_poll_holds_up_the_timers_of_all_workers() {
    // On a machine with much else to do both timers may be due at once, and
    // then another worker is woken for the second. Not ten times in a row.
    assert!((0..10).any(|_| !a_timer_fires_while_a_worker_is_blocked()));
}
// ANCHOR_END: workers

#[test]
fn a_worker_that_is_woken_otherwise_takes_the_timers_over() {
    let runtime = Builder::new_multi_thread().worker_threads(WORKERS).enable_time().build();
    let runtime = runtime.unwrap();
    let (fire, fired) = channel();
    runtime.block_on(async {
        let (blocked, is_blocked) = channel();
        let (wake, woken) = tokio::sync::oneshot::channel();
        let (ready, is_ready) = tokio::sync::oneshot::channel();
        let blocks = tokio::spawn(async move {
            is_ready.await.unwrap();
            sleep(Duration::from_millis(20)).await;
            blocked.send(()).unwrap();
            comes(&fired, "the other timer fires while this worker is blocked");
        });
        tokio::spawn(async move {
            ready.send(()).unwrap();
            sleep(Duration::from_millis(60)).await;
            fire.send(()).unwrap();
        });
        // A task that needs no timer is not held up: another worker runs it.
        let runs = tokio::spawn(woken);
        let wakes = thread::spawn(move || {
            comes(&is_blocked, "a worker is blocked");
            wake.send(()).unwrap();
        });
        blocks.await.unwrap();
        runs.await.unwrap().unwrap();
        wakes.join().unwrap();
    });
}

#[test]
fn twenty_sleeps_of_a_tenth_of_a_millisecond_take_nineteen_milliseconds_at_least() {
    // The wheel of tokio's timer turns by the millisecond, so each of them ends
    // with a tick; only the first may have begun just before one.
    let begin = Instant::now();
    one_thread(1).block_on(async {
        for _ in 0..20 {
            sleep(Duration::from_micros(100)).await;
        }
    });
    let took = begin.elapsed();
    assert!(took >= Duration::from_millis(19), "{took:?}");
}
