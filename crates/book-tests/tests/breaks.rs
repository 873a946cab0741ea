//! What the compiler takes and what breaks all the same when it runs: the
//! other half of "Try to break it" in the READMEs of the stages.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use testkit::Folder;
use tokio::runtime::{Builder, Handle};
use tokio::task::{spawn_blocking, spawn_local, yield_now};
use tokio::time::timeout;
use tributary::{Options, Plan};

use crate::run;

#[test]
#[should_panic(expected = "Cannot start a runtime from within a runtime")]
fn stage2_called_from_async_code_panics() {
    let folder = Folder::of([("a.log", "one\n")]);
    let (log, output) = (folder.path("a.log"), folder.path("merged.log"));
    let plan = Plan::open([log], output, Options::default()).expect("the plan is in order");
    let _ = run(1, async { stage2_mixed::merge(plan) });
}

#[test]
#[should_panic(expected = "Cannot start a runtime from within a runtime")]
fn a_blocking_wrapper_called_from_async_code_panics() {
    let wrapper = || {
        let runtime = Builder::new_current_thread().enable_time().build();
        runtime.expect("a runtime can start").block_on(async {})
    };
    run(1, async { wrapper() });
}

#[test]
fn block_on_runs_on_the_calling_thread_and_spawn_on_the_loop() {
    let main = async {
        let handle = Handle::current();
        let job = spawn_blocking(move || {
            let here = thread::current().id();
            let blocked_on = handle.block_on(async { thread::current().id() });
            let (answer, spawned_on) = mpsc::channel();
            handle.spawn(async move { answer.send(thread::current().id()) });
            (here, blocked_on, spawned_on.recv().expect("the loop answers"))
        });
        job.await.expect("the job does not panic")
    };
    let the_loop = thread::current().id();
    let (job, blocked_on, spawned_on) = run(1, main);
    assert_ne!(job, the_loop);
    assert_eq!(blocked_on, job, "`block_on` runs its future where it is called");
    assert_eq!(spawned_on, the_loop, "`spawn` takes it to the loop, and what it blocks with it");
}

#[test]
fn a_borrow_held_over_an_await_meets_the_next_task() {
    let main = async {
        let output = Rc::new(RefCell::new(Vec::new()));
        let writes = |byte| {
            let output = Rc::clone(&output);
            // Clippy knows this mistake, and denies it everywhere else.
            #[expect(clippy::await_holding_refcell_ref, reason = "it is the mistake to be shown")]
            spawn_local(async move {
                let mut output = output.borrow_mut();
                yield_now().await;
                output.push(byte);
            })
        };
        let (first, second) = (writes(1), writes(2));
        (first.await.is_ok(), second.await.is_err_and(|failed| failed.is_panic()))
    };
    assert_eq!(run(1, main), (true, true), "the first writes, the second panics");
}

#[test]
#[should_panic(expected = "timers are disabled")]
fn a_wait_without_a_timer_panics() {
    let runtime = Builder::new_current_thread().build().expect("a runtime can start");
    let wait = async { timeout(Duration::from_secs(1), async {}).await.is_ok() };
    runtime.block_on(wait);
}
