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

use std::io;
use std::time::Duration;

use tokio::runtime::{Builder, LocalOptions};
use tracing::warn_span;

pub use hooks::hook_into;
pub use names::{names, names_at};
pub use spawn::{spawn, spawn_local};
use watch::Watch;
pub use watched::{Watched, watched};

mod counted;
mod doing;
mod here;
mod hooks;
mod judge;
mod names;
#[cfg(tokio_unstable)]
mod polls;
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

/// Runs `main` to its end on an event loop of its own, on this thread, and
/// returns its answer with the longest stall of the loop.
///
/// The loop is a [`LocalRuntime`]: one thread polls `main` and every task, so
/// [`tokio::task::spawn_local`] takes futures that are not `Send`.
/// [`Handle::current`], [`tokio::task::spawn_blocking`] and tokio's timers work
/// too; sockets do not, for the loop has no I/O driver and saves its
/// descriptors. Tasks that are not done when `main` ends are dropped.
///
/// `blocking_threads` bounds the threads that `spawn_blocking` may start; zero
/// counts as one. A job beyond the bound waits in a queue that says nothing, so
/// jobs that live as long as `main` need a thread each.
///
/// With `debug`, what keeps the loop from turning for longer than that is told
/// through `tracing`; see below. [`SLOW`] is what `asyncio` takes. `None` warns
/// of nothing and costs nothing more: the longest stall is returned all the same.
///
/// # The stall
///
/// A thread beside the loop, the watch, wakes a task about once a millisecond
/// while the loop is at work, and times how long that task waits. What keeps it
/// waiting is all one to it: a blocking call, a long computation, a thousand
/// short turns before its own, a core that went to another process. A stall of
/// less than a millisecond may go unseen. A loop that is parked is not woken,
/// and the watch sleeps with it. `None` means that no task was timed: the loop
/// was never seen at work.
///
/// For a program that counts its stalls while it runs, each of [`SLOW`] or longer
/// that `debug` does not warn of is one event of level DEBUG when it is over, with
/// the target `tokio_loop` and the field `stall_us`.
///
/// # Debug
///
/// Of each stall longer than `debug` there are two events of level WARN, with
/// the target `tokio_loop`: one while the loop is stuck, one when it turns again.
///
/// ```text
/// the event loop has not turned for 100 ms: `append` of a.log blocks it, in task 7
/// the event loop turns again after 1503 ms: `append` of a.log blocked it, in task 7
/// ```
///
/// The fields are `stuck_us` in the first and `stall_us` in the second, and where
/// they are known `operation`, `source`, `task` and `spawned_at`. An operation
/// is a span that [`names`] has seen. Without one it is "an unnamed operation":
/// in main, in task 7 if [`spawn_local`] spawned it, or else "in a task": tokio
/// tells its number to nobody but itself. With `--cfg tokio_unstable` it tells
/// that of every task, and where it was spawned.
///
/// An operation is blamed if it has lasted longer than the threshold by itself.
/// A turn that goes from one operation to the next is blamed as a whole. If it
/// was many turns, the loop is not blocked but busy: that is told when it is
/// over, with `turns` and without an operation.
///
/// Ten stalls are told one after the other, and then one a second; the next
/// that is told, or the end, says how many were `left_out`. The events come from
/// the watch's thread, and go to the subscriber of the thread that called `run`.
/// One that `main` installs for all threads is heard of, too, where the caller
/// had none (`a_subscriber_that_main_installs_hears_of_the_stalls`).
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
/// let (answer, stall) = tokio_loop::run(1, None, async {
///     let slow = tokio::task::spawn_local(async {
///         // It should be `tokio::time::sleep(…).await`. As it stands, it
///         // takes the turn of every other task.
///         std::thread::sleep(Duration::from_millis(500));
///         "done"
///     });
///     slow.await.expect("the task does not panic")
/// })?;
///
/// assert_eq!(answer, "done");
/// assert!(stall > Some(Duration::from_millis(100)));
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// [`LocalRuntime`]: tokio::runtime::LocalRuntime
/// [`Handle::current`]: tokio::runtime::Handle::current
pub fn run<T>(
    blocking_threads: usize,
    debug: Option<Duration>,
    main: impl Future<Output = T>,
) -> io::Result<(T, Option<Duration>)> {
    // A recorder learns from it which thread is a loop.
    let _span = warn_span!(target: TARGET, "tokio_loop").entered();
    let watch = Watch::start(debug)?;

    let mut builder = Builder::new_current_thread();
    // Timers and no I/O driver, whose epoll set costs three descriptors, and four
    // in a program that has tokio listen to signals.
    builder.enable_time();
    builder.max_blocking_threads(blocking_threads.max(1));
    watch.hook_into(&mut builder);
    let runtime = builder.build_local(LocalOptions::default())?;

    runtime.spawn_local(watch.sentinel());
    // The watch ends in here, also if `main` panics: before the runtime is
    // dropped and waits for its blocking threads, which is not a stall.
    Ok(watch.over(&runtime, main))
}
