//! Facts that the book's pages stand on: how tokio, crossbeam-channel,
//! event-listener and Linux behave where a program goes from threads to async.
//!
//! A file a theme. What a hang looks like can only be waited for: such a test
//! waits [`A_WHILE`] for what must not come, and, where it can, shows at the
//! end that it comes once the cause is gone. A slow machine makes none of them
//! fail. What must come is waited for under a bound that only a bug reaches.

mod bridges;
mod callers;
mod channels;
mod computing;
mod ending;
mod events;
mod files;
mod further;
mod guards;
mod handing_over;
mod in_tests;
mod loops;
mod pool;
mod signals;
mod sockets;
mod stop;
mod tasks;
mod workers;
mod writer;

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use testkit::BOUND;
use tokio::runtime::{Builder, LocalOptions, LocalRuntime};
use tokio::task::spawn_local;

/// How long a test waits for what must not come.
const A_WHILE: Duration = Duration::from_millis(200);

/// Waits for what must come.
#[track_caller]
fn comes<T>(inbox: &Receiver<T>, what: &str) -> T {
    inbox.recv_timeout(BOUND).unwrap_or_else(|_| panic!("waited in vain for this: {what}"))
}

/// Waits for what must not come.
#[track_caller]
fn does_not_come<T>(inbox: &Receiver<T>, what: &str) {
    let waited = inbox.recv_timeout(A_WHILE).map(drop);
    assert_eq!(waited, Err(RecvTimeoutError::Timeout), "this must not come: {what}");
}

/// Builds the loop that the stages have, with a pool of `blocking_threads`.
fn one_thread(blocking_threads: usize) -> LocalRuntime {
    let mut builder = Builder::new_current_thread();
    builder.enable_time().max_blocking_threads(blocking_threads);
    builder.build_local(LocalOptions::default()).expect("a loop can start")
}

/// Has a task call `block` beside another task: the other one has no turn before
/// somebody else has called `release`, and one afterwards.
fn blocks_the_loop(block: impl FnOnce() + 'static, release: impl FnOnce() + Send + 'static) {
    let (at_it, blocks) = channel();
    let (turn, has_its_turn) = channel();
    let onlooker = thread::spawn(move || {
        comes(&blocks, "the task is about to block");
        does_not_come(&has_its_turn, "the other task gets its turn meanwhile");
        release();
        comes(&has_its_turn, "the other task gets its turn afterwards");
    });
    one_thread(1).block_on(async {
        let blocks = spawn_local(async move {
            at_it.send(()).unwrap();
            block();
        });
        let other = spawn_local(async move { turn.send(()).unwrap() });
        blocks.await.unwrap();
        other.await.unwrap();
    });
    onlooker.join().unwrap();
}
