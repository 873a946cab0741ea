//! Tasks.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::rc::Rc;
use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use testkit::{panic_of, within};
use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::oneshot;
use tokio::task::{JoinSet, spawn_blocking, spawn_local, yield_now};
use tokio::time::sleep;
use tributary::{MergeFn, Moment, Options, Plan, Probe, Read};

use super::scene::{Logs, Run};
use crate::run;

/// Follows sixty-four sources until each has been read, and returns how many
/// threads looked at them, and whether the caller's was one of these.
fn threads_that_read(merge: MergeFn) -> (usize, bool) {
    const SOURCES: usize = 64;
    let logs = Logs::new();
    let sources: Vec<_> = (0..SOURCES).map(|number| logs.log(&number.to_string(), 1)).collect();
    let run = Run::start(merge, &sources, logs.path("merged"));
    let looks = run.seen.until("every source has been read", |looks| {
        looks.len() == SOURCES && looks.values().all(|it| it.nothing > 0)
    });
    let caller = run.caller;
    run.stop.request();
    run.end().expect("no panic").expect("the merge is in order");
    let threads: HashSet<_> = looks.into_values().flat_map(|it| it.threads).collect();
    (threads.len(), threads.contains(&caller))
}

#[test]
fn sixty_four_sources_are_read_by_four_threads_and_none_of_them_is_the_loops() {
    assert_eq!(threads_that_read(stage2_mixed::merge), (64, false));
    let (threads, the_loops) = threads_that_read(stage4_tasks::merge);
    assert!((1..=4).contains(&threads), "{threads} threads");
    assert!(!the_loops);
}

#[test]
fn a_task_that_panics_cancels_nobody_and_is_heard_only_by_who_joins_it() {
    let (failed, other) = within(|| {
        run(1, async {
            let (go, gone) = oneshot::channel::<()>();
            let mut tasks = JoinSet::new();
            tasks.spawn_local(async { panic!("the first task") });
            tasks.spawn_local(async move { gone.await.expect("the test goes on") });
            // Nobody joins this one, and so its panic ends here.
            drop(spawn_local(async { panic!("a task that nobody joins") }));
            let failed = tasks.join_next().await.expect("a task has ended");
            go.send(()).expect("the other task is still there");
            (failed.is_err_and(|failed| failed.is_panic()), tasks.join_next().await)
        })
    });
    assert!(failed, "the panic waits in the handle");
    assert!(matches!(other, Some(Ok(()))), "the other task goes on; a TaskGroup would cancel it");
}

#[test]
fn a_blocking_call_in_one_task_holds_the_timer_of_every_other() {
    let (during, after) = within(|| {
        run(1, async {
            let fired = Rc::new(Cell::new(false));
            let (armed, is_armed) = oneshot::channel();
            let timer = spawn_local({
                let fired = Rc::clone(&fired);
                async move {
                    let timer = sleep(Duration::from_millis(1));
                    armed.send(()).expect("the other task waits for it");
                    timer.await;
                    fired.set(true);
                }
            });
            let blocks = spawn_local(async move {
                is_armed.await.expect("the timer is armed");
                // The subject of this test: fifty times as long as the timer.
                thread::sleep(Duration::from_millis(50));
                fired.get()
            });
            let during = blocks.await.expect("it does not panic");
            (during, timer.await.is_ok())
        })
    });
    assert!(!during, "while a task blocks, no timer fires");
    assert!(after, "and it does as soon as the loop turns");
}

#[test]
fn a_task_that_is_aborted_during_a_look_loses_what_the_look_finds_and_stops_the_rest() {
    let (aborted, written, stopped) = within(|| {
        let logs = Logs::new();
        let (begun, has_begun) = channel();
        let (release, held) = channel::<()>();
        let held = Mutex::new(held);
        let probe = Probe::new(move |moment, _| {
            if moment == Moment::BeforeLook {
                begun.send(()).expect("the test waits for it");
                held.lock().expect("one look").recv().expect("the test lets it go");
            }
            Ok(())
        });
        let options = Options { follow: true, probe: Some(probe), ..Options::default() };
        let plan = Plan::open([logs.log("a", 3)], logs.path("merged"), options);
        let Plan { sources, output, stop, .. } = plan.expect("the plan is in order");
        let output = Rc::new(RefCell::new(output));
        let main = async {
            // The look of stage 4's `tail`, and what comes of it.
            let writer = Rc::clone(&output);
            let mut source = sources.into_iter().next().expect("a source");
            let tail = spawn_local(async move {
                let look = spawn_blocking(move || (source.read_lines(), source));
                if let (Ok(Read::Lines(lines)), _source) = look.await.expect("no panic") {
                    writer.borrow_mut().append(&lines).expect("the output can be written");
                }
            });
            yield_now().await;
            has_begun.recv().expect("the look begins");
            tail.abort();
            let aborted = tail.await.is_err_and(|failed| failed.is_cancelled());
            release.send(()).expect("the look waits");
            aborted
        };
        // Ends after the job has: it was not aborted, and nobody took its answer.
        let aborted = run(1, main);
        let written = output.borrow_mut().finish().expect("the output can be written");
        (aborted, written.lines, stop.requested())
    });
    assert!(aborted);
    assert_eq!(written, 0, "the lines went with the answer that nobody took");
    assert!(stopped, "and so did the source, before it was closed");
}

#[test]
fn a_local_task_needs_a_loop_that_promises_to_stay_on_one_thread() {
    let main = async || spawn_local(async {}).await.expect("the task does not panic");
    // One thread, as with `#[tokio::main(flavor = "current_thread")]`, ...
    let no_promise = Builder::new_current_thread().build().expect("a loop can start");
    let said = panic_of(|| no_promise.block_on(main()));
    assert!(said.starts_with("`spawn_local` called from outside of a `task::LocalSet`"), "{said}");

    // ... and one thread for good, as with `flavor = "local"`.
    let promise = Builder::new_current_thread().build_local(LocalOptions::default());
    promise.expect("a loop can start").block_on(main());

    #[tokio::main(flavor = "local")]
    async fn is_local() -> u32 {
        spawn_local(async { 42 }).await.unwrap()
    }
    assert_eq!(is_local(), 42);
}
