//! Mixed, the top-down road.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::thread;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use crate::scene::within;

/// Runs `main` on a loop with so many blocking threads.
fn run<T>(threads: usize, main: impl Future<Output = T>) -> T {
    event_loop::run(threads, None, main).expect("a loop can start").0
}

#[test]
fn three_callers_of_block_on_run_three_bodies_at_once_and_spawn_runs_one() {
    const CALLERS: usize = 3;
    let most = within(|| {
        run(CALLERS, async {
            // The barrier opens when three bodies are in it at once; if
            // `block_on` took turns, the first would stand there for good.
            let everybody = Arc::new(Barrier::new(CALLERS));
            let block_on = || {
                let (handle, everybody) = (Handle::current(), Arc::clone(&everybody));
                spawn_blocking(move || handle.block_on(async { everybody.wait() }))
            };
            for job in [block_on(), block_on(), block_on()] {
                job.await.expect("the job does not panic");
            }

            let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
            let spawn = || {
                let (handle, everybody) = (Handle::current(), Arc::clone(&everybody));
                let (running, most) = (Arc::clone(&running), Arc::clone(&most));
                spawn_blocking(move || {
                    everybody.wait();
                    handle.spawn(async move {
                        most.fetch_max(
                            running.fetch_add(1, Ordering::SeqCst) + 1,
                            Ordering::SeqCst,
                        );
                        // Whoever could run meanwhile would do it now.
                        thread::yield_now();
                        running.fetch_sub(1, Ordering::SeqCst);
                    })
                })
            };
            for job in [spawn(), spawn(), spawn()] {
                job.await.expect("the job does not panic").await.expect("nor does the body");
            }
            most.load(Ordering::SeqCst)
        })
    });
    assert_eq!(most, 1, "the loop runs one body after the other");
}

#[test]
fn a_timer_under_handle_block_on_stands_still_while_the_loop_does() {
    let (early, late) = within(|| {
        run(1, async {
            let handle = Handle::current();
            let (say, said) = mpsc::channel();
            let job = spawn_blocking(move || {
                say.send("begun").expect("the loop listens");
                handle.block_on(sleep(Duration::from_millis(1)));
                say.send("the timer has fired").expect("the loop listens");
            });
            assert_eq!(said.recv(), Ok("begun"));
            // The loop blocks here, and it is the loop that drives the timer,
            // for whichever thread: this would wait for ever.
            let early = said.recv_timeout(Duration::from_millis(200));
            job.await.expect("the job does not panic");
            (early, said.recv())
        })
    });
    assert_eq!(early, Err(mpsc::RecvTimeoutError::Timeout));
    assert_eq!(late, Ok("the timer has fired"));
}

#[test]
fn abort_reaches_the_job_in_the_queue_and_the_loop_waits_for_the_one_that_has_begun() {
    let happened = within(|| {
        let (say, said) = mpsc::channel();
        let (say_job, say_queued) = (say.clone(), say.clone());
        let (release, held) = mpsc::channel::<()>();
        run(1, async move {
            let (begun, has_begun) = oneshot::channel();
            let job = spawn_blocking(move || {
                begun.send(()).expect("main waits for it");
                held.recv().expect("somebody lets it go");
                say_job.send("the job has ended").expect("somebody listens");
            });
            let queued = spawn_blocking(move || say_queued.send("the queued job has run"));
            has_begun.await.expect("the job begins");
            // Nobody wants either of them any more.
            job.abort();
            queued.abort();
            say.send("main has ended").expect("somebody listens");
            thread::spawn(move || release.send(()));
        });
        // The loop is gone, and whoever held a sender with it.
        said.iter().collect::<Vec<_>>()
    });
    assert_eq!(happened, ["main has ended", "the job has ended"]);
}
