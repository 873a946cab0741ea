//! An event loop on this thread that measures its own stalls.
//!
//! [`run`] is the twin of Python's `asyncio.run`.

use std::io;
use std::time::Duration;

use tokio::runtime::{Builder, LocalOptions};

mod watch;

use watch::Watch;

/// Runs `main` to its end on an event loop of its own, on this thread, and
/// returns its answer with the longest stall of the loop.
///
/// # Errors
///
/// The operating system refuses the watch thread.
pub fn run<T>(
    blocking_threads: usize,
    debug: Option<Duration>,
    main: impl Future<Output = T>,
) -> io::Result<(T, Option<Duration>)> {
    let _ = debug;
    let watch = Watch::start()?;

    let mut builder = Builder::new_current_thread();
    builder.enable_time();
    builder.max_blocking_threads(blocking_threads.max(1));
    watch.hook_into(&mut builder);
    let runtime = builder.build_local(LocalOptions::default())?;

    runtime.spawn_local(watch.sentinel());
    let answer = runtime.block_on(main);
    let stall = watch.end();
    Ok((answer, stall))
}
