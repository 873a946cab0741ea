//! A task that says its number.

use std::future::poll_fn;
use std::panic::Location;
use std::pin::pin;

use tokio::task::{self, JoinHandle};

use crate::turn::{Turn, here};

/// Spawns a task onto the loop of this thread, as [`tokio::task::spawn_local`]
/// does, and lets a warning about it say its number and where it was spawned.
///
/// What blocks inside a span has a name in any task. What blocks without one
/// is "an unnamed operation", and this is how its task can be told. Where
/// nothing is looked at (`debug` is `None`) it makes no difference.
///
/// # Panics
///
/// Panics outside of an event loop.
#[track_caller]
pub fn spawn_local<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    let spawned_at = Location::caller();
    task::spawn_local(async move {
        let mut future = pin!(future);
        poll_fn(|context| {
            let _turn = here(|turns| turns.begin(Turn::Task(task::id(), spawned_at)));
            future.as_mut().poll(context)
        })
        .await
    })
}
