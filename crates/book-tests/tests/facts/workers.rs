//! Many workers: what else stands still when one of them is blocked.

use std::io::Write;
use std::net::TcpListener;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};

use testkit::until;
use tokio::io::AsyncReadExt;
use tokio::join;
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime, RuntimeMetrics};
use tokio::task::{block_in_place, spawn_blocking, try_id, yield_now};

use super::{A_WHILE, BOUND, comes};

const WORKERS: usize = 4;

fn workers() -> Runtime {
    Builder::new_multi_thread().worker_threads(WORKERS).enable_io().build().unwrap()
}

/// Counts the workers that have nothing to do.
fn parked(metrics: &RuntimeMetrics) -> usize {
    let is_parked = |worker: &usize| metrics.worker_park_unpark_count(*worker) % 2 == 1;
    (0..WORKERS).filter(is_parked).count()
}

// ANCHOR: sockets
/// Blocks one of four workers, the one that a socket has woken. Returns whether another
/// socket is heard meanwhile, and whether it is once another worker is woken; or
/// nothing, if the machine is too busy to show it.
fn a_socket_is_heard_while_a_worker_is_blocked() -> Option<(bool, bool)> {
    let runtime = workers();
    let (metrics, handle) = (runtime.metrics(), runtime.handle().clone());
    let of_all = metrics.clone();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    runtime.block_on(async {
        let mut first = TcpStream::connect(address).await.unwrap();
        let mut other = TcpStream::connect(address).await.unwrap();
        let (mut to_first, mut to_other) =
            (listener.accept().unwrap().0, listener.accept().unwrap().0);
        let (hear, heard) = channel();
        tokio::spawn(async move {
            let _ = hear.send(other.read_u8().await);
        });
        let blocks = tokio::spawn(async move {
            first.read_u8().await.unwrap();
            // Woken by its socket, on the worker that has listened to them all.
            if parked(&metrics) < WORKERS - 1 {
                return None;
            }
            to_other.write_all(&[1]).unwrap();
            let by_itself = heard.recv_timeout(A_WHILE).is_ok();
            // Nothing but a worker that has something to do.
            thread::spawn(move || handle.spawn(async {}));
            Some((by_itself, heard.recv_timeout(BOUND).is_ok()))
        });
        // From no worker, once all of them are idle.
        let rings = spawn_blocking(move || {
            until("all workers are idle", || parked(&of_all) == WORKERS);
            to_first.write_all(&[1]).unwrap();
        });
        rings.await.unwrap();
        blocks.await.unwrap()
    })
}

#[test]
fn one_blocking_poll_takes_the_sockets_of_all_workers_along() {
    let mut tries = (0..100).map(|_| a_socket_is_heard_while_a_worker_is_blocked());
    // A worker that was just about to park may have taken the sockets over.
    assert!(tries.any(|shown| shown == Some((false, true))));
}
// ANCHOR_END: sockets

// ANCHOR: lifo
#[test]
fn the_task_that_a_worker_has_woken_last_waits_for_that_worker_and_no_other_takes_it() {
    let (first, first_runs) = channel();
    let (last, last_runs) = channel();
    workers().block_on(async {
        let blocks = tokio::spawn(async move {
            tokio::spawn(async move { first.send(()).unwrap() });
            tokio::spawn(async move { last.send(()).unwrap() });
            // The worker is blocked from here on, and three others are idle.
            comes(&first_runs, "another worker takes the task that was spawned first");
            let while_blocked = last_runs.recv_timeout(A_WHILE).is_ok();
            (while_blocked, last_runs)
        });
        let (while_blocked, last_runs) = blocks.await.unwrap();
        assert!(!while_blocked, "another worker has run the task that was spawned last");
        comes(&last_runs, "it runs once its worker turns again");
    });
}
// ANCHOR_END: lifo

// ANCHOR: in_place
#[test]
fn block_in_place_holds_up_what_is_joined_in_the_same_task_and_spawn_blocking_does_not() {
    workers().block_on(async {
        let (say, said) = channel();
        let in_place = tokio::spawn(async move {
            let waits = async move { block_in_place(|| said.recv_timeout(A_WHILE).is_ok()) };
            join!(waits, async { say.send(()) }).0
        });
        assert!(!in_place.await.unwrap());

        let (say, said) = channel();
        let on_the_pool = tokio::spawn(async move {
            let waits = spawn_blocking(move || said.recv_timeout(BOUND).is_ok());
            join!(waits, async { say.send(()) }).0.unwrap()
        });
        assert!(on_the_pool.await.unwrap());
    });
}
// ANCHOR_END: in_place

/// Has `blocked` tasks block in place beside one worker, with a pool of two threads; says
/// whether another task runs meanwhile.
fn another_task_runs(blocked: usize) -> bool {
    let mut builder = Builder::new_multi_thread();
    let runtime = builder.worker_threads(1).max_blocking_threads(2).build().unwrap();
    let (release, released) = channel::<()>();
    let released = Arc::new(Mutex::new(released));
    for _ in 0..blocked {
        let (begin, begins) = channel();
        let released = Arc::clone(&released);
        runtime.spawn(async move {
            begin.send(()).unwrap();
            // Each waits until all are let go.
            block_in_place(|| drop(released.lock().map(|released| released.recv())));
        });
        comes(&begins, "the task has begun");
    }
    let (run, runs) = channel();
    runtime.spawn(async move { run.send(()) });
    let while_blocked = runs.recv_timeout(A_WHILE).is_ok();
    drop(release);
    while_blocked || {
        comes(&runs, "it runs once a thread is free");
        false
    }
}

#[test]
fn each_block_in_place_takes_a_thread_of_the_pool_and_after_the_last_no_task_runs() {
    assert_eq!([1, 2, 3].map(another_task_runs), [true, true, false]);
}

/// Says whether its body is a task, and where it runs.
#[tokio::main]
async fn as_main_is() -> (bool, ThreadId) {
    yield_now().await;
    (try_id().is_some(), thread::current().id())
}

#[test]
fn the_body_of_tokio_main_is_no_task_and_runs_on_the_thread_that_has_called_it() {
    assert_eq!(as_main_is(), (false, thread::current().id()));
}
