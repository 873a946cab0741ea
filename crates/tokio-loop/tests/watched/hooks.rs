//! Workers that move to other threads, with hooks and without them.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use testkit::until;
use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tracing::info_span;

#[cfg(tokio_unstable)]
use crate::Named;
use crate::told::{HANG, Line, Told};
use crate::{Blocks, SLOW, built, read_a_fifo, watch};

/// Has a task block in place until the sender is dropped.
fn block_in_place() -> (mpsc::Sender<()>, oneshot::Receiver<()>, JoinHandle<()>) {
    let (end, ended) = mpsc::channel();
    let (begin, begun) = oneshot::channel();
    let task = tokio::spawn(async move {
        tokio::task::block_in_place(|| {
            begin.send(()).unwrap();
            ended.recv().unwrap_err();
        });
    });
    (end, begun, task)
}

#[test]
fn with_hooks_the_right_thread_is_looked_at_after_block_in_place() {
    let told = Told::default();
    let mut builder = Builder::new_multi_thread();
    let runtime = built(tokio_loop::hook_into(&mut builder).worker_threads(2), &told);
    let blocks = Blocks {
        told: told.clone(),
        now: "an unnamed operation blocks it…: it reads a.fifo".to_owned(),
        then: "an unnamed operation blocked it…: it read a.fifo".to_owned(),
    };
    watch(&runtime, &told, async {
        // Both workers move to other threads, and these block in another call.
        let (mut ends, mut in_place) = (Vec::new(), Vec::new());
        for _ in 0..2 {
            let (end, is_in_place, task) = block_in_place();
            is_in_place.await.unwrap();
            ends.push(end);
            in_place.push(task);
        }
        // The threads that they moved to have rested once.
        let metrics = runtime.metrics();
        tokio::task::spawn_blocking(move || {
            until("both rest", || (0..2).all(|it| metrics.worker_park_unpark_count(it) % 2 == 1));
        })
        .await
        .unwrap();
        let in_task = blocks.clone();
        let task = tokio::spawn(async move {
            read_a_fifo(|write| in_task.let_go(write));
        });
        task.await.unwrap();
        drop(ends);
        for task in in_place {
            task.await.unwrap();
        }
        tokio::task::spawn_blocking(move || blocks.is_over()).await.unwrap();
    });
}

#[test]
fn with_hooks_what_blocks_as_soon_as_the_watch_wakes_has_its_name() {
    for builder in [&mut Builder::new_multi_thread(), &mut Builder::new_current_thread()] {
        let told = Told::default();
        let runtime = built(tokio_loop::hook_into(builder).worker_threads(1), &told);
        watch(&runtime, &told, async {
            for said in (0..10).map(|round| 2 * round) {
                let told = told.clone();
                let task = tokio::spawn(async move {
                    // The watch sleeps when it has seen twice that everybody rests.
                    tokio::time::sleep(4 * SLOW).await;
                    info_span!("answer").in_scope(|| told.wait_for(said + 1));
                    told
                });
                let told = task.await.unwrap();
                tokio::task::spawn_blocking(move || told.wait_for(said + 2)).await.unwrap();
            }
        });
        let lines = told.lines();
        assert!(lines.iter().all(|line| line.contains_key("operation")), "{lines:#?}");
    }
}

#[cfg(tokio_unstable)]
#[test]
fn with_hooks_and_tokio_unstable_every_turn_has_the_number_and_place_of_its_task() {
    let told = Told::default();
    let runtime = built(tokio_loop::hook_into(&mut Builder::new_current_thread()), &told);
    let blocks = Blocks {
        told: told.clone(),
        now: Named::Spawn.expected("blocks", "it computes"),
        then: Named::Spawn.expected("blocked", "it computed"),
    };
    watch(&runtime, &told, async {
        let in_task = blocks.clone();
        let computes =
            move || in_task.repeat(|| (0..1_000_000).for_each(|_| std::hint::spin_loop()));
        Named::Not.spawn(computes).await.unwrap();
        tokio::task::spawn_blocking(move || blocks.is_over()).await.unwrap();
    });
}

#[test]
fn without_hooks_a_worker_that_was_moved_is_found_again() {
    assert_found_again(20, SLOW / 10);
}

