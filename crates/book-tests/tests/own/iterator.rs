//! Stage 4 as an iterator: the merge for a caller that cannot await.
//!
//! It is the writer thread turned round. There a task asks, and a thread
//! answers; here a thread asks, and a loop on a thread of its own answers.

use std::io;
use std::panic::resume_unwind;
use std::thread;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::{spawn_blocking, spawn_local};
use tokio::time::timeout;
use tributary::{Error, Lines, Plan, Read, Report, Source};

const READERS: usize = 4;

// ANCHOR: merged
/// The lines of all sources, for whoever may block.
pub(crate) struct Merged {
    requests: mpsc::UnboundedSender<Answer>,
    thread: Option<thread::JoinHandle<Result<(), Error>>>,
}

/// Where the lines go that somebody waits for.
type Answer = std::sync::mpsc::Sender<Lines>;

/// Some lines, and what is dropped when nobody needs them any more.
type Found = (Lines, oneshot::Sender<()>);

impl Merged {
    /// Starts the thread with the loop. It ends with the sources, or when
    /// nobody can ask any more.
    pub(crate) fn start(sources: Vec<Source>, interval: Duration) -> io::Result<Merged> {
        let (requests, inbox) = mpsc::unbounded_channel();
        let thread = thread::Builder::new().name("loop".into()).spawn(move || {
            let ran = tokio_loop::run(READERS, None, serve(sources, interval, inbox));
            ran.map_err(Error::Runtime)?.answer
        })?;
        Ok(Merged { requests, thread: Some(thread) })
    }
}

impl Iterator for Merged {
    type Item = Result<Lines, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let (answer, lines) = std::sync::mpsc::channel();
        // It fails when the loop has ended, and drops the answer with the request.
        let _ = self.requests.send(answer);
        // Bridge: this thread waits for the loop.
        if let Ok(lines) = lines.recv() {
            return Some(Ok(lines));
        }
        // No more lines: the thread says why, once.
        let ended = self.thread.take()?.join();
        ended.unwrap_or_else(|panic| resume_unwind(panic)).err().map(Err)
    }
}
// ANCHOR_END: merged

// ANCHOR: serve
/// Answers each request with the next lines of any source.
async fn serve(
    sources: Vec<Source>,
    interval: Duration,
    mut requests: mpsc::UnboundedReceiver<Answer>,
) -> Result<(), Error> {
    // A place for one chunk: a tail that is ahead of the requests waits.
    let (found, mut lines) = mpsc::channel::<Found>(1);
    let tails: Vec<_> = sources
        .into_iter()
        .map(|source| spawn_local(tail(source, interval, found.clone())))
        .collect();
    drop(found);
    let mut given = None;
    while let Some(answer) = requests.recv().await {
        // Whoever asks again has done with the lines before, so their source may be
        // looked at again.
        drop(given.take());
        let Some((lines, done)) = lines.recv().await else {
            return ended(tails).await;
        };
        given = Some(done);
        // Nobody may be waiting any more.
        let _ = answer.send(lines);
    }
    Ok(())
}
// ANCHOR_END: serve

/// Awaits all tails, and returns any one of their errors.
async fn ended(tails: Vec<tokio::task::JoinHandle<Result<(), Error>>>) -> Result<(), Error> {
    let mut joined = Vec::new();
    for tail in tails {
        joined.push(tail.await);
    }
    let ended = |tail: Result<_, tokio::task::JoinError>| {
        tail.unwrap_or_else(|failed| resume_unwind(failed.into_panic()))
    };
    joined.into_iter().try_for_each(ended)
}

/// Follows one source until it closes, as in stage 4; the lines go to whoever asks.
async fn tail(
    mut source: Source,
    interval: Duration,
    found: mpsc::Sender<Found>,
) -> Result<(), Error> {
    loop {
        let look = spawn_blocking(move || (source.read_lines(), source));
        let looked = look.await;
        let read;
        (read, source) = looked.unwrap_or_else(|failed| resume_unwind(failed.into_panic()));
        match read? {
            Read::Lines(lines) => {
                let (done, is_done) = oneshot::channel();
                if found.send((lines, done)).await.is_err() {
                    return Ok(());
                }
                let _ = is_done.await;
            }
            Read::NoNewData => {
                let _ = timeout(interval, source.changed()).await;
            }
            Read::Closed => return Ok(()),
        }
    }
}

// ANCHOR: merge
/// Merges by a plain `for` loop.
pub(crate) fn merge(plan: Plan) -> Result<Report, Error> {
    let mut output = plan.output;
    let mut ended = Ok(());
    for lines in Merged::start(plan.sources, plan.interval).map_err(Error::Runtime)? {
        ended = ended.and(lines.and_then(|lines| output.append(&lines)));
    }
    // Finished in any case: the lines of the other sources must not be lost.
    let written = output.finish();
    ended?;
    Ok(Report::new(written?, None))
}
// ANCHOR_END: merge
