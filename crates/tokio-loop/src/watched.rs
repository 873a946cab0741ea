//! The watch of a runtime that is there already.

use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::thread;
use std::time::Duration;

use tokio::runtime;

use crate::here::{self, here};
use crate::turn::Turn;
use crate::workers::Watch;

/// Runs `main`, and watches the runtime that polls it for as long as `main`
/// lasts: each worker, and `main` itself.
///
/// `slow` is how long a worker may go without ending a turn; [`SLOW`](crate::SLOW) is
/// what `asyncio` takes. [`Watched`] is the same with options.
///
/// # What is told
///
/// Of each stall there are two events of level WARN, with the target `tokio_loop`:
/// one while it lasts, one when it is over. A stall that goes on for ten times as
/// long is told once more.
///
/// ```text
/// worker 1 has not turned for 112 ms: `answer` of a.example blocks it, in task 6: it sleeps; nobody turns timers and sockets meanwhile, though 1 worker is idle
/// worker 1 turns again after 301 ms: `answer` of a.example blocked it, in task 6: it slept
/// ```
///
/// - *Who does not turn*: a worker; "the event loop", if the runtime has one thread;
///   or "main", if no worker polls it.
/// - *Who blocks it*: the innermost span that [`names`](crate::names) has seen, with the task. Code
///   without a span is "an unnamed operation", and its task is known if
///   [`spawn`](crate::spawn) has spawned it.
/// - *What the thread does*: it computes, it sleeps, it waits for a lock, a channel or
///   a thread, it reads a.fifo. Nothing is told of a worker that waits for a processor.
/// - *Whether the timers and sockets are left alone*: one worker waits for them on
///   behalf of all. While it is stuck, no timer fires and no socket is heard, even
///   if other workers have nothing to do.
///
/// The fields are `stuck_us` in the first event and `stall_us` in the second, and
/// where they are known `runtime`, `worker`, `thread`, `operation`, `source`, `task`,
/// `spawned_at`, `call`, `wait_channel`, `ran_us`, `waited_us` and `driver_unowned`.
/// Ten stalls are told one after the other, and then one a second; the next that is
/// told, or the end, says how many were `left_out`. The events come from the watch's
/// thread, and go to the subscriber of the thread that polled this first. The end waits
/// for an event that is being written, a second at most.
///
/// # What it is based on
///
/// tokio counts the time that a worker is busy, and writes it down when the worker
/// parks and between two batches of turns. A worker that does not park and whose
/// counter stands still is in a batch: 61 turns, if nobody has set the
/// `event_interval`. It is one turn
///
/// - if somebody says so: a span is open all the time, or [`spawn`](crate::spawn) has spawned
///   the task,
/// - if the thread is in one system call all the time,
/// - or if other workers rest and none of them is woken: tokio wakes one whenever a
///   worker goes on to its next task.
///
/// Otherwise it may be one long turn, or many short ones, and nothing tells which. Such
/// is a task without a name that computes, or waits again and again, on a runtime of
/// one thread or while all other workers are at work. It is told when it lasts ten
/// times as long as `slow`:
///
/// ```text
/// the event loop has not ended a batch of turns for 1003 ms: one is long, or many are short, now an unnamed operation, in a task: it computes
/// ```
///
/// # Other systems
///
/// Linux tells what a thread does. Elsewhere a line names the worker, the time, the
/// span and the task. Whether the worker waits for a processor or is in one call is
/// then not known, and a line may be about a busy machine.
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
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let watched = tokio_loop::Watched::new(tokio_loop::SLOW).heal_driver(true);
///
/// assert_eq!(watched.run(async { 42 }).await?, 42);
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

    /// Wakes an idle worker when the worker that waits for the timers and sockets is
    /// stuck: the idle one then waits for them.
    ///
    /// It spawns one empty task. It mends no program: the operation still blocks its
    /// worker, and the tasks in that worker's queue may still have to wait. But a
    /// program that would stand still for as long, or for ever, goes on. The warning
    /// says that this was done.
    pub fn heal_driver(mut self, heals: bool) -> Watched {
        self.heal_driver = heals;
        self
    }

    /// Runs `main` to its end under the watch.
    ///
    /// # Errors
    ///
    /// `main` has not begun, if
    ///
    /// - no runtime of tokio polls this,
    /// - the runtime is watched already ([`io::ErrorKind::ResourceBusy`]),
    /// - the processor has no 64-bit atomics, so tokio does not count
    ///   ([`io::ErrorKind::Unsupported`]),
    /// - the operating system refuses the watch its thread.
    ///
    /// A panic of `main` goes through, once the watch has ended.
    pub async fn run<T>(self, main: impl Future<Output = T>) -> io::Result<T> {
        let watch = Watch::start(&self)?;
        let shared = watch.shared();
        // A worker that blocks at once is known by then.
        shared.is_ready.notified().await;
        let mut main = pin!(main);
        let mut polled_on = None;
        Ok(poll_fn(|context| {
            if runtime::worker_index().is_some() {
                let _turn = here(|turns| turns.begin(Turn::Main));
                return main.as_mut().poll(context);
            }
            let thread = Some(thread::current().id());
            if polled_on != thread {
                shared.main.is_here();
                polled_on = thread;
            }
            let _here = here::set(&shared.main.turns);
            let _turn = shared.main.turns.begin(Turn::Main);
            // No hook tells of a thread that is no worker.
            watch.unpark();
            main.as_mut().poll(context)
        })
        .await)
    }
}
