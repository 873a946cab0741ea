//! Loops: what one blocking call does to the timers, on one thread and on many.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use tokio::runtime::Builder;
use tokio::time::sleep;

use crate::{A_WHILE, comes, one_thread};

const WORKERS: usize = 4;

#[test]
fn one_blocking_poll_holds_up_the_timers_of_all_workers() {
    let runtime = Builder::new_multi_thread().worker_threads(WORKERS).enable_time().build();
    let runtime = runtime.unwrap();
    let (fire, fired) = channel();
    let waited = runtime.block_on(async {
        let (ready, is_ready) = tokio::sync::oneshot::channel();
        let blocks = tokio::spawn(async move {
            is_ready.await.unwrap();
            // Woken by the timer, on the worker that turns its wheel.
            sleep(Duration::from_millis(20)).await;
            let waited = fired.recv_timeout(A_WHILE);
            (waited, fired)
        });
        let other = tokio::spawn(async move {
            ready.send(()).unwrap();
            sleep(Duration::from_millis(60)).await;
            fire.send(()).unwrap();
        });
        let (waited, fired) = blocks.await.unwrap();
        other.await.unwrap();
        comes(&fired, "the other timer fires once the worker is free");
        waited
    });
    assert_eq!(waited, Err(RecvTimeoutError::Timeout), "three workers idle, and no timer fires");
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
