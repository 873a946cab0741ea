//! Loops: what one blocking call does to the timers, on one thread and on many.

use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::Builder;
use tokio::time::{sleep, sleep_until};

use super::{A_WHILE, BOUND, comes, one_thread};

const WORKERS: usize = 4;

// ANCHOR: workers
/// Blocks one of four workers, the one that a timer has woken. Returns whether
/// the next timer fires meanwhile, and whether it does once another worker is
/// woken; or nothing, if the machine is too busy to show it.
fn a_timer_fires_while_a_worker_is_blocked() -> Option<(bool, bool)> {
    let runtime = Builder::new_multi_thread().worker_threads(WORKERS).enable_time().build();
    let runtime = runtime.unwrap();
    let metrics = runtime.metrics();
    let soon = Instant::now() + Duration::from_millis(40);
    let later = soon + Duration::from_millis(80);
    let (fire, fired) = channel();
    runtime.spawn(async move {
        sleep_until(later.into()).await;
        let _ = fire.send(());
    });
    let handle = runtime.handle().clone();
    let blocks = runtime.spawn(async move {
        // Woken by the timer, on the worker that turns its wheel.
        sleep_until(soon.into()).await;
        let parked = |worker: &usize| metrics.worker_park_unpark_count(*worker) % 2 == 1;
        let all_others_are_parked = (0..WORKERS).filter(parked).count() == WORKERS - 1;
        if !all_others_are_parked || Instant::now() >= later {
            return None;
        }
        let by_itself = fired.recv_timeout(A_WHILE).is_ok();
        // Nothing but a worker that has something to do.
        thread::spawn(move || handle.spawn(async {}));
        Some((by_itself, fired.recv_timeout(BOUND).is_ok()))
    });
    runtime.block_on(blocks).unwrap()
}

#[test]
fn one_blocking_poll_holds_up_the_timers_of_all_workers() {
    let mut tries = (0..100).map(|_| a_timer_fires_while_a_worker_is_blocked());
    assert_eq!(tries.find_map(|shown| shown), Some((false, true)));
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
