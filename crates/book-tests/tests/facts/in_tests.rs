//! What a test of async code runs on: one thread, and a clock that may be stopped.

use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use testkit::panic_of;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::oneshot;
use tokio::task::{block_in_place, spawn_blocking};
use tokio::time::{Instant, sleep, timeout};

use super::does_not_come;

const LONG: Duration = Duration::from_secs(100);

// ANCHOR: flavors
#[tokio::test]
async fn a_tokio_test_has_one_thread_and_refuses_block_in_place() {
    assert_eq!(Handle::current().runtime_flavor(), RuntimeFlavor::CurrentThread);
    let said = panic_of(|| block_in_place(|| ()));
    assert!(said.contains("can call blocking only when running on the multi-threaded"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tokio_test_that_asks_for_workers_has_them() {
    assert_eq!(Handle::current().runtime_flavor(), RuntimeFlavor::MultiThread);
    block_in_place(|| ());
}
// ANCHOR_END: flavors

// ANCHOR: paused
#[tokio::test(start_paused = true)]
async fn paused_time_jumps_to_the_next_timer_and_waits_for_jobs() {
    let begin = (Instant::now(), std::time::Instant::now());
    sleep(LONG).await;
    assert!(begin.0.elapsed() >= LONG, "by the clock of tokio");
    assert!(begin.1.elapsed() < LONG, "by the clock of std");

    // A job holds the clock for as long as it runs.
    let job = spawn_blocking(|| thread::sleep(Duration::from_millis(20)));
    timeout(LONG, job).await.expect("the time did not jump over it").unwrap();
}

#[tokio::test(start_paused = true)]
async fn paused_time_does_not_wait_for_a_thread_of_ones_own() {
    let begin = std::time::Instant::now();
    let (go_on, gate) = channel::<()>();
    let (answer, answered) = oneshot::channel();
    thread::spawn(move || {
        gate.recv().unwrap();
        answer.send(()).unwrap();
    });
    // Nothing that the runtime knows of is at work, so the clock jumps.
    let given_up = timeout(LONG, async { answered.await.unwrap() });
    given_up.await.expect_err("the thread is waited for");
    assert!(begin.elapsed() < LONG, "by the clock of std");
    drop(go_on);
}
// ANCHOR_END: paused

#[test]
fn a_timeout_inside_of_a_test_does_not_end_one_whose_loop_is_blocked() {
    let (end, ended) = channel();
    let (_never, gate) = channel::<()>();
    thread::spawn(move || {
        let blocks = async move { gate.recv() };
        super::one_thread(1).block_on(timeout_of(blocks));
        end.send(()).unwrap();
    });
    does_not_come(&ended, "the timeout ends the test");
}

async fn timeout_of<T>(test: impl Future<Output = T>) {
    let _ = timeout(Duration::from_millis(1), test).await;
}
