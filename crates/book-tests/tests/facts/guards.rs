//! A guard that is held over an `.await`.
//!
//! Between threads the compiler refuses it, see `refused/`. Between local
//! tasks it does not; clippy denies it in this workspace, so each of these
//! tests has to expect the lint, and clippy complains where there is none.

use std::rc::Rc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use tokio::task::{spawn_local, yield_now};

use super::{comes, does_not_come, one_thread};

/// Runs two tasks of `write` on one loop; tells when both have ended. The
/// thread stays behind if they never do.
fn two_tasks<M: 'static, F: Future<Output = ()> + 'static>(
    lock: impl FnOnce() -> M + Send + 'static,
    write: impl Fn(Rc<M>) -> F + Send + 'static,
) -> Receiver<()> {
    let (end, ended) = channel();
    thread::spawn(move || {
        one_thread(1).block_on(async {
            let lock = Rc::new(lock());
            let first = spawn_local(write(Rc::clone(&lock)));
            let second = spawn_local(write(lock));
            first.await.unwrap();
            second.await.unwrap();
        });
        end.send(()).unwrap();
    });
    ended
}

#[test]
fn a_std_guard_held_over_an_await_by_local_tasks_is_a_deadlock() {
    #[expect(clippy::await_holding_lock, reason = "it is the mistake to be shown")]
    async fn write(lines: Rc<std::sync::Mutex<u32>>) {
        let mut lines = lines.lock().unwrap();
        // The other task gets the thread, and blocks it at the lock for ever.
        yield_now().await;
        *lines += 1;
    }
    let ended = two_tasks(|| std::sync::Mutex::new(0), write);
    does_not_come(&ended, "two tasks that hold a guard of std over an await end");
}

#[test]
fn a_parking_lot_guard_held_over_an_await_by_local_tasks_is_a_deadlock() {
    #[expect(clippy::await_holding_lock, reason = "it is the mistake to be shown")]
    async fn write(lines: Rc<parking_lot::Mutex<u32>>) {
        let mut lines = lines.lock();
        yield_now().await;
        *lines += 1;
    }
    let ended = two_tasks(|| parking_lot::Mutex::new(0), write);
    does_not_come(&ended, "two tasks that hold a guard of parking_lot over an await end");
}

#[test]
fn a_guard_of_tokio_may_be_held_over_an_await() {
    async fn write(lines: Rc<tokio::sync::Mutex<u32>>) {
        let mut lines = lines.lock().await;
        yield_now().await;
        *lines += 1;
    }
    let ended = two_tasks(|| tokio::sync::Mutex::new(0), write);
    comes(&ended, "two tasks that await their turn at the lock end");
}

#[test]
fn a_guard_that_ends_before_the_await_harms_nobody() {
    async fn write(lines: Rc<std::sync::Mutex<u32>>) {
        *lines.lock().unwrap() += 1;
        yield_now().await;
    }
    let ended = two_tasks(|| std::sync::Mutex::new(0), write);
    comes(&ended, "two tasks whose guards end with their line");
}
