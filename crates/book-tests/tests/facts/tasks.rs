//! Tasks: who ends whom, who lives on, and where a panic shows.

use std::rc::Rc;
use std::sync::mpsc::channel;
use std::thread;

use tokio::sync::{Notify, oneshot};
use tokio::task::{JoinSet, spawn_local, yield_now};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{BOUND, comes, one_thread};

#[test]
fn a_dropped_join_set_aborts_its_tasks() {
    one_thread(1).block_on(async {
        let held = Rc::new(());
        let mut tasks = JoinSet::new();
        let share = Rc::clone(&held);
        tasks.spawn_local(async move {
            std::future::pending::<()>().await;
            drop(share);
        });
        yield_now().await;
        assert_eq!(Rc::strong_count(&held), 2);
        drop(tasks);
        for _ in 0..10 {
            yield_now().await;
        }
        assert_eq!(Rc::strong_count(&held), 1, "the task was dropped, and its share with it");
    });
}

#[test]
fn a_dropped_join_handle_lets_its_task_run_on() {
    one_thread(1).block_on(async {
        let (go_on, gate) = oneshot::channel();
        let (end, ended) = oneshot::channel();
        drop(spawn_local(async move {
            gate.await.unwrap();
            end.send("ran to its end").unwrap();
        }));
        yield_now().await;
        go_on.send(()).unwrap();
        assert_eq!(ended.await.unwrap(), "ran to its end");
    });
}

#[test]
fn a_dropped_future_stops_at_its_await() {
    // What Python does by raising `CancelledError` in the coroutine, a drop
    // does without a word: nothing behind the `.await` is run.
    one_thread(1).block_on(async {
        let (passed, gate) = (Rc::new(()), Rc::new(Notify::new()));
        let (share, closed) = (Rc::clone(&passed), Rc::clone(&gate));
        let task = spawn_local(async move {
            closed.notified().await;
            // Would keep a share for ever, if this were ever reached.
            std::mem::forget(share);
        });
        yield_now().await;
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
        gate.notify_waiters();
        assert_eq!(Rc::strong_count(&passed), 1);
    });
}

#[test]
fn a_cancellation_token_is_awaited_by_a_task_and_asked_by_a_thread() {
    let token = CancellationToken::new();
    let (ask, asked) = channel();
    let asks = token.clone();
    let thread = thread::spawn(move || {
        ask.send(asks.is_cancelled()).unwrap();
        // It has no wait for a thread: asking again and again is all there is.
        let begin = std::time::Instant::now();
        while !asks.is_cancelled() {
            assert!(begin.elapsed() < BOUND, "the thread is never told");
            thread::yield_now();
        }
    });
    assert!(!comes(&asked, "the thread asks"));
    one_thread(1).block_on(async {
        let waits = token.clone();
        let task = spawn_local(async move { waits.cancelled().await });
        yield_now().await;
        assert!(!task.is_finished(), "nobody has cancelled yet");
        token.cancel();
        timeout(BOUND, task).await.expect("the task is told").unwrap();
    });
    thread.join().unwrap();
}

#[test]
fn a_task_tracker_waits_for_its_tasks_once_it_is_closed() {
    one_thread(1).block_on(async {
        let (tracker, (go_on, gate)) = (TaskTracker::new(), oneshot::channel::<()>());
        tracker.spawn_local(async move { gate.await.unwrap() });
        tracker.close();
        let waits = tracker.clone();
        let wait = spawn_local(async move { waits.wait().await });
        yield_now().await;
        assert!(!wait.is_finished(), "a task is left");
        go_on.send(()).unwrap();
        timeout(BOUND, wait).await.expect("the last task has ended").unwrap();

        // It is the close that it waits for, too: without a task as well.
        let empty = TaskTracker::new();
        let waits = empty.clone();
        let wait = spawn_local(async move { waits.wait().await });
        yield_now().await;
        assert!(!wait.is_finished(), "more tasks may come");
        empty.close();
        timeout(BOUND, wait).await.expect("it is closed").unwrap();
    });
}
