//! Which of my handlers blocks the runtime? This crate says so while it does, on
//! stable tokio:
//!
//! ```text
//! worker 1 has not turned for 112 ms: `answer` of a.example blocks it, in task 6: it sleeps
//! worker 1 turns again after 301 ms: `answer` of a.example blocked it, in task 6: it slept
//! ```
//!
//! - [`watched`] watches the runtime that you have: any that tokio 1.54 builds, of
//!   many workers or of one, with sockets and without. It looks from outside, and
//!   costs a worker nothing. [`Watched`] is the same with options.
//! - [`run`] builds an event loop on this thread, as Python's
//!   `asyncio.run(main, debug=…)` does, runs one future on it to its end, and takes
//!   it down. It measures the longest *stall*: the longest time that a woken task
//!   waited for its turn. [`Loop`] is the same with options.
//!
//! Both tell of what blocks through `tracing`. [`names`] is the layer that knows the
//! names of what blocks, [`spawn`] and [`spawn_local`] spawn tasks that say their
//! number, and [`hook_into`] has a runtime tell what is not to be seen otherwise.
//!
//! ```
//! use std::io;
//!
//! use tracing_subscriber::prelude::*;
//!
//! #[tokio::main]
//! async fn main() -> io::Result<()> {
//!     tracing_subscriber::registry()
//!         .with(tracing_subscriber::fmt::layer())
//!         .with(tokio_loop::names())
//!         .init();
//!     tokio_loop::watched(tokio_loop::SLOW, serve()).await
//! }
//!
//! async fn serve() {
//!     // Your program.
//! }
//! ```

use std::time::Duration;

pub use hooks::hook_into;
pub use names::{names, names_at};
pub use run::{Loop, Ran, run};
pub use spawn::{spawn, spawn_local};
pub use watched::{Watched, watched};

mod case;
mod counted;
mod doing;
mod driver;
mod here;
mod hooks;
mod judge;
mod looks;
mod meeting;
mod names;
#[cfg(tokio_unstable)]
mod polls;
mod run;
mod runtime;
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
