//! Stage 5, fully async: the writer leaves the loop for a thread of its own,
//! and a task awaits its answer.
//!
//! | who | how |
//! |---|---|
//! | reads | a small pool of threads, one short job a look |
//! | writes | the writer thread |
//! | waits | each task for its source (at most an interval), and for the writer's answer |
//! | threads | the loop's, its watch, the writer's, and at most four readers |
//!
//! This is `run_fully_async` of the Python original, with its `WriteThread`.
//! Since `stage4-tasks`:
//!
//! - `Writer` became `WriteThread`, with `start`, `write` and `stop`;
//! - the request goes over a channel, the answer comes back over a oneshot.
//!   The awaited answer is the back-pressure: a task has at most one chunk on
//!   its way, so the channel needs no bound. A bounded one would block the
//!   loop as soon as it is full, which is what this stage is there to avoid.
//!
//! What it costs: a hop to the writer and back for each chunk (`write` in
//! `benches/`). What it buys: a slow output stops no task
//! (`cargo compare --workload slow-output`, column stall).

use std::panic::resume_unwind;
use std::rc::Rc;
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Sender, unbounded};
use tokio::sync::oneshot;
use tokio::task::{spawn_blocking, spawn_local};
use tokio::time::timeout;

use tributary::{Error, Lines, Output, Plan, Read, Report, Source, Written};

/// How many threads read. A look is a short job, so a few serve thousands of
/// sources; a look that gets no thread at once waits its turn in the queue. A
/// file that hangs (a dead network mount) keeps its thread: four of them would
/// stop all reading.
const READERS: usize = 4;

// ANCHOR: merge
/// Merges the sources of `plan` into its output, with a task for each source
/// and a thread for the output.
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
/// Panics if a task or the writer did, once all of them have ended; and if it
/// is called from async code, as every runtime inside a runtime does.
pub fn merge(plan: Plan) -> Result<Report, Error> {
    let ran = tokio_loop::run(READERS, plan.debug, merge_async(plan)).map_err(Error::Runtime)?;
    Ok(Report::new(ran.answer?, ran.longest_stall))
}
// ANCHOR_END: merge

// ANCHOR: merge_async
async fn merge_async(plan: Plan) -> Result<Written, Error> {
    let Plan { sources, output, interval, .. } = plan;
    let writer = Rc::new(WriteThread::start(output)?); // New

    let mut tails = Vec::new();
    for source in sources {
        let writer = Rc::clone(&writer);
        let tail = tail(source, interval, writer);
        tails.push(spawn_local(tail));
    }

    let mut joined = Vec::new();
    for tail in tails {
        joined.push(tail.await);
    }
    // Stopped in any case: the lines of the other sources must not be lost.
    // Stopped before the tails are asked: if the writer has panicked, their
    // errors are consequences, and `stop` brings out the cause.
    let writer = Rc::into_inner(writer).expect("the tails have ended, and each dropped its share");
    let written = writer.stop().await; // New

    let mut ended = Ok(());
    for tail in joined {
        ended = ended.and(tail.unwrap_or_else(|failed| resume_unwind(failed.into_panic())));
    }
    ended?;
    written
}
// ANCHOR_END: merge_async

// ANCHOR: tail
/// Follows one source until it closes.
async fn tail(
    mut source: Source,
    interval: Duration,
    writer: Rc<WriteThread>,
) -> Result<(), Error> {
    loop {
        // Bridge: this task waits for blocking code. The job takes the source
        // with it and brings it back, since it may outlive the task.
        let look = spawn_blocking(move || (source.read_lines(), source));
        let looked = look.await;
        let read;
        (read, source) = looked.unwrap_or_else(|failed| resume_unwind(failed.into_panic()));
        match read? {
            Read::Lines(lines) => writer.write(lines).await?,
            Read::NoNewData => {
                let _ = timeout(interval, source.changed()).await;
            }
            Read::Closed => return Ok(()),
        }
    }
}
// ANCHOR_END: tail

// ANCHOR: writer
/// Owns the output, on a thread of its own.
struct WriteThread {
    requests: Sender<Request>, // New
    thread: thread::JoinHandle<Result<Written, Error>>,
}

/// One chunk to write, and where the answer goes.
struct Request {
    lines: Lines,
    answer: oneshot::Sender<Result<(), Error>>, // New
}

impl WriteThread {
    /// Starts the thread. It ends when the last sender is gone and the channel
    /// is empty.
    fn start(mut output: Output) -> Result<WriteThread, Error> {
        let (requests, inbox) = unbounded::<Request>();
        let thread = thread::Builder::new().name("writer".into()).spawn(move || {
            // No lock and no `RefCell`: the output has one owner again.
            for Request { lines, answer } in inbox {
                let written = output.append(&lines);
                // Dropped before the answer: the source is about to read into
                // the memory that these lines hold.
                drop(lines);
                // Perhaps nobody waits any more. The lines are written.
                let _ = answer.send(written); // New
            }
            output.finish()
        });
        let thread = thread.map_err(Error::Runtime)?;
        Ok(WriteThread { requests, thread })
    }

    /// Writes one chunk; only the task that calls it waits.
    async fn write(&self, lines: Lines) -> Result<(), Error> {
        let (answer, written) = oneshot::channel();
        // An unbounded `send` never waits, so it may be called on the loop.
        self.requests.send(Request { lines, answer }).map_err(|_| Error::WriterGone)?;
        // Bridge: this task waits for the writer thread.
        let written = written.await; // New
        written.map_err(|_| Error::WriterGone)?
    }

    /// Ends the thread, once it has written all that was sent.
    async fn stop(self) -> Result<Written, Error> {
        drop(self.requests);
        // Bridge: joining blocks, so the pool does it and this task waits.
        let join =
            spawn_blocking(|| self.thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
        let joined = join.await;
        joined.unwrap_or_else(|failed| resume_unwind(failed.into_panic()))
    }
}
// ANCHOR_END: writer
