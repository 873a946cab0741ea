//! Stage 1's threads before a task that writes: the writer thread turned round
//! in the other way. The threads feed, and the task takes.

use std::panic::resume_unwind;
use std::thread;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tributary::{Error, Lines, Output, Plan, Read, Report, Source, Written};

// ANCHOR: merge
/// How many chunks wait for the writer before a tail has to.
const PLACES: usize = 4;

pub(crate) fn merge(plan: Plan) -> Result<Report, Error> {
    let Plan { sources, output, interval, .. } = plan;
    let (lines, inbox) = mpsc::channel(PLACES);
    thread::scope(|scope| {
        let start = |source| {
            let lines = lines.clone();
            scope.spawn(move || tail(source, interval, lines))
        };
        let tails: Vec<_> = sources.into_iter().map(start).collect();
        // The writer ends when the last sender is gone.
        drop(lines);
        let ran = tokio_loop::run(1, None, write(output, inbox)).map_err(Error::Runtime);
        let joined: Vec<_> = tails.into_iter().map(|tail| tail.join()).collect();
        for tail in joined {
            tail.unwrap_or_else(|panic| resume_unwind(panic))?;
        }
        Ok(Report::new(ran?.answer?, None))
    })
}
// ANCHOR_END: merge

// ANCHOR: ends
/// One chunk to write, and where the answer goes.
type Request = (Lines, oneshot::Sender<Result<(), Error>>);

/// Follows one source until it closes, on a thread of its own.
fn tail(
    mut source: Source,
    interval: Duration,
    writer: mpsc::Sender<Request>,
) -> Result<(), Error> {
    loop {
        match source.read_lines()? {
            Read::Lines(lines) => {
                let (answer, written) = oneshot::channel();
                // Bridge: this thread waits for the task, while the channel is full
                // and until the lines are written.
                writer.blocking_send((lines, answer)).map_err(|_| Error::WriterGone)?;
                written.blocking_recv().map_err(|_| Error::WriterGone)??;
            }
            Read::NoNewData => {
                source.changed().wait_timeout(interval);
            }
            Read::Closed => return Ok(()),
        }
    }
}

/// Writes whatever comes. To a socket it would await; a file blocks, and this
/// loop has nobody else to block.
async fn write(mut output: Output, mut inbox: mpsc::Receiver<Request>) -> Result<Written, Error> {
    while let Some((lines, answer)) = inbox.recv().await {
        let written = output.append(&lines);
        drop(lines);
        let _ = answer.send(written);
    }
    output.finish()
}
// ANCHOR_END: ends
