//! What the compiler takes and what breaks all the same when it runs: the
//! other half of "Try to break it" in the READMEs of the stages.

use std::cell::RefCell;
use std::fs;
use std::rc::Rc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Handle};
use tokio::task::{spawn_blocking, spawn_local, yield_now};
use tokio::time::timeout;
use tributary::{MergeFn, Options, Plan};

/// Calls `merge` from async code, and hands out what it did.
fn merged_from_async_code(merge: MergeFn) -> String {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (log, output) = (folder.path().join("a.log"), folder.path().join("merged.log"));
    fs::write(&log, "one\n").expect("the temporary folder can be written");
    let plan = Plan::open([&log], &output, Options::default()).expect("the plan is in order");
    let (report, _) = tokio_loop::run(1, None, async { merge(plan) }).expect("a loop can start");
    assert_eq!(report.expect("the merge is in order").lines, 1);
    fs::read_to_string(output).expect("the output can be read")
}

#[test]
#[should_panic(expected = "Cannot start a runtime from within a runtime")]
fn stage2_called_from_async_code_panics() {
    merged_from_async_code(stage2_mixed::merge);
}

#[test]
fn stage3_called_from_async_code_blocks_the_loop_and_does_not_panic() {
    // Each of its runtimes has a thread of its own, where no other one is.
    assert_eq!(merged_from_async_code(stage3_bottom_up::merge), "one\n");
}

#[test]
#[should_panic(expected = "Cannot start a runtime from within a runtime")]
fn a_blocking_wrapper_called_from_async_code_panics() {
    let wrapper = || {
        let runtime = Builder::new_current_thread().enable_time().build();
        runtime.expect("a runtime can start").block_on(async {})
    };
    let called = tokio_loop::run(1, None, async { wrapper() });
    called.expect("a loop can start");
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
    let ((job, blocked_on, spawned_on), _) =
        tokio_loop::run(1, None, main).expect("a loop can start");
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
    let (ended, _) = tokio_loop::run(1, None, main).expect("a loop can start");
    assert_eq!(ended, (true, true), "the first writes, the second panics");
}

#[test]
fn a_job_beyond_the_pool_waits_until_another_has_ended() {
    let main = async {
        let (release, held) = mpsc::channel::<()>();
        let first = spawn_blocking(move || held.recv().is_ok());
        let mut second = spawn_blocking(|| ());
        // The first job has the only thread, and waits for us: however long
        // we wait, the second does not begin, and nothing says so.
        let waited = timeout(Duration::from_millis(100), &mut second).await.is_err();
        release.send(()).expect("the first job waits");
        let first = first.await.expect("the first job does not panic");
        second.await.expect("the second job does not panic");
        (waited, first)
    };
    let (ended, _) = tokio_loop::run(1, None, main).expect("a loop can start");
    assert_eq!(ended, (true, true));
}

#[test]
#[should_panic(expected = "timers are disabled")]
fn a_wait_without_a_timer_panics() {
    let runtime = Builder::new_current_thread().build().expect("a runtime can start");
    let wait = async { timeout(Duration::from_secs(1), async {}).await.is_ok() };
    runtime.block_on(wait);
}

#[test]
fn a_bounded_channel_blocks_the_loop_when_it_is_full() {
    let (sender, receiver) = crossbeam_channel::bounded(1);
    let (at_it, full) = mpsc::channel();
    let (turn, has_its_turn) = mpsc::channel();
    let writer = thread::spawn(move || {
        full.recv().expect("the loop says that the channel is full");
        // However long the disk takes, no other task has a turn meanwhile ...
        let meanwhile = has_its_turn.recv_timeout(Duration::from_millis(200));
        let lines = receiver.iter().count();
        // ... and it has one as soon as the writer has taken a line.
        (meanwhile, lines, has_its_turn.recv())
    });
    let main = async move {
        let sends = spawn_local(async move {
            sender.send("first").expect("the writer is there");
            at_it.send(()).expect("the writer is there");
            sender.send("second").expect("the writer is there");
        });
        let other = spawn_local(async move { turn.send("its turn") });
        sends.await.expect("the task does not panic");
        other.await.expect("the task does not panic").expect("the writer is there");
    };
    tokio_loop::run(1, None, main).expect("a loop can start");
    let seen = writer.join().expect("the writer does not panic");
    assert_eq!(seen, (Err(mpsc::RecvTimeoutError::Timeout), 2, Ok("its turn")));
}
