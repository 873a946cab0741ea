//! A line service, five times: the book's second program on the way from threads
//! to async.
//!
//! The service answers each line of a client with the number of the line. Nobody knows
//! how many clients there will be, or how long they stay. When a client has left, a
//! line about it goes into the statistics.
//!
//! Each version is one module with one function, [`Serve`]: [`threads`], then
//! half-way down one road, [`top_down`], and half-way up the other, [`bottom_up`];
//! [`tasks`], where both roads meet; and [`fully_async`]. They are listed in [`VERSIONS`].
//! `tests/suite.rs` holds all of them to the same laws, those of `service-laws`, and says
//! what each of them cannot do.
//!
//! [`Statistics`] and [`Stop`] are the same for all.

pub mod bottom_up;
pub mod fully_async;
mod statistics;
mod stop;
pub mod tasks;
pub mod threads;
pub mod top_down;

use std::io;
use std::net::TcpListener;

pub use statistics::{Served, Statistics};
pub use stop::{OnRequest, Stop};

/// The function of each version: it serves until the stop is requested, and returns
/// what was served.
///
/// # Blocking
///
/// Blocks the calling thread until the stop is requested and every client was noted.
///
/// # Errors
///
/// The listener or the statistics have failed. A listener that fails ends the service:
/// connected clients are sent away, and noted.
///
/// # Panics
///
/// Panics if a client's thread, job or task did, or the writer of the statistics. The
/// versions on tokio panic if they are called from async code.
pub type Serve = fn(TcpListener, Statistics, Stop) -> io::Result<Served>;

/// One version.
#[derive(Debug, Clone, Copy)]
pub struct Version {
    /// The name of its module.
    pub name: &'static str,
    /// Its entry point.
    pub serve: Serve,
    /// The text of its file.
    pub source: &'static str,
}

macro_rules! versions {
    ($($name:ident)+) => { &[$(Version {
        name: stringify!($name),
        serve: $name::serve,
        source: include_str!(concat!(stringify!($name), ".rs")),
    }),+] };
}

/// All versions, in the order of the chapter.
pub static VERSIONS: &[Version] = versions! { threads top_down bottom_up tasks fully_async };

impl Version {
    /// Finds a version by its name.
    pub fn named(name: &str) -> Option<&'static Version> {
        VERSIONS.iter().find(|version| version.name == name)
    }
}
