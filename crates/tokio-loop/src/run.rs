//! A loop of our own: it is built, measured and taken down.

use std::io;
use std::time::Duration;

use tokio::runtime::{Builder, LocalOptions};
use tracing::warn_span;

use crate::TARGET;
use crate::watch::Watch;

/// How long a thread of the pool stays that has nothing to do.
const KEEP_ALIVE: Duration = Duration::from_secs(1);

/// Runs `main` to its end on an event loop of its own, on this thread, and
/// returns its answer with the longest stall of the loop.
///
/// The loop is a [`LocalRuntime`]: one thread polls `main` and every task, so
/// [`tokio::task::spawn_local`] takes futures that are not `Send`.
/// [`Handle::current`], [`tokio::task::spawn_blocking`] and tokio's timers work
/// too. Sockets do not: without an I/O driver the loop saves its descriptors;
/// [`Loop::enable_io`] gives it one. Tasks that are not done when `main` ends are
/// dropped.
///
/// `blocking_threads` bounds the threads that `spawn_blocking` may start; zero
/// counts as one. A job beyond the bound waits in a queue that says nothing, so
/// jobs that live as long as `main` need a thread each. A thread that has nothing to do
/// ends after a second.
///
/// With `debug`, each stall that is longer than that is told through `tracing`; see
/// below. [`SLOW`] is what `asyncio` takes. `None` warns of nothing and costs nothing
/// more: the longest stall is returned all the same.
///
/// # The stall
///
/// A stall is the time that a woken task waits for its turn. It is not the time from
/// unpark to park, which the hooks of tokio give for free: a loop that hands out turns
/// without a pause for a second is at work, and has not stalled.
///
/// A thread beside the loop, the watch, wakes a task about once a millisecond while the
/// loop is at work, and times how long that task waits. What keeps it waiting makes no
/// difference: a blocking call, a long computation, a thousand short turns before its
/// own, a core that went to another process. A stall of less than a millisecond may go
/// unseen. A loop that is parked is not woken, and the watch sleeps with it. At a loop
/// that wakes all the time and parks again within a millisecond, the watch looks only
/// every eight milliseconds, unless there is a `debug`. The first stall after such a
/// time may be longer than measured by that much.
///
/// For a program that counts its stalls while it runs, each of [`SLOW`] or longer that
/// `debug` does not warn of is one event of level DEBUG when it is over, with the
/// target `tokio_loop` and the field `stall_us`.
///
/// # Debug
///
/// Of each stall longer than `debug` there are two events of level WARN, with the
/// target `tokio_loop`: one while the loop is stuck, one when it turns again. A stall
/// that goes on for ten times as long is told once more.
///
/// ```text
/// the event loop has not turned for 100 ms: `append` of a.log blocks it, in task 7: it writes to a.fifo
/// the event loop turns again after 503 ms: `append` of a.log blocked it, in task 7: it wrote to a.fifo
/// ```
///
/// The fields are `stuck_us` in the first and `stall_us` in the second, and where they
/// are known `operation`, `source`, `task` and `spawned_at`. On Linux there are also
/// `thread`, `call`, `wait_channel`, `ran_us` and `waited_us`, as of
/// [`watched`](crate::watched). An operation is a span that [`names`] has seen. Code
/// without a span is "an unnamed operation": in main, in task 7 if [`spawn_local`]
/// spawned it, or else "in a task", for tokio keeps the number to itself. With `--cfg
/// tokio_unstable` it tells the number of every task, and where the task was spawned.
///
/// An operation is blamed if it has lasted longer than the threshold by itself. A turn
/// that goes from one operation to the next is blamed as a whole. When no single turn
/// of many is to blame, the loop is busy: that is told when it is over, with `turns`
/// and without an operation.
///
/// Ten stalls are told one after the other, and then one a second; the next that is
/// told, or the end, says how many were `left_out`. The events come from the watch's
/// thread, and go to the subscriber of the thread that called `run`. If that has none,
/// a subscriber that `main` installs for all threads hears them
/// (`a_subscriber_that_main_installs_hears_of_the_stalls`). The end waits for an event
/// that is being written, a second at most: the caller may hold the lock that it needs.
///
/// # Blocking
///
/// Blocks the calling thread until `main` has ended, and then until every
/// started job of `spawn_blocking` has returned: such a job cannot be aborted.
/// A job that is still in the queue may be run or dropped: a thread that has
/// just ended another takes it. That wait is after the end of the loop and
/// counts as no stall.
///
/// # Errors
///
/// The operating system refuses the watch its thread, or the loop what it needs.
///
/// # Panics
///
/// Panics with the panic of `main`, once the watch and the blocking threads
/// have ended. Panics if it is called on a thread that already drives an event
/// loop: use `.await` there. A panic of a task goes to whoever awaits its
/// [`JoinHandle`](tokio::task::JoinHandle).
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// let ran = tokio_loop::run(1, None, async {
///     let slow = tokio::task::spawn_local(async {
///         // It should be `tokio::time::sleep(…).await`. As it stands, it
///         // takes the turn of every other task.
///         std::thread::sleep(Duration::from_millis(500));
///         "done"
///     });
///     slow.await.expect("the task does not panic")
/// })?;
///
/// assert_eq!(ran.answer, "done");
/// assert!(ran.longest_stall > Some(Duration::from_millis(100)));
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// [`LocalRuntime`]: tokio::runtime::LocalRuntime
/// [`SLOW`]: crate::SLOW
/// [`names`]: crate::names
/// [`spawn_local`]: crate::spawn_local
/// [`Handle::current`]: tokio::runtime::Handle::current
pub fn run<T>(
    blocking_threads: usize,
    debug: Option<Duration>,
    main: impl Future<Output = T>,
) -> io::Result<Ran<T>> {
    Loop::new().blocking_threads(blocking_threads).debug(debug).run(main)
}

