//! Stage 4, tasks: one loop, a task for each source, no lock. Here both roads
//! meet.
//!
//! | who | how |
//! |---|---|
//! | reads | a small pool of threads, one short job a look |
//! | writes | the loop's thread, and all tasks wait meanwhile |
//! | waits | each task for its source (at most an interval), on the loop |
//! | threads | the loop's, its watch, and at most four readers |
//!
//! This is `run_tasks` of the Python original. Since `stage2-mixed`, coming
//! from the top:
//!
//! - the blocking job moved down to the leaf: it was all of `tail`, it is now
//!   one call of `read_lines`, so a few threads serve any number of sources;
//! - `write` lost its bridge, and with one thread left the lock became a
//!   `RefCell`, which the compiler accepts only because the tasks are local.
//!
//! Since `stage3-bottom-up`, coming from the bottom:
//!
//! - the wrapper is deleted, and `tail_async` takes its name;
//! - a thread with a loop of its own became a task on a shared one. A call that
//!   blocked one thread would now block all tasks, so `read_lines` goes to the
//!   pool.
//!
//! What it costs: `append` is still called on the loop. While the disk is
//! slow no task runs (`cargo compare --workload slow-output`, column stall).
//! Next: `stage5-fully-async`, where the writer leaves the loop.

use std::cell::RefCell;
use std::panic::resume_unwind;
use std::rc::Rc;
use std::time::Duration;

use tokio::task::{spawn_blocking, spawn_local};
use tokio::time::timeout;

use tributary::{Error, Lines, Output, Plan, Read, Report, Source, Written};

/// How many threads read. A look is a short job, so a few serve thousands of
/// sources; a look that gets no thread at once waits its turn in the queue. A
/// file that hangs (a dead network mount) keeps its thread: four of them would
/// stop all reading.
const READERS: usize = 4;

// ANCHOR: merge
/// Merges the sources of `plan` into its output, with a task for each source.
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
/// Panics if a task did, once all of them have ended; and if it is called from
/// async code, as every runtime inside a runtime does.
pub fn merge(plan: Plan) -> Result<Report, Error> {
    let ran = tokio_loop::run(READERS, plan.debug, merge_async(plan)).map_err(Error::Runtime)?;
    Ok(Report::new(ran.answer?, ran.longest_stall))
}
// ANCHOR_END: merge

// ANCHOR: merge_async
async fn merge_async(plan: Plan) -> Result<Written, Error> {
    let Plan { sources, output, interval, .. } = plan;
    let writer = Rc::new(Writer { output: RefCell::new(output) });

    let mut tails = Vec::new();
    for source in sources {
        let writer = Rc::clone(&writer);
        let tail = tail(source, interval, writer);
        tails.push(spawn_local(tail)); // New
    }

    let mut joined = Vec::new();
    for tail in tails {
        joined.push(tail.await);
    }

    let mut ended = Ok(());
    for tail in joined {
        ended = ended.and(tail.unwrap_or_else(|failed| resume_unwind(failed.into_panic())));
    }

    // Finished in any case: the lines of the other sources must not be lost.
    let written = writer.output.borrow_mut().finish();
    ended?;
    written
}
// ANCHOR_END: merge_async

// ANCHOR: tail
/// Follows one source until it closes.
async fn tail(mut source: Source, interval: Duration, writer: Rc<Writer>) -> Result<(), Error> {
    loop {
        // Bridge: this task waits for blocking code. The job takes the source
        // with it and brings it back, since the job may outlive the task.
        let look = spawn_blocking(move || (source.read_lines(), source)); // New
        let looked = look.await;
        let read;
        (read, source) = looked.unwrap_or_else(|failed| resume_unwind(failed.into_panic()));
        match read? {
            Read::Lines(lines) => writer.write(lines).await?, // New
            Read::NoNewData => {
                let _ = timeout(interval, source.changed()).await;
            }
            Read::Closed => return Ok(()),
        }
    }
}
// ANCHOR_END: tail

// ANCHOR: writer
/// Shares the output between the tasks.
struct Writer {
    // No lock: the tasks take turns on one thread, and `write` does not await
    // while it borrows. `RefCell` would panic if that were not so.
    output: RefCell<Output>, // New
}

impl Writer {
    /// Writes one chunk; the others wait for the loop meanwhile, and so does
    /// everything else on it: `async` alone makes nothing stop blocking.
    async fn write(&self, lines: Lines) -> Result<(), Error> {
        self.output.borrow_mut().append(&lines)
    }
}
// ANCHOR_END: writer
