//! Stage 1's threads before a task that writes: the writer thread turned round
//! in the other way. The threads feed, and the task takes.

use std::panic::resume_unwind;
use std::thread;
use std::time::Duration;

use tokio::sync::mpsc;
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
        // Before anything is asked of the tails: if the writer has failed, theirs
        // are the consequences.
        let written = ran?.answer?;
        for tail in joined {
            tail.unwrap_or_else(|panic| resume_unwind(panic))?;
        }
        Ok(Report::new(written, None))
    })
}
// ANCHOR_END: merge

// ANCHOR: ends
/// Follows one source until it closes, on a thread of its own.
fn tail(mut source: Source, interval: Duration, writer: mpsc::Sender<Lines>) -> Result<(), Error> {
    loop {
        match source.read_lines()? {
            // Bridge: this thread waits for the task, while the channel is full.
            Read::Lines(lines) => writer.blocking_send(lines).map_err(|_| Error::WriterGone)?,
            Read::NoNewData => {
                source.changed().wait_timeout(interval);
            }
            Read::Closed => return Ok(()),
        }
    }
}

/// Writes whatever comes. To a socket it would await; a file blocks, and this
/// loop has nobody else to block.
async fn write(mut output: Output, mut inbox: mpsc::Receiver<Lines>) -> Result<Written, Error> {
    while let Some(lines) = inbox.recv().await {
        output.append(&lines)?;
    }
    output.finish()
}
// ANCHOR_END: ends
