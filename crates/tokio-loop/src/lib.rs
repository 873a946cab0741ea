//! Says which task blocks a tokio runtime, and with what, while it does.
//!
//! [`watched`] is one line in `main`, on any runtime of tokio that is there
//! already. It needs no flag of the compiler:
//!
//! ```
//! use std::time::Duration;
//! use std::{io, thread};
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
//!     tokio_loop::spawn(answer("a.example")).await.expect("it does not panic");
//! }
//!
//! #[tracing::instrument]
//! async fn answer(peer: &str) {
//!     // It should be `tokio::time::sleep(…).await`.
//!     thread::sleep(Duration::from_millis(300));
//! }
//! ```
//!
//! ```text
//! WARN tokio_loop: worker 1 has not turned for 112 ms: `answer` of a.example blocks it, in task 6, spawned at src/main.rs:16:5: it sleeps
//! ```
//!
//! [`watched`] says what is told, and [`Watched`] has options. [`names`] takes the names
//! from spans; [`spawn`] has a task say where it was spawned; [`hook_into`] is for
//! a program that calls `block_in_place`. The README says what all this costs, and
//! what it cannot see.
//!
//! # A loop of its own
//!
//! [`run`] is the twin of Python's `asyncio.run(main, debug=…)`: it builds an event
//! loop on this thread, runs one future to its end, and takes the loop down. Besides
//! the answer it hands back the longest *stall*: the longest time that a woken task
//! waited for its turn. With a threshold it has the debug mode of `asyncio`.

use std::time::Duration;

pub use hooks::hook_into;
pub use names::{names, names_at};
pub use run::{Loop, Ran, run};
pub use spawn::{spawn, spawn_local};
pub use watched::{Watched, watched};

mod acts;
mod case;
mod counted;
mod doing;
mod driver;
mod here;
mod hooks;
mod joined;
mod judge;
mod looks;
mod meeting;
mod names;
mod parker;
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

/// The usual threshold of a stall that is worth a warning: 100 ms, as
/// `slow_callback_duration` in `asyncio`.
pub const SLOW: Duration = Duration::from_millis(100);
