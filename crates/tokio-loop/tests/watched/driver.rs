//! A blocked worker that holds the timers and sockets of all.

use std::pin::pin;
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;
use tracing::dispatcher::{self, Dispatch};
use tracing_subscriber::layer::SubscriberExt;

use crate::hooks::move_both_workers;
use crate::told::{HANG, Line, Told};
use crate::{SLOW, built, many, watch};

/// Has a worker turn the timers, and then block in `block`, until the line says
/// that nobody turns them any more.
fn with_the_driver_unowned(
    heals: bool,
    block: impl Fn(&Told) + Clone + Send + 'static,
    is_so: impl Fn(&Line) -> bool + Copy + Send + 'static,
) -> Vec<Line> {
    let told = Told::default();
    let runtime = many(&told);
    let main = async {
        let begin = Instant::now();
        while !told.lines().iter().any(is_so) {
            assert!(begin.elapsed() < HANG, "never said so, but {:#?}", told.lines());
            let (block, told) = (block.clone(), told.clone());
            let task = tokio::spawn(async move {
                // The worker that finds the timer due goes on with this.
                tokio::time::sleep(SLOW).await;
                block(&told);
            });
            task.await.unwrap();
        }
    };
    let watched = tokio_loop::Watched::new(SLOW).heal_driver(heals);
    let subscriber = tracing_subscriber::registry().with(told.clone());
    dispatcher::with_default(&Dispatch::new(subscriber), || {
        runtime.block_on(watched.run(main)).unwrap();
    });
    told.lines()
}

fn is_unowned(line: &Line) -> bool {
    let rest = "; nobody turns timers and sockets meanwhile, though N workers are idle";
    line.contains_key("driver_unowned") && line.masked().ends_with(rest)
}

#[test]
fn a_blocked_worker_that_holds_the_timers_is_told_as_such() {
    with_the_driver_unowned(
        false,
        |told| {
            let before = told.lines().len();
            told.wait_for(before + 1);
        },
        is_unowned,
    );
}

/// Waits on this thread for a future, as the `block_on` of another library.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(thread::Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(answer) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return answer;
        }
        thread::park();
    }
}

/// Hangs if nobody has the driver, until that was told twice: by another line about
/// it after ten times the time, or by one that it is over.
fn hang(told: &Told) {
    let (runtime, told, before) = (Handle::current(), told.clone(), told.lines().len());
    thread::spawn(move || {
        // In vain if somebody had it.
        told.wait_for(before + 2);
        // A worker that was idle turns the timers.
        runtime.spawn(async {});
    });
    block_on(tokio::time::sleep(Duration::from_millis(1)));
}

#[test]
fn a_second_block_on_that_hangs_is_told_again_after_ten_times_the_time() {
    let is_again = |line: &Line| is_unowned(line) && line.duration("stuck_us") > SLOW * 10;
    let lines = with_the_driver_unowned(false, hang, is_again);
    let again = lines.iter().position(is_again).unwrap();
    let first = lines[..again].iter().rposition(|line| line.contains_key("stuck_us")).unwrap();
    let [first, again] = [first, again].map(|line| lines[line].duration("stuck_us"));
    assert!(again >= first * 10, "{lines:#?}");
}

#[test]
fn a_second_block_on_goes_on_where_the_driver_is_healed() {
    let healed = "; an idle worker was woken to turn timers and sockets, which nobody did";
    let is_healed =
        move |line: &Line| line.contains_key("driver_unowned") && line["message"].ends_with(healed);
    let block = move |told: &Told| {
        let before = told.lines().len();
        hang(told);
        // It goes on before it would be told again.
        let lines = told.lines().split_off(before);
        assert!(!lines.first().is_some_and(is_healed) || lines.len() == 1, "{lines:#?}");
    };
    with_the_driver_unowned(true, block, is_healed);
}

#[test]
fn a_worker_that_was_moved_and_turns_the_timers_is_not_told_to_leave_them_alone() {
    let told = Told::default();
    let runtime = built(Builder::new_multi_thread().worker_threads(2), &told);
    watch(&runtime, &told, async {
        // The watch sees that a worker has the driver.
        tokio::time::sleep(5 * SLOW).await;
        // Nobody knows the threads to which they move.
        let (ends, in_place) = move_both_workers().await;
        let begin = Instant::now();
        loop {
            assert!(begin.elapsed() < HANG, "the other worker never had the timers");
            let before = told.lines().len();
            let (begin, begun) = oneshot::channel();
            let (end, ended) = mpsc::channel::<()>();
            let blocks = tokio::spawn(async move {
                begin.send(()).unwrap();
                ended.recv().unwrap_err();
            });
            begun.await.unwrap();
            let told = told.clone();
            let is_told = tokio::task::spawn_blocking(move || {
                told.wait_for(before + 1);
                told.lines().split_off(before)
            });
            // `main` is no worker: if it hears a timer, a worker turns them.
            let mut is_told = pin!(is_told);
            let turns = tokio::select! {
                biased;
                _ = &mut is_told => false,
                () = tokio::time::sleep(SLOW / 10) => true,
            };
            if turns {
                let lines = is_told.await.unwrap();
                assert!(!lines[0].contains_key("driver_unowned"), "{lines:#?}");
            }
            drop(end);
            blocks.await.unwrap();
            if turns {
                break;
            }
        }
        drop(ends);
        for task in in_place {
            task.await.unwrap();
        }
    });
}