/// The outcome of a loop.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ran<T> {
    /// The answer of `main`.
    pub answer: T,
    /// The longest stall of the loop; `None` if no task was timed, since the loop
    /// was never seen at work.
    pub longest_stall: Option<Duration>,
}

/// How a loop is built: [`run`] with options.
///
/// # Examples
///
/// A loop with sockets:
///
/// ```
/// # use std::io;
/// let ran = tokio_loop::Loop::new().enable_io().run(async {
///     let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
///     io::Result::Ok(listener.local_addr()?.ip())
/// })?;
///
/// assert!(ran.answer?.is_loopback());
/// # Ok::<(), io::Error>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "it does nothing until it is run"]
pub struct Loop {
    blocking_threads: usize,
    debug: Option<Duration>,
    io: bool,
}

impl Default for Loop {
    fn default() -> Loop {
        Loop::new()
    }
}

impl Loop {
    /// A loop with timers, no sockets, one blocking thread and no debug mode.
    pub fn new() -> Loop {
        Loop { blocking_threads: 1, debug: None, io: false }
    }

    /// How many threads `spawn_blocking` may start; zero counts as one.
    pub fn blocking_threads(mut self, threads: usize) -> Loop {
        self.blocking_threads = threads.max(1);
        self
    }

    /// Tells of each stall that is longer than this.
    pub fn debug(mut self, threshold: Option<Duration>) -> Loop {
        self.debug = threshold;
        self
    }

    /// Gives the loop the I/O driver, for the sockets, processes and signals of
    /// tokio. It needs a feature of tokio that has some: `net`, `process` or
    /// `signal`.
    pub fn enable_io(mut self) -> Loop {
        self.io = true;
        self
    }

    /// Runs `main` to its end; all that is said of [`run`] holds.
    ///
    /// # Errors
    ///
    /// As [`run`].
    ///
    /// # Panics
    ///
    /// As [`run`].
    pub fn run<T>(self, main: impl Future<Output = T>) -> io::Result<Ran<T>> {
        // A recorder learns from it which thread is a loop.
        let _span = warn_span!(target: TARGET, "tokio_loop").entered();
        let watch = Watch::start(self.debug)?;

        let mut builder = Builder::new_current_thread();
        builder.enable_time();
        if self.io {
            // The one way to ask for the I/O driver without a feature for it. Its
            // epoll set costs three descriptors, and four in a program that has
            // tokio listen to signals.
            builder.enable_all();
        }
        builder.max_blocking_threads(self.blocking_threads).thread_keep_alive(KEEP_ALIVE);
        watch.hook_into(&mut builder);
        let runtime = builder.build_local(LocalOptions::default())?;

        runtime.spawn_local(watch.sentinel());
        // The watch ends in here, also if `main` panics: before the runtime is
        // dropped and waits for its blocking threads, which is not a stall.
        let (answer, longest_stall) = watch.over(&runtime, main);
        Ok(Ran { answer, longest_stall })
    }
}
