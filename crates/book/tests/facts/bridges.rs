//! Where blocking code and async code meet: `block_on`, and what it refuses.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::{block_in_place, spawn_blocking};
use tokio::time::sleep;

use crate::{comes, does_not_come, ends, one_thread};

/// How many threads call at once.
const CALLERS: usize = 4;

fn workers() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).enable_time().build().unwrap()
}

/// Runs `body`, which must panic, and returns what it said.
fn panic_of<T>(body: impl FnOnce() -> T) -> String {
    let Err(panic) = catch_unwind(AssertUnwindSafe(body)) else {
        panic!("it did not panic");
    };
    match panic.downcast::<String>() {
        Ok(said) => *said,
        Err(panic) => (*panic.downcast::<&str>().expect("a message")).to_string(),
    }
}

#[test]
fn as_many_bodies_run_at_once_as_there_are_callers_of_block_on() {
    // Each body waits for all the others, and awaits nothing: one at a time,
    // none of them would ever end.
    ends("all bodies meet", || {
        let everybody = Arc::new(Barrier::new(CALLERS));
        one_thread(CALLERS).block_on(async {
            let call = |_| {
                let (handle, everybody) = (Handle::current(), Arc::clone(&everybody));
                spawn_blocking(move || handle.block_on(async { everybody.wait().is_leader() }))
            };
            let calls: Vec<_> = (0..CALLERS).map(call).collect();
            let mut leaders = 0;
            for call in calls {
                leaders += usize::from(call.await.unwrap());
            }
            assert_eq!(leaders, 1);
        });
    });
}

#[test]
fn one_body_runs_at_a_time_where_callers_spawn_onto_one_loop() {
    let (running, everybody) = (Arc::new(AtomicUsize::new(0)), Arc::new(Barrier::new(CALLERS)));
    let most = one_thread(CALLERS).block_on(async {
        let call = |_| {
            let (handle, everybody) = (Handle::current(), Arc::clone(&everybody));
            let running = Arc::clone(&running);
            spawn_blocking(move || {
                everybody.wait();
                let body = async move {
                    let now = running.fetch_add(1, Ordering::SeqCst) + 1;
                    thread::yield_now();
                    running.fetch_sub(1, Ordering::SeqCst);
                    now
                };
                handle.block_on(handle.spawn(body)).unwrap()
            })
        };
        let calls: Vec<_> = (0..CALLERS).map(call).collect();
        let mut most = 0;
        for call in calls {
            most = most.max(call.await.unwrap());
        }
        most
    });
    assert_eq!(most, 1);
}

#[test]
fn block_on_in_async_code_panics_and_says_what_to_do_instead() {
    let said = panic_of(|| one_thread(1).block_on(async { Handle::current().block_on(async {}) }));
    assert!(said.contains("Cannot start a runtime from within a runtime"), "{said}");
    assert!(said.contains("use `.await` on the future instead of blocking on it"), "{said}");
}

#[test]
fn block_on_is_allowed_in_a_blocking_job_and_in_block_in_place() {
    let answers = workers().block_on(async {
        let handle = Handle::current();
        let job = spawn_blocking(move || handle.block_on(async { 1 }));
        let in_place =
            tokio::spawn(async { block_in_place(|| Handle::current().block_on(async { 2 })) });
        let at_the_root = block_in_place(|| Handle::current().block_on(async { 3 }));
        [job.await.unwrap(), in_place.await.unwrap(), at_the_root]
    });
    assert_eq!(answers, [1, 2, 3]);
}

#[test]
fn block_in_place_is_refused_on_a_loop_of_one_thread() {
    let said = panic_of(|| one_thread(1).block_on(async { block_in_place(|| ()) }));
    assert!(said.contains("can call blocking only when running on the multi-threaded"), "{said}");
}

#[test]
fn a_runtime_that_is_dropped_in_async_code_panics() {
    let inner = Builder::new_current_thread().build().unwrap();
    let said = panic_of(|| one_thread(1).block_on(async move { drop(inner) }));
    assert!(said.contains("Cannot drop a runtime in a context where blocking is not"), "{said}");
}

#[test]
fn the_block_on_of_a_handle_drives_no_timer() {
    let runtime = Builder::new_current_thread().enable_time().build().unwrap();
    let handle = runtime.handle().clone();
    let (end, ended) = channel();
    let sleeper = thread::spawn(move || {
        handle.block_on(async { sleep(Duration::from_millis(1)).await });
        end.send(()).unwrap();
    });
    does_not_come(&ended, "a sleep of a millisecond, while nobody runs the loop");
    // Whoever is inside `Runtime::block_on` turns the timer's wheel for all.
    let sleeps_out = runtime.spawn_blocking(move || comes(&ended, "the sleep of a millisecond"));
    runtime.block_on(sleeps_out).unwrap();
    sleeper.join().unwrap();
}
