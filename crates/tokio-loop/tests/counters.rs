//! What the watch stands on, and tokio does not promise.

use std::mem;
use std::time::Instant;

use testkit::{BOUND, until};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::yield_now;

fn runtimes() -> [Runtime; 2] {
    [
        Builder::new_multi_thread().worker_threads(2).build().unwrap(),
        Builder::new_current_thread().build().unwrap(),
    ]
}

#[test]
fn a_worker_that_never_parks_counts_its_busy_time_all_the_same() {
    for runtime in runtimes() {
        let flavor = runtime.handle().runtime_flavor();
        runtime.block_on(async move {
            let task = tokio::spawn(async move {
                let metrics = Handle::current().metrics();
                // Of the worker that has this turn: the other one parks.
                let busy = || {
                    let worker = tokio::runtime::worker_index().expect("a task is on a worker");
                    (worker, metrics.worker_total_busy_duration(worker))
                };
                let (mut before, begin) = (busy(), Instant::now());
                loop {
                    let now = busy();
                    if now.0 != before.0 {
                        before = now;
                    } else if now != before {
                        break;
                    }
                    assert!(
                        begin.elapsed() < BOUND,
                        "this release of tokio does not write `worker_total_busy_duration` for a \
                         worker that is always at work ({flavor:?}): `watched` would take every \
                         such worker for a blocked one"
                    );
                    yield_now().await;
                }
            });
            task.await.unwrap();
        });
    }
}

#[test]
fn a_worker_in_a_turn_has_an_even_count_and_one_at_rest_an_odd_one() {
    for runtime in runtimes() {
        let flavor = runtime.handle().runtime_flavor();
        let metrics = runtime.metrics();
        let in_task = metrics.clone();
        let count = async move {
            let worker = tokio::runtime::worker_index().expect("a task is on a worker");
            in_task.worker_park_unpark_count(worker)
        };
        let count = runtime.block_on(async { tokio::spawn(count).await.unwrap() });
        assert!(
            count % 2 == 0,
            "in this release of tokio the `worker_park_unpark_count` of a worker at work is odd \
             ({count}, {flavor:?}): `watched` would take it for one at rest"
        );
        // Nobody drives a runtime of one thread here, and the workers of the other rest.
        let begin = Instant::now();
        while (1..metrics.num_workers()).any(|it| metrics.worker_park_unpark_count(it) % 2 == 0) {
            assert!(
                begin.elapsed() < BOUND,
                "in this release of tokio the `worker_park_unpark_count` of a worker at rest is \
                 even ({flavor:?}): `watched` would take it for one at work"
            );
            std::thread::yield_now();
        }
    }
}

/// Waits until no worker but this one turns, and returns how often the others have parked
/// and woken.
fn others_at_rest() -> Vec<u64> {
    let here = tokio::runtime::worker_index();
    let metrics = Handle::current().metrics();
    let others = (0..metrics.num_workers()).filter(|it| Some(*it) != here);
    let counts = others.map(|it| metrics.worker_park_unpark_count(it));
    let mut found: Vec<u64> = counts.clone().collect();
    until("the others rest", || {
        let before = mem::replace(&mut found, counts.clone().collect());
        before == found && found.iter().all(|count| count % 2 == 1)
    });
    found
}

#[test]
fn a_worker_that_goes_on_to_its_next_task_wakes_one_that_rests() {
    for workers in [2, 4, 8] {
        let runtime = Builder::new_multi_thread().worker_threads(workers).build().unwrap();
        runtime.block_on(async move {
            let task = tokio::spawn(async move {
                for _ in 0..20 {
                    let before = (tokio::runtime::worker_index(), others_at_rest());
                    yield_now().await;
                    let begin = Instant::now();
                    // Another worker that goes on with this task was woken for it.
                    while before == (tokio::runtime::worker_index(), others_at_rest()) {
                        assert!(
                            begin.elapsed() < BOUND,
                            "in this release of tokio a worker that takes up a task wakes no worker \
                             that rests ({workers} workers): `watched` would take short turns \
                             without a name for a long one, while others rest"
                        );
                        std::thread::yield_now();
                    }
                }
            });
            task.await.unwrap();
        });
    }
}
