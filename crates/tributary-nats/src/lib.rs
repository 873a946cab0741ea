//! The writer leaves the machine: a merge into a stream of NATS JetStream.
//!
//! | who | how |
//! |---|---|
//! | reads | a small pool of threads, one short job a look |
//! | writes | the writer thread: a loop of its own, and a server behind it |
//! | waits | each task for its source (at most an interval), and for the writer's answer |
//! | threads | the loop's, its watch, the writer's, and at most four readers |
//!
//! This is `run_fully_async` of the Python original once more, and its `WriteThread`
//! to the letter: a thread with a loop of its own, to which the tasks of another loop
//! hand their requests. Since `stage5-fully-async`:
//!
//! - `WriteThread` awaits the server's answer instead of the disk's: many chunks are
//!   on their way at once, at most one of each source. So its thread has a loop, and a
//!   task for each of these chunks.
//! - `start` is `async`: it returns when the server has answered.
//!
//! The channel and the answer over a oneshot are as before. So is the back-pressure: a
//! task has at most one chunk on its way, so a slow server costs no more memory.
//!
//! The module `shipper` makes a chunk arrive once, by the fence and by what is behind the
//! checkpoint. [`read`] brings the lines back into one merged file.

mod behind;
mod message;
mod place;
mod reader;
mod server;
mod shipper;

pub use place::{Place, PlaceError};
pub use reader::read;

use std::panic::resume_unwind;
use std::rc::Rc;
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, LocalOptions};
use tokio::select;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::task::{JoinError, JoinSet, spawn_blocking, spawn_local};
use tokio::time::timeout;

use tributary::{Error, Lines, Output, Plan, Read, Report, Source, Stop, Written};

use crate::shipper::Shipper;

/// How many threads read; see `stage5-fully-async`.
const READERS: usize = 4;

// ANCHOR: merge
/// Merges the sources of `plan` into the stream at `place`, which is the output of the
/// plan ([`Place::target`]), with a task for each source and a thread for the output.
///
/// # Blocking
///
/// Blocks the calling thread until every source has closed, and the server has
/// acknowledged every line.
///
/// # Errors
///
/// Any one of the errors that ended the merge: of a source, once all the others are
/// drained; of the stream; of the system that refused a thread.
///
/// # Panics
///
/// Panics if a task or the writer did, once all of them have ended; and if it is called
/// from async code, as every runtime inside a runtime does.
pub fn merge(plan: Plan, place: &Place) -> Result<Report, Error> {
    let debug = plan.debug;
    let ran = tokio_loop::run(READERS, debug, merge_async(plan, place.clone()));
    let ran = ran.map_err(Error::Runtime)?;
    Ok(Report::new(ran.answer?, ran.longest_stall))
}
// ANCHOR_END: merge

// ANCHOR: merge_async
async fn merge_async(plan: Plan, place: Place) -> Result<Written, Error> {
    let Plan { sources, output, interval, stop, .. } = plan;
    let writer = Rc::new(WriteThread::start(output, place, stop).await?); // New

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
    let written = writer.stop().await;

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
/// Owns the output and the connection, on a thread and a loop of its own.
struct WriteThread {
    requests: UnboundedSender<Request>, // New
    thread: thread::JoinHandle<Result<Written, Error>>,
}

/// One chunk to write, and where the answer goes.
struct Request {
    lines: Lines,
    answer: oneshot::Sender<Result<(), Error>>,
}

impl WriteThread {
    /// Starts the thread, and returns when the server has answered. The thread ends when
    /// the last sender is gone and the channel is empty.
    async fn start(output: Output, place: Place, stop: Stop) -> Result<WriteThread, Error> {
        let (requests, inbox) = unbounded_channel::<Request>(); // New
        let (connected, is_connected) = oneshot::channel(); // New
        let thread = thread::Builder::new().name("writer".into()).spawn(move || {
            let mut builder = Builder::new_current_thread();
            let runtime = builder.enable_all().build_local(LocalOptions::default()); // New
            let runtime = runtime.map_err(Error::Runtime)?;
            runtime.block_on(async {
                let shipper = Rc::new(Shipper::connect(output, place, stop).await?); // New
                // `start` may have been dropped meanwhile: then the inbox is empty.
                let _ = connected.send(());
                ship(inbox, &shipper).await;
                shipper.finish()
            })
        });
        let thread = thread.map_err(Error::Runtime)?;
        let writer = WriteThread { requests, thread };
        // Bridge: this task waits for the writer's loop.
        match is_connected.await {
            Ok(()) => Ok(writer),
            // The thread has ended; what it returns says why.
            Err(_) => Err(writer.stop().await.err().unwrap_or(Error::WriterGone)),
        }
    }

    /// Writes one chunk; only the task that calls it waits.
    async fn write(&self, lines: Lines) -> Result<(), Error> {
        let (answer, written) = oneshot::channel();
        // An unbounded `send` never waits, so it may be called on the loop.
        self.requests.send(Request { lines, answer }).map_err(|_| Error::WriterGone)?;
        // Bridge: this task waits for the writer's loop.
        let written = written.await;
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

/// Sends each chunk in a task of its own; returns when every one of them is
/// answered.
async fn ship(mut inbox: UnboundedReceiver<Request>, shipper: &Rc<Shipper>) {
    let mut sent = JoinSet::new(); // New
    loop {
        select! {
            request = inbox.recv(), if sent.len() < shipper.on_their_way() => {
                let Some(Request { lines, answer }) = request else { break };
                let shipper = Rc::clone(shipper);
                sent.spawn_local(async move {
                    let written = shipper.send(&lines).await; // New
                    // Dropped before the answer: the source is about to read into
                    // the memory that these lines hold.
                    drop(lines);
                    // The tail may have been dropped: nobody waits for this answer any more.
                    let _ = answer.send(written);
                });
            }
            Some(ended) = sent.join_next() => come_out(ended),
        }
    }
    while let Some(ended) = sent.join_next().await {
        come_out(ended);
    }
}

/// Raises the panic of a task again, so that the thread's join returns it.
fn come_out(ended: Result<(), JoinError>) {
    ended.unwrap_or_else(|failed| resume_unwind(failed.into_panic()));
}
// ANCHOR_END: writer