#[test]
fn without_hooks_a_worker_that_was_moved_and_has_little_to_do_is_found_again() {
    assert_found_again(1, 40 * SLOW);
}

/// Has both workers of a runtime go on with other threads, until the senders are dropped.
pub(crate) async fn move_both_workers() -> (Vec<mpsc::Sender<()>>, Vec<JoinHandle<()>>) {
    let (mut ends, mut in_place) = (Vec::new(), Vec::new());
    for _ in 0..2 {
        let (end, is_in_place, task) = block_in_place();
        is_in_place.await.unwrap();
        ends.push(end);
        in_place.push(task);
    }
    (ends, in_place)
}

/// Both workers move, and rest so many times and so long between two calls that block.
#[track_caller]
fn assert_found_again(rests: u32, rest: Duration) {
    let told = Told::default();
    let runtime = built(Builder::new_multi_thread().worker_threads(2), &told);
    watch(&runtime, &told, async {
        let (ends, in_place) = move_both_workers().await;
        let begin = Instant::now();
        let mut read = 0;
        let is_told = |line: &Line| line["message"].contains(": it reads a.fifo");
        while !told.lines().iter().any(is_told) {
            assert!(begin.elapsed() < HANG, "after {read} reads: {:#?}", told.lines());
            // Both workers have something to do and to rest from.
            for _ in 0..rests {
                let tasks = [(); 2].map(|()| tokio::spawn(tokio::time::sleep(rest)));
                for task in tasks {
                    task.await.unwrap();
                }
            }
            let told = told.clone();
            let lines = told.lines().len();
            let task = tokio::spawn(async move {
                read_a_fifo(|write| {
                    thread::spawn(move || {
                        told.wait_for(lines + 1);
                        write();
                    });
                });
            });
            task.await.unwrap();
            read += 1;
        }
        drop(ends);
        for task in in_place {
            task.await.unwrap();
        }
    });
}

#[test]
fn a_span_within_block_in_place_takes_no_name_from_the_one_around_it() {
    let told = Told::default();
    // The one thread of the pool has a job, so the worker comes back to its thread.
    let mut builder = Builder::new_multi_thread();
    let runtime = built(builder.worker_threads(1).max_blocking_threads(1), &told);
    let (end, ended) = mpsc::channel::<()>();
    let (begin, begun) = oneshot::channel();
    let job = runtime.spawn_blocking(move || {
        begin.send(()).unwrap();
        ended.recv().unwrap_err();
    });
    watch(&runtime, &told, async {
        begun.await.unwrap();
        let in_task = told.clone();
        let task = tokio::spawn(async move {
            info_span!("outer").in_scope(|| {
                tokio::task::block_in_place(|| info_span!("inner").in_scope(|| ()));
                info_span!("next").in_scope(|| ());
                in_task.wait_until("`outer` blocks it", |lines| {
                    lines.iter().any(|line| line["message"].contains("`outer` blocks it, in task"))
                });
            });
        });
        task.await.unwrap();
    });
    drop(end);
    runtime.block_on(job).unwrap();
}

#[test]
fn a_thread_that_has_lent_its_worker_takes_no_name_from_the_one_that_has_it() {
    let told = Told::default();
    let runtime = built(Builder::new_multi_thread().worker_threads(1), &told);
    watch(&runtime, &told, async {
        let (lend, lent) = oneshot::channel();
        let (go_on, goes_on) = mpsc::channel();
        let (leave, has_left) = mpsc::channel();
        let lends = tokio::spawn(async move {
            info_span!("lends").in_scope(|| {
                tokio::task::block_in_place(|| {
                    info_span!("in place").in_scope(|| lend.send(()).unwrap());
                    goes_on.recv().unwrap();
                });
            });
            leave.send(()).unwrap();
        });
        let in_task = told.clone();
        let blocks = tokio::spawn(async move {
            lent.await.unwrap();
            info_span!("answer").in_scope(|| {
                go_on.send(()).unwrap();
                has_left.recv().unwrap();
                in_task.wait_until("`answer` blocks it", |lines| {
                    lines.iter().any(|line| line["message"].contains("`answer` blocks it, in task"))
                });
            });
        });
        lends.await.unwrap();
        blocks.await.unwrap();
    });
}
