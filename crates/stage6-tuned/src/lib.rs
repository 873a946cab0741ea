//! Stage 6, tuned: stage 5 after the profiler has spoken. One task looks at all
//! sources, and lines go to the writer by the mebibyte.
//!
//! | who | how |
//! |---|---|
//! | reads | the loop's thread, what is in memory; the pool, what has to be waited for |
//! | writes | the writer thread, a batch at once |
//! | waits | one task, for whatever comes first |
//! | threads | the loop's, its watch, the writer's, and at most four readers |
//!
//! Since `stage5-fully-async`:
//!
//! - a task and a timer for each source became a list of the sources that need a look
//!   (`Plan::ready`);
//! - notifications of the operating system are taken in here (`Plan::notifications`),
//!   and not by a thread that wakes this one;
//! - a look that never waits (`Source::look_into`) needs no hop to the pool. A file
//!   that hangs holds up a thread of the pool, as before, and no other source;
//! - a chunk for each source, with an answer of its own, became three batches for all.
//!   So a line costs a part of a wake-up and of a write. The batches are the
//!   back-pressure: a task that has none left to fill reads no more.
//!
//! What it costs: this file, which is longer than any before, and a rule that no type
//! keeps: a source goes to the pool only when its lines are written.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::mem;
use std::panic::resume_unwind;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

use tokio::io::unix::AsyncFd;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::{JoinError, JoinSet, spawn_blocking, spawn_local, yield_now};
use tokio::time::{Sleep, sleep};

use tokio_loop::Loop;
use tributary::{
    Batch, Error, Lines, Look, Notifications, Output, Plan, Read, Ready, Report, Source, Written,
};

/// How many threads read where a look has to wait.
const READERS: usize = 4;
/// How many sources are at the pool at most. Each may come back with a chunk.
const AT_POOL: usize = 32;
/// How many bytes of lines are written at once.
const BATCH: usize = 1024 * 1024;
/// One is filled, one is written, and one is on its way.
const BATCHES: usize = 3;
/// How many bytes of one source are read in a look.
const CHUNK: usize = 256 * 1024;
/// How many looks a turn of the loop takes.
const LOOKS: usize = 64;

/// Merges the sources of `plan` into its output, with one task for all sources and a
/// thread for the output.
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
/// Panics if the task, a job of it or the writer did, once all of them have ended; and
/// if it is called from async code, as every runtime inside a runtime does.
pub fn merge(plan: Plan) -> Result<Report, Error> {
    let event_loop = Loop::new().blocking_threads(READERS).debug(plan.debug).enable_io();
    let ran = event_loop.run(merge_async(plan)).map_err(Error::Runtime)?;
    Ok(Report::new(ran.answer?, ran.longest_stall))
}

async fn merge_async(plan: Plan) -> Result<Written, Error> {
    let kernel = plan.notifications().map(watched).transpose().map_err(Error::Runtime)?;
    let Plan { sources, output, interval, ready, .. } = plan;
    let (writer, batches) = WriteThread::start(output)?;
    let tails = Tails::new(sources, ready, kernel, batches);
    // A task, so that a panic in it waits here for the writer.
    let ended = spawn_local(tails.run(interval)).await;
    let written = writer.stop().await;
    ended.unwrap_or_else(|failed| resume_unwind(failed.into_panic()))?;
    written
}

/// Has the loop wait for notifications.
#[allow(
    deprecated,
    reason = "what is to be taken instead is unsafe, for types that lend another descriptor each time"
)]
fn watched(notifications: Notifications) -> io::Result<AsyncFd<Notifications>> {
    AsyncFd::new(notifications)
}

/// All sources, and where each of them is.
struct Tails {
    tails: Vec<Tail>,
    /// How many have not closed.
    open: usize,
    ready: Ready,
    /// The notifications of the operating system, where there are any.
    kernel: Option<AsyncFd<Notifications>>,
    rung: Vec<usize>,
    /// Sources that need a look.
    queue: VecDeque<usize>,
    /// Sources with a line for which the batch had no room.
    full: Vec<usize>,
    /// Sources that need a look by the pool.
    blocked: VecDeque<usize>,
    jobs: JoinSet<Job>,
    /// Lines that came from the pool when the batch had no room.
    held: VecDeque<(usize, Lines)>,
    batches: Batches,
    ended: Result<(), Error>,
    panicked: Option<JoinError>,
}

/// One source.
struct Tail {
    /// `None` while it is at the pool.
    source: Option<Source>,
    /// Whether the source has nothing new, and waits to be rung.
    waits: bool,
    /// The number of the last batch that has lines of this source.
    batch: u64,
}

/// What comes back from the pool.
type Job = (usize, Source, Result<Read, Error>);

