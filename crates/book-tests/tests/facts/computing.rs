//! Tasks that compute: the budget of a turn, and who computes instead.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier};
use std::thread;

use testkit::within;
use tokio::runtime::Builder;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::{coop::consume_budget, spawn_blocking, spawn_local, yield_now};

use super::{A_WHILE, comes, does_not_come, one_thread};

const ROUNDS: usize = 1000;

/// Has a task do `round` again and again. Returns in which round another task has had
/// its turn, if in any.
fn other_has_its_turn<R: AsyncFnMut() + 'static>(mut round: R) -> Option<usize> {
    one_thread(1).block_on(async {
        let (rounds, seen) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(None)));
        let (count, saw, counted) = (Rc::clone(&rounds), Rc::clone(&seen), Rc::clone(&rounds));
        let busy = spawn_local(async move {
            for number in 0..ROUNDS {
                round().await;
                count.set(number + 1);
            }
        });
        let other = spawn_local(async move { saw.set(Some(counted.get())) });
        busy.await.unwrap();
        other.await.unwrap();
        seen.get().filter(|round| *round < ROUNDS)
    })
}

#[test]
fn a_ready_channel_hands_the_turn_back_after_128() {
    let (sender, mut receiver) = mpsc::unbounded_channel();
    (0..ROUNDS).for_each(|_| sender.send(()).unwrap());
    let turn = other_has_its_turn(async move || receiver.recv().await.unwrap());
    assert_eq!(turn, Some(128));
}

#[test]
fn a_computation_and_a_future_that_is_not_tokio_s_have_no_budget() {
    assert_eq!(other_has_its_turn(async || ()), None);
    assert_eq!(other_has_its_turn(async || std::future::ready(()).await), None);
    let (sender, receiver) = async_channel::unbounded();
    (0..ROUNDS).for_each(|_| sender.try_send(()).unwrap());
    let turn = other_has_its_turn(async move || receiver.recv().await.unwrap());
    assert_eq!(turn, None, "a channel of another crate");
}

#[test]
fn yield_now_hands_the_turn_back_each_time_and_consume_budget_after_128() {
    assert_eq!(other_has_its_turn(async || yield_now().await), Some(0));
    assert_eq!(other_has_its_turn(async || consume_budget().await), Some(128));
}

// ANCHOR: semaphore
/// Gives a computation to the pool, once there is a place for it.
async fn compute<T: Send + 'static>(
    places: &Arc<Semaphore>,
    work: impl FnOnce() -> T + Send + 'static,
) -> T {
    let place = Arc::clone(places).acquire_owned().await.expect("nobody closes it");
    let job = spawn_blocking(move || {
        // In the job, and not in the task: a task may be dropped, and the job goes on.
        let _place = place;
        work()
    });
    job.await.expect("it does not panic")
}
// ANCHOR_END: semaphore

#[test]
fn a_semaphore_bounds_the_jobs_and_whoever_waits_for_a_place_is_a_task() {
    const PLACES: usize = 4;
    const TASKS: usize = 100;
    let ((began, begun), (open, door)) = (channel(), crossbeam_channel::unbounded::<()>());
    let tasks = thread::spawn(move || {
        one_thread(TASKS).block_on(async {
            let places = Arc::new(Semaphore::new(PLACES));
            let task = |_| {
                let (places, began, door) = (places.clone(), began.clone(), door.clone());
                let work = move || {
                    began.send(()).unwrap();
                    let _ = door.recv();
                };
                spawn_local(async move { compute(&places, work).await })
            };
            let tasks: Vec<_> = (0..TASKS).map(task).collect();
            for task in tasks {
                task.await.unwrap();
            }
        });
    });
    for _ in 0..PLACES {
        comes(&begun, "a job has a place");
    }
    does_not_come(&begun, "one more job begins");
    drop(open);
    for _ in PLACES..TASKS {
        comes(&begun, "the others begin once there is a place");
    }
    tasks.join().unwrap();
}

#[test]
fn a_job_whose_task_is_dropped_keeps_its_place_until_it_ends() {
    one_thread(4).block_on(async {
        let places = Arc::new(Semaphore::new(1));
        let ((began, begun), (go_on, gate)) = (oneshot::channel(), channel::<()>());
        let shared = Arc::clone(&places);
        let task = spawn_local(async move {
            let work = move || {
                began.send(()).unwrap();
                gate.recv().unwrap();
            };
            compute(&shared, work).await;
        });
        begun.await.unwrap();
        task.abort();
        task.await.unwrap_err();
        assert_eq!(places.available_permits(), 0);
        go_on.send(()).unwrap();
        drop(places.acquire().await.unwrap());
    });
}

// ANCHOR: rayon
/// Gives a computation to a pool of rayon, and awaits its answer.
async fn compute_on<T: Send + 'static>(
    pool: &rayon::ThreadPool,
    work: impl FnOnce() -> T + Send + 'static,
) -> T {
    let (answer, computed) = oneshot::channel();
    // Nobody may be waiting any more.
    pool.spawn(move || drop(answer.send(work())));
    computed.await.expect("it does not panic")
}
// ANCHOR_END: rayon

#[test]
fn a_fixed_pool_computes_and_the_loop_turns_meanwhile() {
    within(|| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        one_thread(1).block_on(async {
            let (go_on, gate) = channel();
            let turns = spawn_local(async move { go_on.send(()).unwrap() });
            // It ends once another task of this loop has had its turn.
            compute_on(&pool, move || gate.recv().unwrap()).await;
            turns.await.unwrap();
        });
    });
}

#[test]
fn a_second_runtime_that_computes_takes_no_turn_from_the_first() {
    within(|| {
        let second = Builder::new_multi_thread().worker_threads(1).build().unwrap();
        one_thread(1).block_on(async {
            let (go_on, gate) = channel();
            let computes = second.spawn(async move { gate.recv().unwrap() });
            let turns = spawn_local(async move { go_on.send(()).unwrap() });
            computes.await.unwrap();
            turns.await.unwrap();
        });
    });
}

#[test]
fn a_timer_on_a_second_runtime_is_that_ones_or_none() {
    // It has none: what was made for the first runtime has to be awaited there.
    let second = Builder::new_multi_thread().worker_threads(1).build().unwrap();
    one_thread(1).block_on(async {
        let waits = second.spawn(async { tokio::time::sleep(A_WHILE).await });
        assert!(waits.await.unwrap_err().is_panic());
    });
}

#[test]
fn two_futures_of_one_join_never_run_at_the_same_time() {
    // Two that meet at a barrier: as two tasks of two workers they do.
    let workers = || Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let ((end, ended), both) = (channel(), Arc::new(Barrier::new(2)));
    let meets = |both: &Arc<Barrier>| {
        let both = Arc::clone(both);
        async move {
            both.wait();
        }
    };
    let (one, other) = (meets(&both), meets(&both));
    let told = end.clone();
    thread::spawn(move || {
        workers().block_on(async { tokio::join!(one, other) });
        told.send("joined").unwrap();
    });
    does_not_come(&ended, "two futures of one task are polled at once");
    let both = Arc::new(Barrier::new(2));
    let (one, other) = (meets(&both), meets(&both));
    thread::spawn(move || {
        workers().block_on(async {
            let (one, other) = (tokio::spawn(one), tokio::spawn(other));
            one.await.unwrap();
            other.await.unwrap();
        });
        end.send("spawned").unwrap();
    });
    assert_eq!(comes(&ended, "two tasks meet"), "spawned");
}
