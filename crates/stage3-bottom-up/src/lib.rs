//! Stage 3, bottom-up: the leaf becomes async, and a blocking wrapper with the
//! old name runs it, so that nothing above has to change.
//!
//! | who | how |
//! |---|---|
//! | reads | the thread of the source, inside its own event loop |
//! | writes | the same thread, while it holds the lock |
//! | waits | each loop for its one source (at most an interval), or its thread for the lock |
//! | threads | one for each source, and the caller's; a runtime for each, too |
//!
//! This is the second road out of `stage1-threads`, beside `stage2-mixed`:
//! read it against stage 1, not against stage 2. In the Python original it is
//! the `tail_file` that wraps `tail_async`. Since stage 1:
//!
//! - `tail_async` is born, the first async function of this road: where stage
//!   1 puts its thread to sleep, it awaits;
//! - `tail` became a wrapper that builds a runtime and blocks on it. Its
//!   callers notice nothing: that is what bottom-up means.
//!
//! What it costs: a runtime for each source on top of its thread (`stages` in
//! `benches/`, by number of sources). The wrapper is there to be deleted, as
//! soon as its caller is async: that is `stage4-tasks`, which is next.

use std::panic::resume_unwind;
use std::thread;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::runtime::Builder;
use tokio::time::timeout;

use tributary::{Error, Lines, Output, Plan, Read, Report, Source};

// ANCHOR: merge
/// Merges the sources of `plan` into its output, with a thread and a runtime
/// for each source.
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
/// Panics if a thread did, once all of them have ended.
pub fn merge(plan: Plan) -> Result<Report, Error> {
    let Plan { sources, output, interval, .. } = plan;
    let writer = Writer { output: Mutex::new(output) };

    // The scope lets the threads borrow the writer, and it does not end before
    // they do. A source that found no thread is dropped, and stops the rest.
    let ended = thread::scope(|scope| {
        let mut tails = Vec::new();
        for source in sources {
            let writer = &writer;
            let tail = move || tail(source, interval, writer);
            let tail = thread::Builder::new().spawn_scoped(scope, tail);
            tails.push(tail.map_err(Error::Runtime)?);
        }

        let mut joined = Vec::new();
        for tail in tails {
            joined.push(tail.join());
        }

        let mut ended = Ok(());
        for tail in joined {
            ended = ended.and(tail.unwrap_or_else(|panic| resume_unwind(panic)));
        }
        ended
    });

    // Finished in any case: the lines of the other sources must not be lost.
    let written = writer.output.lock().finish();
    ended?;
    Ok(Report::new(written?, None))
}
// ANCHOR_END: merge

// ANCHOR: tail
/// Follows one source until it closes: the blocking wrapper of [`tail_async`].
fn tail(source: Source, interval: Duration, writer: &Writer) -> Result<(), Error> {
    // Only the timer: with `enable_io` each runtime would hold three file
    // descriptors more, or four (with tokio's feature `signal`).
    let runtime = Builder::new_current_thread().enable_time().build().map_err(Error::Runtime)?;
    // Bridge: this thread waits for async code. It panics when it is called
    // from async code, which is why the wrapper goes once its caller is async.
    runtime.block_on(tail_async(source, interval, writer)) // New
}
// ANCHOR_END: tail

// ANCHOR: tail_async
/// Follows one source until it closes.
async fn tail_async(mut source: Source, interval: Duration, writer: &Writer) -> Result<(), Error> {
    loop {
        // `read_lines` and `write` still block. This loop has no other task,
        // so there is nobody to block but itself: a shared loop is different.
        match source.read_lines()? {
            Read::Lines(lines) => writer.write(lines)?,
            Read::NoNewData => {
                let _ = timeout(interval, source.changed()).await; // New
            }
            Read::Closed => return Ok(()),
        }
    }
}
// ANCHOR_END: tail_async

// ANCHOR: writer
/// Shares the output between the threads.
struct Writer {
    // Not a bare `Output`: `append` takes `&mut self`, so without the lock
    // this does not compile.
    output: Mutex<Output>,
}

impl Writer {
    /// Writes one chunk; the others wait at the lock meanwhile.
    fn write(&self, lines: Lines) -> Result<(), Error> {
        self.output.lock().append(&lines)
    }
}
// ANCHOR_END: writer
