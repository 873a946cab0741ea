//! What people ask further on: waits that nobody ends, and what is not passed on.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use testkit::panic_of;
use tokio::runtime::{Builder, Runtime};
use tokio::select;
use tokio::sync::{Notify, RwLock, broadcast, mpsc, oneshot};
use tokio::task::{JoinSet, spawn_blocking, spawn_local, yield_now};
use tokio::time::{Instant, MissedTickBehavior, advance, interval, sleep, timeout};
use tracing::{Span, info_span};
use tracing_subscriber::prelude::*;

use super::one_thread;

const SECOND: Duration = Duration::from_secs(1);

/// A loop whose clock jumps to the next timer as soon as nobody has anything to do.
fn paused() -> Runtime {
    Builder::new_current_thread().enable_time().start_paused(true).build().unwrap()
}

/// Lets every other task have its turns.
async fn others_have_their_turns() {
    for _ in 0..100 {
        yield_now().await;
    }
}

/// Returns whether a future is not ready, although every other task had its turns.
async fn stands_still(future: impl Future) -> bool {
    select! {
        biased;
        _ = future => false,
        () = others_have_their_turns() => true,
    }
}

#[test]
fn two_tasks_that_send_to_each_other_over_full_channels_stand_still() {
    one_thread(1).block_on(async {
        let (to_b, mut of_a) = mpsc::channel(1);
        let (to_a, mut of_b) = mpsc::channel(1);
        let a = spawn_local(async move {
            for number in 0..10 {
                to_b.send(number).await.unwrap();
            }
            of_b.recv().await
        });
        let b = spawn_local(async move {
            for number in 0..10 {
                to_a.send(number).await.unwrap();
            }
            of_a.recv().await
        });
        assert!(
            stands_still(async {
                select! { _ = a => {}, _ = b => {} }
            })
            .await
        );
    });
}

#[test]
fn a_slow_receiver_of_broadcast_is_told_how_many_it_has_missed_and_goes_on() {
    let (sender, mut receiver) = broadcast::channel(2);
    for number in 1..=3 {
        assert!(sender.send(number).is_ok());
    }
    assert_eq!(receiver.try_recv(), Err(broadcast::error::TryRecvError::Lagged(1)));
    assert_eq!(receiver.try_recv(), Ok(2));
}

#[test]
fn a_panic_ends_the_wait_at_a_channel_and_not_that_at_a_notify() {
    one_thread(1).block_on(async {
        let (answer, answered) = oneshot::channel::<()>();
        let done = Arc::new(Notify::new());
        let told = Arc::clone(&done);
        let task = spawn_local(async move {
            let _both = (answer, told);
            yield_now().await;
            panic!("a task gave up");
        });
        assert!(answered.await.is_err());
        assert!(stands_still(done.notified()).await);
        assert!(task.await.unwrap_err().is_panic());
    });
}

#[test]
fn an_aborted_task_takes_along_what_it_holds_in_a_set_and_not_what_it_has_spawned() {
    one_thread(1).block_on(async {
        let (spawned, held) = (Rc::new(()), Rc::new(()));
        let shares = (Rc::clone(&spawned), Rc::clone(&held));
        let parent = spawn_local(async move {
            let (spawned, held) = shares;
            spawn_local(async move {
                let _share = spawned;
                std::future::pending::<()>().await;
            });
            let mut children = JoinSet::new();
            children.spawn_local(async move {
                let _share = held;
                std::future::pending::<()>().await;
            });
            children.join_next().await;
        });
        let lives = || (Rc::strong_count(&spawned), Rc::strong_count(&held));
        others_have_their_turns().await;
        assert_eq!(lives(), (2, 2));
        parent.abort();
        assert!(parent.await.unwrap_err().is_cancelled());
        others_have_their_turns().await;
        assert_eq!(lives(), (2, 1));
    });
}

#[test]
fn a_task_local_is_there_after_an_await_and_not_in_what_was_spawned() {
    tokio::task_local! { static REQUEST: u32; }
    one_thread(1).block_on(REQUEST.scope(7, async {
        yield_now().await;
        assert_eq!(REQUEST.get(), 7);
        let request = || REQUEST.try_with(|request| *request).ok();
        assert_eq!(spawn_local(async move { request() }).await.unwrap(), None);
        assert_eq!(spawn_blocking(request).await.unwrap(), None);
    }));
}

