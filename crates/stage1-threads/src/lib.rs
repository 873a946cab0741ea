//! Stage 1, threads: one thread follows each source, and a mutex lets one of
//! them write at a time.
//!
//! | who | how |
//! |---|---|
//! | reads | the thread of the source |
//! | writes | the same thread, while it holds the lock |
//! | waits | each thread for its source (at most an interval), and for the lock |
//! | threads | one for each source, and the caller's |
//!
//! This is `run_threads` of the Python original, the program that everything
//! starts from. It is a good program. What it costs:
//!
//! - a thread for each source, idle or not: 600 log files are 600 stacks, and
//!   the scheduler's problem (`stages` in `benches/`, by number of sources);
//! - a queue at the lock that no one sees: while one thread writes to a slow
//!   output the others stand in line (the lanes on the page of `cargo compare`).
//!
//! There are two ways from here to async, and they part at once:
//! `stage2-mixed` goes top-down, `stage3-bottom-up` goes bottom-up. They meet
//! again in `stage4-tasks`.

use std::panic::resume_unwind;
use std::thread;
use std::time::Duration;

use parking_lot::Mutex;

use tributary::{Error, Lines, Output, Plan, Read, Report, Source};

// ANCHOR: merge
/// Merges the sources of `plan` into its output, with a thread for each source.
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
