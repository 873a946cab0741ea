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
///
/// # Examples
///
/// ```
/// # use std::io;
/// #[tokio::main]
/// async fn main() -> io::Result<()> {
///     let answer = tokio_loop::watched(tokio_loop::SLOW, async { 42 }).await?;
///     assert_eq!(answer, 42);
///     Ok(())
/// }
/// ```
pub async fn watched<T>(slow: Duration, main: impl Future<Output = T>) -> io::Result<T> {
    Watched::new(slow).run(main).await
}

/// How a runtime is watched: [`watched`] with options.
///
/// # What is told
///
/// Of each stall there are two events of level WARN, with the target `tokio_loop`:
/// one while it lasts, one when it is over; and one more after ten times the time.
///
/// ```text
/// worker 1 has not turned for 112 ms: `answer` of a.example blocks it, in task 6: it sleeps
/// worker 1 turns again after 301 ms: `answer` of a.example blocked it, in task 6: it slept
/// ```
///
/// A runtime of one thread is "the event loop". On a runtime of many workers, the
/// future that is watched is on none of them: it is "main". The operation is a span
/// that [`names`](crate::names) has seen; without one it is "an unnamed operation",
/// and [`spawn`](crate::spawn) then has its task say where it was spawned.
///
/// On Linux it is also told what the thread does, in what system call on which file
/// or connection. A worker that waits for a processor there is not told, since
/// others keep it. On other systems neither is known.
///
/// Behind the message are fields, those of them that are known: `stuck_us` in the
/// first and `stall_us` in the second; `worker`, `thread`, `operation`, `source`,
/// `task`, `spawned_at`; `call`, `wait_channel`, and how long the thread ran and
/// waited for a processor, `ran_us` and `waited_us`; `driver_unowned`.
///
/// Ten stalls are told one after the other, and then one a second; the next that is
/// told, or the end, says how many were `left_out`.
///
/// # The driver
///
/// One worker waits for timers and sockets on behalf of all. If it is stuck when the
/// others rest, no timer fires and no socket is heard until one of them is woken:
/// "nobody turns timers and sockets meanwhile". [`Watched::heal_driver`] wakes one.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use tokio_loop::Watched;
///
/// # #[tokio::main]
/// # async fn main() -> std::io::Result<()> {
/// let slow = Duration::from_millis(50);
/// let answer = Watched::new(slow).heal_driver(true).run(async { 42 }).await?;
/// assert_eq!(answer, 42);
/// # Ok(())
/// # }
/// ```
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

    /// Wakes an idle worker, by an empty task, when the worker that turns timers and
    /// sockets is stuck: that worker then turns them. It is off unless it is asked for.
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
