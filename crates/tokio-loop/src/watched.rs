//! The watch of a runtime that is there already.

use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::time::Duration;

use tokio::runtime;

use crate::here::{self, here};
use crate::turn::Turn;
use crate::workers::Watch;

/// Runs `main`, and watches the runtime that polls it for as long as `main`
/// lasts: each worker, and `main` itself.
///
/// See [`Watched`] for what it tells and how. `slow` is how long a worker may
/// stay in one turn; [`SLOW`](crate::SLOW) is what `asyncio` takes.
///
/// # Errors
///
/// As [`Watched::run`].
pub async fn watched<T>(slow: Duration, main: impl Future<Output = T>) -> io::Result<T> {
    Watched::new(slow).run(main).await
}

/// How a runtime is watched: [`watched`] with options.
#[derive(Debug, Clone)]
#[must_use = "it watches nothing until it is run"]
pub struct Watched {
    pub(crate) slow: Duration,
    pub(crate) heal_driver: bool,
}

impl Watched {
    /// Tells of each worker that does not turn for longer than `slow`.
    pub fn new(slow: Duration) -> Watched {
        Watched { slow, heal_driver: false }
    }

    /// Has an idle worker turn the timers and sockets when the worker that did so
    /// is stuck.
    pub fn heal_driver(mut self, heals: bool) -> Watched {
        self.heal_driver = heals;
        self
    }

    /// Runs `main` to its end under the watch.
    ///
    /// # Errors
    ///
    /// No runtime of tokio polls this, the runtime is watched already, or the
    /// operating system refuses the watch its thread. `main` has not begun then.
    pub async fn run<T>(self, main: impl Future<Output = T>) -> io::Result<T> {
        let watch = Watch::start(&self)?;
        let shared = watch.shared();
        // A worker that blocks at once is known by then.
        shared.is_ready.notified().await;
        let mut main = pin!(main);
        Ok(poll_fn(|context| {
            if runtime::worker_index().is_some() {
                let _turn = here(|turns| turns.begin(Turn::Main));
                return main.as_mut().poll(context);
            }
            shared.main.is_here();
            let _here = here::set(&shared.main.turns);
            let _turn = shared.main.turns.begin(Turn::Main);
            main.as_mut().poll(context)
        })
        .await)
    }
}
