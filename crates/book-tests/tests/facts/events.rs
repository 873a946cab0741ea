//! One event for both worlds: a thread waits for it, a task awaits it.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;

use event_listener::{Event, Listener};
use tokio::task::{spawn_local, yield_now};
use tokio::time::timeout;

use super::{A_WHILE, BOUND, comes, one_thread};

#[test]
fn one_event_wakes_a_thread_that_waits_and_a_task_that_awaits() {
    let event = Arc::new(Event::new());
    let (listen, listens) = channel();
    let (of_the_thread, of_the_task) = (event.listen(), event.listen());
    let thread = thread::spawn(move || {
        listen.send(()).unwrap();
        of_the_thread.wait_timeout(BOUND).is_some()
    });
    comes(&listens, "the thread listens");
    let woken = one_thread(1).block_on(async {
        let task = spawn_local(timeout(BOUND, of_the_task));
        // It is polled before the notification, and would be left without it.
        yield_now().await;
        assert!(!task.is_finished());
        event.notify(usize::MAX);
        task.await.unwrap().is_ok()
    });
    assert!(woken && thread.join().unwrap());
}

/// A stop that is requested between the check and the end of the wait: it tells
/// whether a thread that listens `before` the check, or after it, is woken.
fn is_woken(before: bool) -> bool {
    let (event, stop) = (Event::new(), Cell::new(false));
    let early = before.then(|| event.listen());
    assert!(!stop.get(), "the check");
    stop.set(true);
    event.notify(usize::MAX);
    let wait = if before { BOUND } else { A_WHILE };
    early.unwrap_or_else(|| event.listen()).wait_timeout(wait).is_some()
}

#[test]
fn who_listens_after_the_check_misses_what_came_between() {
    assert!(!is_woken(false), "the notification is lost");
}

#[test]
fn who_listens_before_the_check_misses_nothing() {
    assert!(is_woken(true));
}
