//! A stop of one's own, for threads and tasks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use event_listener::{Event, Listener};
use tokio::task::{spawn_blocking, spawn_local, yield_now};
use tokio::time::timeout;

use super::{BOUND, comes, one_thread};

// ANCHOR: stop
/// A stop that somebody requests, and that threads and tasks wait for.
#[derive(Clone, Default)]
pub(super) struct Stop(Arc<Shared>);

#[derive(Default)]
struct Shared {
    requested: AtomicBool,
    event: Event,
}

impl Stop {
    pub(super) fn request(&self) {
        self.0.requested.store(true, Ordering::SeqCst);
        self.0.event.notify(usize::MAX);
    }

    pub(super) fn is_requested(&self) -> bool {
        self.0.requested.load(Ordering::SeqCst)
    }

    /// Waits as a task does.
    pub(super) async fn requested(&self) {
        // First listen, then check: a request in between is not missed.
        let event = self.0.event.listen();
        if !self.is_requested() {
            event.await;
        }
    }

    /// Waits as a thread does, for so long; says whether the stop was requested.
    pub(super) fn requested_within(&self, limit: Duration) -> bool {
        let event = self.0.event.listen();
        self.is_requested() || event.wait_timeout(limit).is_some()
    }
}
// ANCHOR_END: stop

#[test]
fn a_stop_of_ones_own_ends_threads_and_tasks() {
    let stop = Stop::default();
    let (end, ended) = channel();
    let waits = stop.clone();
    thread::spawn(move || end.send(waits.requested_within(BOUND)).unwrap());
    one_thread(1).block_on(async {
        let waits = stop.clone();
        let task = spawn_local(async move { waits.requested().await });
        yield_now().await;
        assert!(!task.is_finished(), "nobody has requested it yet");
        assert!(!stop.requested_within(Duration::from_millis(1)));
        stop.request();
        timeout(BOUND, task).await.expect("the task is told").unwrap();
        // Whoever comes later is told as well.
        timeout(BOUND, stop.requested()).await.expect("it has been requested");
    });
    assert!(comes(&ended, "the thread is told"));
}

// ANCHOR: job
/// Counts until it is stopped: a job that looks at the stop between two pieces.
fn count(stop: Stop) -> u64 {
    let mut pieces = 0;
    while !stop.is_requested() {
        pieces += 1;
    }
    pieces
}

/// Gives a job so long; then it is asked to end, and awaited all the same.
async fn at_most(limit: Duration) -> u64 {
    let stop = Stop::default();
    let mut job = spawn_blocking({
        let stop = stop.clone();
        move || count(stop)
    });
    if let Ok(ended) = timeout(limit, &mut job).await {
        return ended.expect("it does not panic");
    }
    stop.request();
    job.await.expect("it does not panic")
}
// ANCHOR_END: job

#[test]
fn a_timeout_that_requests_the_stop_ends_the_job() {
    let pieces = one_thread(1).block_on(at_most(Duration::from_millis(20)));
    assert!(pieces > 0);
}
