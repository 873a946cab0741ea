//! What counts as a stall, and what does not.
//!
//! The sleeps here stand for blocking calls: they are what is measured.

use std::thread;
use std::time::{Duration, Instant};

use tokio::task::{spawn_blocking, spawn_local, yield_now};

const BLOCK: Duration = Duration::from_millis(300);
const HALF_THE_BLOCK: Duration = Duration::from_millis(150);

fn stall_of(main: impl Future<Output = ()>) -> Option<Duration> {
    tokio_loop::run(1, None, main).expect("the loop starts").longest_stall
}

/// Asserts that a run has the stall that is expected, in one of ten runs.
///
/// A machine that gives the core to somebody else stalls the loop in earnest
/// now and then, or keeps the watch from looking; a measure that is wrong is so
/// in all ten.
#[track_caller]
fn assert_stall(
    expected: &str,
    run: impl Fn() -> Option<Duration>,
    is_it: impl Fn(Option<Duration>) -> bool,
) {
    let mut seen = Vec::new();
    for _ in 0..10 {
        let stall = run();
        if is_it(stall) {
            return;
        }
        seen.push(stall);
    }
    panic!("expected a stall {expected}, got {seen:?}");
}

#[track_caller]
fn assert_stays_under<F: Future<Output = ()>>(bound: Duration, main: impl Fn() -> F) {
    let is_under = |stall: Option<Duration>| stall.is_none_or(|stall| stall < bound);
    assert_stall(&format!("under {bound:?}"), || stall_of(main()), is_under);
}

#[track_caller]
fn assert_sees_the_block<F: Future<Output = ()>>(main: impl Fn() -> F) {
    assert_sees_the_block_in(|| stall_of(main()));
}

#[track_caller]
fn assert_sees_the_block_in(run: impl Fn() -> Option<Duration>) {
    assert_stall(&format!("of {BLOCK:?}"), run, |stall| stall >= Some(HALF_THE_BLOCK));
}

#[test]
fn a_task_that_blocks_is_seen() {
    assert_sees_the_block(|| async {
        let task = spawn_local(async { thread::sleep(BLOCK) });
        task.await.expect("the task does not panic");
        yield_now().await;
    });
}

#[test]
fn a_main_that_blocks_before_its_first_await_is_seen() {
    assert_sees_the_block(|| async {
        thread::sleep(BLOCK);
        yield_now().await;
    });
}

#[test]
fn a_block_at_the_very_end_is_seen() {
    assert_sees_the_block(|| async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        thread::sleep(BLOCK);
    });
}

#[test]
fn a_block_after_a_rest_is_seen() {
    // The watch sleeps as well when the task comes back, and has to be woken.
    assert_sees_the_block(|| async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        thread::sleep(BLOCK);
        tokio::time::sleep(Duration::from_millis(100)).await;
    });
}

#[test]
fn a_block_after_many_short_runs_is_seen() {
    // The watch looks seldom by then.
    assert_sees_the_block(|| async {
        for _ in 0..50 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        thread::sleep(BLOCK);
    });
}

#[test]
fn the_longest_of_several_is_kept() {
    assert_sees_the_block(|| async {
        for block in [BLOCK / 30, BLOCK, BLOCK / 30] {
            thread::sleep(block);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
}

#[test]
fn a_computation_counts_as_much_as_a_sleep() {
    assert_sees_the_block(|| async {
        let begin = Instant::now();
        while begin.elapsed() < BLOCK {
            std::hint::spin_loop();
        }
    });
}

#[test]
fn a_loop_that_is_busy_but_takes_turns_does_not_stall() {
    // It never parks, so the gap between unpark and park is all of 700 ms.
    assert_stays_under(Duration::from_millis(350), || async {
        let busy = Duration::from_millis(700);
        let begin = Instant::now();
        let other = spawn_local(async move {
            while begin.elapsed() < busy {
                yield_now().await;
            }
        });
        while begin.elapsed() < busy {
            yield_now().await;
        }
        other.await.expect("the task does not panic");
    });
}

#[test]
fn a_busy_loop_is_timed() {
    let stall = stall_of(async {
        let begin = Instant::now();
        while begin.elapsed() < BLOCK {
            yield_now().await;
        }
    });
    assert_ne!(stall, None);
}

#[test]
fn a_main_that_is_over_at_once_is_not_timed() {
    assert!((0..100).any(|_| stall_of(async {}).is_none()));
}

#[test]
fn blocking_on_the_pool_is_no_stall() {
    assert_stays_under(HALF_THE_BLOCK, || async {
        let job = spawn_blocking(|| thread::sleep(BLOCK));
        job.await.expect("the job does not panic");
    });
}

#[test]
fn the_wait_for_blocking_jobs_after_main_is_no_stall() {
    assert_stays_under(HALF_THE_BLOCK, || async {
        let (started, has_started) = tokio::sync::oneshot::channel();
        drop(spawn_blocking(move || {
            started.send(()).expect("main waits for it");
            thread::sleep(BLOCK);
        }));
        has_started.await.expect("the job starts");
    });
}

#[test]
fn a_threshold_changes_nothing() {
    assert_sees_the_block_in(|| {
        let main = async { thread::sleep(BLOCK) };
        tokio_loop::run(1, Some(BLOCK * 10), main).expect("the loop starts").longest_stall
    });
}
