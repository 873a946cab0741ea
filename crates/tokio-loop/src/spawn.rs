//! A task that says its number.

use std::future::poll_fn;
use std::panic::Location;
use std::pin::pin;

use tokio::task::{self, JoinHandle};

use crate::here::here;
use crate::turn::Turn;

/// Spawns a task, as [`tokio::spawn`] does, and lets a warning about it say its
/// number and where it was spawned.
///
/// An operation inside a span has a name in any task. One without a span is "an unnamed
/// operation", and only a task that was spawned by this function can be named. Each
/// poll of such a task is also known to be a turn of its own. Where nothing is watched
/// it makes no difference.
///
/// # Panics
///
/// Panics outside of a runtime.
#[track_caller]
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    task::spawn(numbered(future, Location::caller()))
}

/// As [`spawn`], for a future that is not `Send`: see [`tokio::task::spawn_local`].
///
/// # Panics
///
/// Panics outside of a [`LocalRuntime`](tokio::runtime::LocalRuntime) or a
/// [`LocalSet`](tokio::task::LocalSet).
#[track_caller]
pub fn spawn_local<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    task::spawn_local(numbered(future, Location::caller()))
}

async fn numbered<F: Future>(future: F, spawned_at: &'static Location<'static>) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|context| {
        let _turn = here(|turns| turns.begin(Turn::Task(task::id(), spawned_at)));
        future.as_mut().poll(context)
    })
    .await
}
