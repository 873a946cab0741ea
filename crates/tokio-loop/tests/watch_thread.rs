//! The watch thread: it rests while the loop rests, and ends with it.
//!
//! One test in a process of its own, since it looks at all of its threads.
#![cfg(target_os = "linux")]

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::Duration;

use testkit::until;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// Returns how often each watch thread of this process has been woken.
fn wake_ups_of_watches() -> Vec<u64> {
    let tasks = fs::read_dir("/proc/self/task").expect("/proc is mounted");
    // A thread can end between the listing and the reading: it is left out.
    let texts = tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("status")).ok());
    texts
        .filter(|text| text.starts_with("Name:\tstall-watch\n"))
        .filter_map(|text| {
            let line = text.lines().find(|it| it.starts_with("voluntary_ctxt"))?;
            line.split_whitespace().nth(1)?.parse().ok()
        })
        .collect()
}

/// Waits for a message that comes when neither the workers nor the watch have been woken
/// for a long time: 300 ticks of a loop's watch, or six of a runtime's, had there been any.
async fn both_rest() {
    let (send, receive) = oneshot::channel();
    let metrics = Handle::current().metrics();
    let onlooker = thread::spawn(move || {
        let parks = || (0..metrics.num_workers()).map(|it| metrics.worker_park_count(it)).sum();
        // A thread has its name a moment after it has begun.
        until("there is a watch", || wake_ups_of_watches().len() == 1);
        until("idle workers and their watch rest", || {
            let before: (u64, _) = (parks(), wake_ups_of_watches());
            thread::sleep(Duration::from_millis(300));
            before == (parks(), wake_ups_of_watches())
        });
        send.send("rested")
    });
    assert_eq!(receive.await, Ok("rested"));
    onlooker.join().expect("both came to rest").expect("a receiver");
}

#[test]
fn the_watch_rests_with_the_loop_and_ends_with_it() {
    tokio_loop::run(1, None, both_rest()).expect("the loop starts");
    until("the watch ends with its loop", || wake_ups_of_watches().is_empty());

    // A loop that parks again at once is looked at seldom.
    let parks = 500;
    let ran = tokio_loop::run(1, None, async {
        let metrics = Handle::current().metrics();
        while metrics.worker_park_count(0) < parks {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        wake_ups_of_watches()
    });
    let woken = ran.expect("the loop starts").answer[0];
    assert!(woken < parks / 2, "{woken} wake-ups of the watch for {parks} of the loop");

    for builder in [Builder::new_multi_thread, Builder::new_current_thread] {
        let runtime = tokio_loop::hook_into(&mut builder()).worker_threads(4).enable_all().build();
        let watched = tokio_loop::watched(tokio_loop::SLOW, async {
            both_rest().await;
            // From whichever thread a task comes, the watch hears of it.
            tokio::spawn(async {}).await.unwrap();
            both_rest().await;
        });
        runtime.expect("the runtime starts").block_on(watched).expect("it is watched");
        until("the watch ends with main", || wake_ups_of_watches().is_empty());
    }

    // The same goes for a `main` that panics, and for a loop that is refused.
    let panicked = catch_unwind(|| tokio_loop::run(1, None, async { panic!("main gave up") }));
    assert!(panicked.is_err());
    until("the watch ends with a main that panics", || wake_ups_of_watches().is_empty());

    let refused = tokio_loop::run(1, None, async {
        catch_unwind(AssertUnwindSafe(|| tokio_loop::run(1, None, async {}))).is_err()
    });
    assert!(refused.expect("the outer loop starts").answer);
    until("the watch of a loop that is refused ends", || wake_ups_of_watches().is_empty());
}