impl Tails {
    fn new(
        sources: Vec<Source>,
        ready: Ready,
        kernel: Option<AsyncFd<Notifications>>,
        batches: Batches,
    ) -> Tails {
        let tail = |source| Tail { source: Some(source), waits: true, batch: 0 };
        let tails: Vec<_> = sources.into_iter().map(tail).collect();
        Tails {
            open: tails.len(),
            tails,
            ready,
            kernel,
            rung: Vec::new(),
            queue: VecDeque::new(),
            full: Vec::new(),
            blocked: VecDeque::new(),
            jobs: JoinSet::new(),
            held: VecDeque::new(),
            batches,
            ended: Ok(()),
            panicked: None,
        }
    }

    /// Follows all sources until each of them has closed.
    async fn run(mut self, interval: Duration) -> Result<(), Error> {
        let mut tick = pin!(sleep(interval));
        loop {
            self.batches.take_back()?;
            // Before each look, which then knows all that has happened.
            self.hear()?;
            self.take_rung();
            self.look();
            self.send_to_pool();
            if self.queue.is_empty() {
                self.turn();
            }
            if self.open == 0 && self.held.is_empty() {
                break;
            }
            if self.queue.is_empty() {
                self.wait(tick.as_mut(), interval).await?;
            } else {
                yield_now().await;
                while let Some(job) = self.jobs.try_join_next() {
                    self.take_back(job);
                }
            }
        }
        self.batches.send();
        self.panicked.map_or(Ok(()), |failed| resume_unwind(failed.into_panic()))?;
        self.batches.end().await?;
        self.ended
    }

    /// Takes in the notifications that have come.
    fn hear(&mut self) -> Result<(), Error> {
        let taken = self.kernel.as_mut().map(|kernel| kernel.get_mut().take_in());
        taken.transpose().map(drop).map_err(Error::Runtime)
    }

    /// Queues the sources that were rung and wait here. The others get a look anyhow.
    fn take_rung(&mut self) {
        self.ready.take(&mut self.rung);
        for place in self.rung.drain(..) {
            if mem::take(&mut self.tails[place].waits) {
                self.queue.push_back(place);
            }
        }
    }

    /// Looks at the queued sources, for one turn.
    fn look(&mut self) {
        for _ in 0..self.queue.len().min(LOOKS) {
            let Some(place) = self.queue.pop_front() else { return };
            let tail = &mut self.tails[place];
            let source = tail.source.as_mut().expect("it is not at the pool while it is queued");
            let before = self.batches.filling.as_bytes().len();
            let look = source.look_into(&mut self.batches.filling, CHUNK);
            if self.batches.filling.as_bytes().len() > before {
                tail.batch = self.batches.number();
            }
            match look {
                Ok(Look::More) => self.queue.push_back(place),
                Ok(Look::Idle) => tail.waits = true,
                Ok(Look::Full) => self.full.push(place),
                Ok(Look::Blocks) => self.blocked.push_back(place),
                Ok(Look::Closed) => self.open -= 1,
                Err(error) => self.fail(error),
            }
            if self.batches.filling.is_full() && self.turn() {
                return;
            }
        }
    }

    /// Hands the sources that would block to the pool, each when all its lines are
    /// written: `read_lines` notes the lines of a file that it lets go as merged.
    fn send_to_pool(&mut self) {
        for _ in 0..self.blocked.len() {
            if self.jobs.len() == AT_POOL {
                return;
            }
            let Some(place) = self.blocked.pop_front() else { return };
            let tail = &mut self.tails[place];
            if tail.batch > self.batches.written {
                self.blocked.push_back(place);
                continue;
            }
            let mut source = tail.source.take().expect("it is blocked, and not at the pool");
            // Bridge: this task waits for blocking code, among other things.
            self.jobs.spawn_blocking(move || {
                let read = source.read_lines();
                (place, source, read)
            });
        }
    }

    /// Takes a source back from the pool.
    fn take_back(&mut self, job: Result<Job, JoinError>) {
        let (place, source, read) = match job {
            Ok(job) => job,
            Err(failed) => {
                self.panicked.get_or_insert(failed);
                self.open -= 1;
                return;
            }
        };
        let tail = &mut self.tails[place];
        let is_changed = source.is_changed();
        tail.source = Some(source);
        match read {
            Ok(Read::Lines(lines)) => {
                self.held.push_back((place, lines));
                self.take_held();
            }
            // A ring while the source was away is not listed any more.
            Ok(Read::NoNewData) if is_changed => self.queue.push_back(place),
            Ok(Read::NoNewData) => tail.waits = true,
            Ok(Read::Closed) => self.open -= 1,
            Err(error) => self.fail(error),
        }
    }

    /// Puts the lines from the pool into the batch, while there is room.
    fn take_held(&mut self) {
        while !self.batches.filling.is_full()
            && let Some((place, lines)) = self.held.pop_front()
        {
            self.batches.filling.push(lines);
            self.tails[place].batch = self.batches.number();
            self.queue.push_back(place);
        }
    }

    /// Sends the batch if there is another one to fill. Returns true if it was sent.
    fn turn(&mut self) -> bool {
        if self.batches.filling.is_empty() || self.batches.empty.is_empty() {
            return false;
        }
        self.batches.send();
        self.queue.extend(self.full.drain(..));
        self.take_held();
        true
    }

