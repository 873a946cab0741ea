//! What is left when somebody ends something: what a handle says, which destructors
//! run, and what goes on all the same.

use std::pin::pin;
use std::process::Stdio;
use std::rc::Rc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use testkit::panic_of;
use tokio::process::Command;
use tokio::runtime::{Builder, Handle};
use tokio::task::{JoinError, spawn_blocking, spawn_local, yield_now};
use tokio::time::{sleep, timeout};

use super::{BOUND, comes, does_not_come, one_thread};

/// A moment that has passed before anybody looks.
const AT_ONCE: Duration = Duration::from_millis(1);

#[test]
fn a_handle_says_whether_its_task_has_panicked_or_was_aborted() {
    one_thread(1).block_on(async {
        let panicked = spawn_local(async { panic!("of its own") }).await.unwrap_err();
        assert!(panicked.is_panic() && !panicked.is_cancelled());

        let waits = spawn_local(std::future::pending::<()>());
        waits.abort();
        let aborted = waits.await.unwrap_err();
        assert!(aborted.is_cancelled() && !aborted.is_panic());

        // An abort that comes too late changes nothing.
        let done = spawn_local(async { 42 });
        yield_now().await;
        done.abort();
        assert_eq!(done.await.unwrap(), 42);
    });
}

// ANCHOR: ended
/// Returns what a task has returned, or nothing if it was aborted; lets its panic
/// go on.
fn ended<T>(joined: Result<T, JoinError>) -> Option<T> {
    match joined.map_err(JoinError::try_into_panic) {
        Ok(answer) => Some(answer),
        Err(Ok(panic)) => std::panic::resume_unwind(panic),
        Err(Err(_aborted)) => None,
    }
}
// ANCHOR_END: ended

#[test]
fn into_panic_of_an_aborted_task_panics_and_try_into_panic_does_not() {
    let aborted = || {
        one_thread(1).block_on(async {
            let waits = spawn_local(std::future::pending::<()>());
            waits.abort();
            waits.await
        })
    };
    let said = panic_of(|| aborted().map_err(JoinError::into_panic));
    assert!(said.contains("reason is not a panic"), "{said}");
    assert_eq!(ended(aborted()), None);
    let panicked = one_thread(1).block_on(async { spawn_local(async { panic!("mine") }).await });
    assert_eq!(panic_of(|| ended::<()>(panicked)), "mine");
}

/// Tells when it is dropped.
struct Told(Sender<()>);

impl Drop for Told {
    fn drop(&mut self) {
        // Nobody may be listening any more.
        let _ = self.0.send(());
    }
}

#[test]
fn a_dropped_future_runs_its_destructors() {
    let (drops, dropped) = channel();
    one_thread(1).block_on(async {
        let holds = |drops: &Sender<()>| {
            let told = Told(drops.clone());
            async move {
                let _told = told;
                std::future::pending::<()>().await;
            }
        };
        timeout(AT_ONCE, holds(&drops)).await.unwrap_err();
        assert_eq!(dropped.try_recv(), Ok(()), "by a timeout");

        tokio::select! {
            () = holds(&drops) => unreachable!(),
            () = sleep(AT_ONCE) => {}
        }
        assert_eq!(dropped.try_recv(), Ok(()), "by a select");

        let task = spawn_local(holds(&drops));
        yield_now().await;
        task.abort();
        task.await.unwrap_err();
        assert_eq!(dropped.try_recv(), Ok(()), "by an abort");
    });
}

#[test]
fn a_timeout_round_a_job_gives_up_the_wait_and_not_the_job() {
    let (go_on, gate) = channel::<()>();
    let (end, ended) = channel();
    let loop_has_ended = thread::spawn(move || {
        one_thread(1).block_on(async {
            let job = spawn_blocking(move || {
                gate.recv().unwrap();
                end.send(()).unwrap();
            });
            timeout(AT_ONCE, job).await.unwrap_err();
        });
    });
    does_not_come(&ended, "the job has ended with the wait for it");
    assert!(!loop_has_ended.is_finished(), "the end of the loop waits for the job");
    go_on.send(()).unwrap();
    comes(&ended, "the job goes on");
    loop_has_ended.join().unwrap();
}

#[test]
fn a_thread_that_nobody_joins_keeps_nobody_and_its_answer_may_be_given_up() {
    let (answer, given_up) = tokio::sync::oneshot::channel::<()>();
    let (_never, gate) = channel::<()>();
    one_thread(1).block_on(async {
        thread::spawn(move || {
            let _ = gate.recv();
            let _ = answer.send(());
        });
        timeout(AT_ONCE, given_up).await.unwrap_err();
    });
    // The loop has ended, and the thread still waits.
}

