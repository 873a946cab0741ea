//! An event loop on this thread that measures its own stalls.
//!
//! [`run`] is the twin of Python's `asyncio.run(main, debug=…)`: it builds the
//! loop, runs one future to its end, and takes the loop down. Besides the
//! answer it hands back the longest *stall*: the longest time that a woken task
//! waited for its turn. A loop has one thread, so a task that makes a blocking
//! call takes the turn of all the others; the stall says for how long.
//!
//! With a threshold it has the debug mode of `asyncio`: [`names`] tells how a
//! warning comes to name what blocks the loop. It is for any program of yours.
//!
//! Why not the time from unpark to park, which tokio's hooks give for nothing?
//! Because a loop that hands out turns without a pause for a second has not
//! stalled for a second. What hurts a task is not that the loop is at work; it
//! is that its own turn does not come. So that is what is timed.

use std::time::Duration;

pub use hooks::hook_into;
pub use names::{names, names_at};
pub use run::{Loop, Ran, run};
pub use spawn::{spawn, spawn_local};
pub use watched::{Watched, watched};

mod counted;
mod doing;
mod here;
mod hooks;
mod judge;
mod names;
#[cfg(tokio_unstable)]
mod polls;
mod run;
mod spawn;
mod tell;
mod turn;
mod watch;
mod watched;
mod words;
mod workers;

/// The target of every span and event of this crate.
const TARGET: &str = "tokio_loop";

/// The stall that is worth a warning where nothing else is said: 100 ms, as
/// `slow_callback_duration` in `asyncio`.
pub const SLOW: Duration = Duration::from_millis(100);