    fn fail(&mut self, error: Error) {
        self.open -= 1;
        if self.ended.is_ok() {
            self.ended = Err(error);
        }
    }

    /// Waits for a ring, for the pool, for the writer if there is something to write, or
    /// until the interval is over.
    async fn wait(&mut self, mut tick: Pin<&mut Sleep>, interval: Duration) -> Result<(), Error> {
        let mut rung = self.ready.changed();
        poll_fn(|context| {
            let mut woken = Pin::new(&mut rung).poll(context).is_ready();
            while let Some(kernel) = &mut self.kernel
                && let Poll::Ready(told) = kernel.poll_read_ready_mut(context)
            {
                told.map_err(Error::Runtime)?.clear_ready();
                woken = true;
            }
            while let Poll::Ready(Some(job)) = self.jobs.poll_join_next(context) {
                self.take_back(job);
                woken = true;
            }
            if !self.batches.filling.is_empty() || !self.blocked.is_empty() {
                woken |= self.batches.poll(context)?;
            }
            if tick.as_mut().poll(context).is_ready() {
                tick.set(sleep(interval));
                let waiting = self.tails.iter_mut().enumerate();
                let waiting =
                    waiting.filter_map(|(place, tail)| mem::take(&mut tail.waits).then_some(place));
                self.queue.extend(waiting);
                woken = true;
            }
            if woken { Poll::Ready(Ok(())) } else { Poll::Pending }
        })
        .await
    }
}

/// The batches that carry lines to the writer: the whole memory of the merge.
struct Batches {
    filling: Batch,
    empty: Vec<Batch>,
    sent: u64,
    written: u64,
    requests: UnboundedSender<Batch>,
    answers: UnboundedReceiver<Result<Batch, Error>>,
}

impl Batches {
    /// Returns the number of the batch that is filled.
    fn number(&self) -> u64 {
        self.sent + 1
    }

    /// Sends the batch that is filled, and goes on with an empty one.
    fn send(&mut self) {
        let next = self.empty.pop().unwrap_or_else(|| Batch::new(0));
        // A writer that is gone gives no answer, and `poll` notices that.
        let _ = self.requests.send(mem::replace(&mut self.filling, next));
        self.sent += 1;
    }

    /// Takes back the batches that are written by now.
    fn take_back(&mut self) -> Result<(), Error> {
        while let Ok(answer) = self.answers.try_recv() {
            self.is_written(answer?);
        }
        Ok(())
    }

    /// Waits for the next batch that is written, if there is one to wait for.
    fn poll(&mut self, context: &mut Context<'_>) -> Result<bool, Error> {
        if self.written == self.sent {
            return Ok(false);
        }
        let Poll::Ready(answer) = self.answers.poll_recv(context) else { return Ok(false) };
        self.is_written(answer.ok_or(Error::WriterGone)??);
        Ok(true)
    }

    /// Waits until all that was sent is written.
    async fn end(&mut self) -> Result<(), Error> {
        while self.written < self.sent {
            let answer = self.answers.recv().await;
            self.is_written(answer.ok_or(Error::WriterGone)??);
        }
        Ok(())
    }

    fn is_written(&mut self, batch: Batch) {
        self.empty.push(batch);
        self.written += 1;
    }
}

/// Owns the output, on a thread of its own.
struct WriteThread(thread::JoinHandle<Result<Written, Error>>);

impl WriteThread {
    /// Starts the thread. It ends when the last sender is gone and the channel
    /// is empty.
    fn start(mut output: Output) -> Result<(WriteThread, Batches), Error> {
        let (requests, mut inbox) = unbounded_channel::<Batch>();
        let (answer, answers) = unbounded_channel();
        let thread = thread::Builder::new().name("writer".into()).spawn(move || {
            // It sleeps until a batch comes: a receiver that spins first takes the
            // processor from the sender.
            while let Some(mut batch) = inbox.blocking_recv() {
                let written = output.append_batch(&batch);
                batch.clear();
                // Perhaps nobody waits any more.
                let _ = answer.send(written.map(|()| batch));
            }
            output.finish()
        });
        let thread = thread.map_err(Error::Runtime)?;
        let filling = Batch::new(BATCH);
        let empty = (1..BATCHES).map(|_| Batch::new(BATCH)).collect();
        let batches = Batches { filling, empty, sent: 0, written: 0, requests, answers };
        Ok((WriteThread(thread), batches))
    }

    /// Ends the thread, once it has written all that was sent.
    async fn stop(self) -> Result<Written, Error> {
        // Bridge: joining blocks, so the pool does it and this task waits.
        let join = spawn_blocking(|| self.0.join().unwrap_or_else(|panic| resume_unwind(panic)));
        let joined = join.await;
        joined.unwrap_or_else(|failed| resume_unwind(failed.into_panic()))
    }
}