#[test]
fn a_child_process_that_never_ends_is_killed_with_its_handle() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut command = Command::new("cat");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let _open = child.stdin.take();
        let mut said = child.stdout.take().unwrap();
        timeout(AT_ONCE, child.wait()).await.unwrap_err();
        drop(child);
        // Its end of the pipe goes with it.
        let end = tokio::io::AsyncReadExt::read_u8(&mut said);
        timeout(BOUND, end).await.expect("it is killed").unwrap_err();
    });
}

/// Starts a loop on which a job, maybe with a guard, waits for a task that wants the lock.
/// Tells when both have ended.
fn a_job_and_a_task_want_a_lock(over_the_wait: bool) -> Receiver<()> {
    let (end, ended) = channel();
    thread::spawn(move || {
        one_thread(1).block_on(async {
            let lock = Arc::new(Mutex::new(0));
            let (handle, shared) = (Handle::current(), Arc::clone(&lock));
            let (holds, is_held) = tokio::sync::oneshot::channel();
            let (goes_on, gone_on) = tokio::sync::oneshot::channel();
            let job = spawn_blocking(move || {
                let mut guard = shared.lock().unwrap();
                *guard += 1;
                let guard = over_the_wait.then_some(guard);
                holds.send(()).unwrap();
                handle.block_on(gone_on).unwrap();
                drop(guard);
            });
            let task = spawn_local(async move {
                is_held.await.unwrap();
                *lock.lock().unwrap() += 1;
                goes_on.send(()).unwrap();
            });
            job.await.unwrap();
            task.await.unwrap();
        });
        end.send(()).unwrap();
    });
    ended
}

#[test]
fn a_guard_over_a_block_on_is_a_deadlock_that_no_lint_sees() {
    comes(&a_job_and_a_task_want_a_lock(false), "a guard that ends before the wait");
    does_not_come(&a_job_and_a_task_want_a_lock(true), "a guard that is held over the wait");
}

/// Calls, with the lock of an interpreter held, what waits for a task that wants it;
/// tells when the call returns.
fn a_call_from_python(releases: bool) -> Receiver<()> {
    let (end, ended) = channel();
    thread::spawn(move || {
        let runtime = Builder::new_multi_thread().worker_threads(1).build().unwrap();
        let gil = Arc::new(Mutex::new("the interpreter"));
        let shared = Arc::clone(&gil);
        let held = gil.lock().unwrap();
        let _held = (!releases).then_some(held);
        runtime.block_on(async {
            tokio::spawn(async move { drop(shared.lock().unwrap()) }).await.unwrap();
        });
        end.send(()).unwrap();
    });
    ended
}

#[test]
fn a_caller_that_holds_the_gil_while_it_blocks_on_tasks_that_want_it_is_a_deadlock() {
    comes(&a_call_from_python(true), "a caller that has released it");
    does_not_come(&a_call_from_python(false), "a caller that holds it");
}

#[test]
fn blocking_lock_panics_in_async_code_even_if_the_lock_is_free() {
    let lock = tokio::sync::Mutex::new(42);
    let said = panic_of(|| one_thread(1).block_on(async { *lock.blocking_lock() }));
    assert!(said.contains("Cannot block the current thread from within a runtime"), "{said}");
    one_thread(1).block_on(async { assert_eq!(*lock.try_lock().unwrap(), 42) });
    assert_eq!(*lock.blocking_lock(), 42);
}

#[test]
fn a_place_in_the_queue_of_tokio_s_lock_that_nobody_polls_holds_up_all_behind_it() {
    one_thread(1).block_on(async {
        let lock = Rc::new(tokio::sync::Mutex::new(()));
        let guard = lock.lock().await;
        let mut queues = pin!(lock.lock());
        // One poll: it has a place in the queue now, and is not polled again.
        timeout(AT_ONCE, queues.as_mut()).await.unwrap_err();
        drop(guard);
        assert!(lock.try_lock().is_err(), "nobody has it, and nobody gets it");
        timeout(AT_ONCE, lock.lock()).await.unwrap_err();
        drop(queues.await);
        drop(lock.lock().await);
    });
}

/// Starts a writer that flushes when its guard is dropped, as those of logs do: what
/// writes, and the guard.
fn log_writer(flush: Sender<()>) -> (&'static str, Told) {
    ("a writer", Told(flush))
}

/// A function of somebody's that sets logging up.
fn set_up(flush: Sender<()>) -> &'static str {
    let (writer, _guard) = log_writer(flush);
    writer
}

#[test]
fn a_guard_lives_as_long_as_the_block_with_its_name_and_without_a_name_not_at_all() {
    let (flush, flushed) = channel();
    {
        let (_writer, _guard) = log_writer(flush.clone());
        assert!(flushed.try_recv().is_err(), "a name that begins with an underscore is one");
    }
    assert_eq!(flushed.try_recv(), Ok(()), "at the end of its block");
    let (_writer, _) = log_writer(flush.clone());
    assert_eq!(flushed.try_recv(), Ok(()), "no name, and no guard behind this line");
    let _writer = set_up(flush);
    assert_eq!(flushed.try_recv(), Ok(()), "the block was that of the function");
}