#[test]
fn ten_sleeps_in_a_loop_take_ten_times_as_long_as_ten_that_are_spawned() {
    paused().block_on(async {
        let begin = Instant::now();
        for _ in 0..10 {
            sleep(SECOND).await;
        }
        assert_eq!(begin.elapsed().as_secs(), 10);

        let begin = Instant::now();
        let tasks: Vec<_> = (0..10).map(|_| tokio::spawn(sleep(SECOND))).collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(begin.elapsed().as_secs(), 1);
    });
}

#[test]
fn a_sleep_that_is_made_in_each_round_never_ends_and_one_made_before_the_loop_does() {
    paused().block_on(async {
        let mut ticks = interval(SECOND / 10);
        for _ in 0..100 {
            select! {
                _ = ticks.tick() => {}
                () = sleep(SECOND) => panic!("it has ended"),
            }
        }

        let mut idle = std::pin::pin!(sleep(SECOND));
        let mut rounds = 0;
        loop {
            select! {
                _ = ticks.tick() => rounds += 1,
                () = &mut idle => break,
            }
        }
        assert!((9..=11).contains(&rounds), "{rounds}");
    });
}

#[test]
fn an_interval_makes_up_for_what_it_has_missed_unless_it_is_told_to_delay() {
    let at_once = |behavior| {
        paused().block_on(async move {
            let mut ticks = interval(SECOND);
            ticks.set_missed_tick_behavior(behavior);
            ticks.tick().await;
            advance(SECOND * 5 + SECOND / 2).await;
            let begin = Instant::now();
            let mut ready = 0;
            while timeout(Duration::ZERO, ticks.tick()).await.is_ok() {
                ready += 1;
            }
            assert!(begin.elapsed() < SECOND / 2);
            ready
        })
    };
    assert_eq!(at_once(MissedTickBehavior::Burst), 5);
    assert_eq!(at_once(MissedTickBehavior::Delay), 1);
}

#[test]
fn a_drain_with_a_limit_ends_and_gives_back_what_was_shared() {
    paused().block_on(async {
        let statistics = Arc::new(());
        let mut clients = JoinSet::new();
        for stays in [false, true] {
            let share = Arc::clone(&statistics);
            clients.spawn(async move {
                if stays {
                    std::future::pending::<()>().await;
                }
                drop(share);
            });
        }
        let drain = async { while clients.join_next().await.is_some() {} };
        assert!(timeout(SECOND, drain).await.is_err());
        assert_eq!(clients.len(), 1);
        clients.shutdown().await;
        assert!(Arc::into_inner(statistics).is_some());
    });
}

#[test]
fn a_second_read_of_one_task_waits_behind_a_writer_that_waits_for_the_first() {
    one_thread(1).block_on(async {
        let lock = Rc::new(RwLock::new(()));
        let first = lock.read().await;
        // Without a writer there is no queue.
        drop(lock.read().await);
        let of_the_writer = Rc::clone(&lock);
        let writer = spawn_local(async move { drop(of_the_writer.write().await) });
        others_have_their_turns().await;
        assert!(stands_still(lock.read()).await);
        drop(first);
        writer.await.unwrap();
        drop(lock.read().await);
    });
}

/// Closes itself by a task, which says so.
struct Closes(Rc<Cell<bool>>, std::sync::mpsc::Sender<()>);

impl Drop for Closes {
    fn drop(&mut self) {
        let closed = self.1.clone();
        self.0.set(true);
        tokio::spawn(async move {
            yield_now().await;
            closed.send(()).unwrap();
        });
    }
}

#[test]
fn a_spawn_in_drop_panics_without_a_runtime_and_is_lost_at_its_end() {
    let (closed, is_closed) = channel();
    let dropped = Rc::new(Cell::new(false));
    let closes = Closes(Rc::clone(&dropped), closed);
    let said = panic_of(|| drop(closes));
    assert!(said.contains("there is no reactor running"), "{said}");

    let (closed, none) = channel();
    dropped.set(false);
    let closes = Closes(Rc::clone(&dropped), closed);
    one_thread(1).block_on(async move { drop(closes) });
    assert!(dropped.get());
    assert!(none.recv().is_err() && is_closed.recv().is_err(), "no task has said so");
}

#[test]
fn a_span_that_is_entered_over_an_await_is_the_span_of_every_other_task() {
    let _here = tracing_subscriber::registry().set_default();
    one_thread(1).block_on(async {
        let name = || Span::current().metadata().map(|metadata| metadata.name());
        let enters = spawn_local(async {
            let span = info_span!("request");
            let _entered = span.enter();
            yield_now().await;
        });
        let other = spawn_local(async move { name() });
        assert_eq!(other.await.unwrap(), Some("request"));
        enters.await.unwrap();
        assert_eq!(name(), None);
    });
}
