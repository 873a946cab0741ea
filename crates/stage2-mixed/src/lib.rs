//! Stage 2, mixed: the top becomes async, the tails stay blocking code on
//! the runtime's blocking pool.
//!
//! | who | how |
//! |---|---|
//! | reads | a thread of the blocking pool, one for each source |
//! | writes | the same thread, while it holds the async lock |
//! | waits | each of these threads; the loop only for their ends |
//! | threads | one for each source, the loop's, and its watch |
//!
//! This is `run_tasks_mixed` of the Python original, the first step of the
//! top-down road. Since `stage1-threads`:
//!
//! - `merge` starts an event loop, and `merge_async` runs on it. (The loop is
//!   `tokio_loop::run`: a runtime of one thread, and a second thread, its
//!   watch, that measures how long the loop stands still);
//! - `thread::spawn_scoped` became `spawn_blocking`, and the borrowed writer
//!   became shared (`Arc`), since a job may outlive its caller;
//! - `write_async` is born; blocking code reaches it through `write`. `tail`
//!   is the same, letter for letter: that is what top-down means.
//!
//! A thread that the system refuses is an error where the merge starts it itself. Of one
//! that it refuses the pool, tokio says nothing as long as the pool has another: the
//! source waits in the queue, until a tail ends.
//!
//! What it costs: all that stage 1 costs, and a loop that has nothing to do
//! (`cargo compare`, columns threads and context switches). It is a place to
//! pass through, not to stay. Next: `stage4-tasks`, where the leaf follows.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;

use tributary::{Error, Lines, Output, Plan, Read, Report, Source, Written};

// ANCHOR: merge
/// Merges the sources of `plan` into its output, with an async top and a
/// blocking job for each source.
///
/// # Blocking
///
/// Blocks the calling thread until every source has closed.
///
/// # Errors
///
/// Any one of the errors that ended the merge: of a source, of the output, of
/// the system that refused a thread. The other sources are drained first.
///
/// # Panics
///
/// Panics if a job did, once all of them have ended; and if it is called from
/// async code, as every runtime inside a runtime does.
pub fn merge(plan: Plan) -> Result<Report, Error> {
    // As many threads as tails. The pool has 512 by default, its queue is
    // silent, and these jobs last as long as the merge: the 513th source
    // would not be read before the stop, and nobody would say so.
    let threads = plan.sources.len();
    let ran = tokio_loop::run(threads, plan.debug, merge_async(plan)).map_err(Error::Runtime)?; // New
    Ok(Report::new(ran.answer?, ran.longest_stall))
}
// ANCHOR_END: merge

// ANCHOR: merge_async
async fn merge_async(plan: Plan) -> Result<Written, Error> {
    let Plan { sources, output, interval, .. } = plan;
    let writer = Arc::new(Writer { handle: Handle::current(), output: Mutex::new(output) });

    // Bridge: async code starts blocking code, and awaits its end further
    // down. A job that has begun cannot be aborted: only `Stop` ends it.
    let mut tails = Vec::new();
    for source in sources {
        let writer = Arc::clone(&writer);
        let tail = move || tail(source, interval, &writer);
        tails.push(spawn_blocking(tail)); // New
    }

    let mut joined = Vec::new();
    for tail in tails {
        joined.push(tail.await); // New
    }

    let mut ended = Ok(());
    for tail in joined {
        ended = ended.and(tail.unwrap_or_else(|failed| resume_unwind(failed.into_panic())));
    }

    // Finished in any case: the lines of the other sources must not be lost.
    let written = writer.output.lock().await.finish();
    ended?;
    written
}
// ANCHOR_END: merge_async

// ANCHOR: tail
/// Follows one source until it closes.
fn tail(mut source: Source, interval: Duration, writer: &Writer) -> Result<(), Error> {
    loop {
        match source.read_lines()? {
            Read::Lines(lines) => writer.write(lines)?,
            Read::NoNewData => {
                source.changed().wait_timeout(interval);
            }
            Read::Closed => return Ok(()),
        }
    }
}
// ANCHOR_END: tail

// ANCHOR: writer
/// Shares the output between the jobs.
struct Writer {
    handle: Handle,
    // An async lock, since it is `write_async` that holds it.
    output: Mutex<Output>,
}

impl Writer {
    /// Writes one chunk, called from blocking code.
    fn write(&self, lines: Lines) -> Result<(), Error> {
        // Bridge: this thread waits for async code, and it runs that code
        // *itself*. Python's `run_coroutine_threadsafe` sends the code to the
        // loop's thread, one call at a time; `block_on` does not, so the lock
        // below is still needed. Called from async code, `block_on` panics.
        self.handle.block_on(self.write_async(lines)) // New
    }

    /// Writes one chunk; the others wait at the lock meanwhile.
    async fn write_async(&self, lines: Lines) -> Result<(), Error> {
        self.output.lock().await.append(&lines) // New
    }
}
// ANCHOR_END: writer
