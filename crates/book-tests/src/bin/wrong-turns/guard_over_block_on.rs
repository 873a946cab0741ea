//! A wrong turn: a job holds a guard while it blocks on what a task has to do, and the
//! task wants the lock.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::task::{spawn_blocking, spawn_local};
use tributary::{Error, Lines, Output, Plan, Read, Report, Source, Written};

/// Lines to be written, and where the answer goes.
type Request = (Lines, oneshot::Sender<()>);

/// How many lines were read and are not written.
type Pending = Arc<Mutex<u64>>;

pub(crate) fn merge(plan: Plan) -> Result<Report, Error> {
    let threads = plan.sources.len().max(1);
    tokio_loop::run(threads, None, merge_async(plan)).map_err(Error::Runtime)?.answer
}

async fn merge_async(plan: Plan) -> Result<Report, Error> {
    let pending = Pending::default();
    let (requests, mut inbox) = unbounded_channel();
    let mut tails = Vec::new();
    for source in plan.sources {
        let (requests, pending) = (requests.clone(), Arc::clone(&pending));
        tails.push(spawn_blocking(move || tail(source, &requests, &pending, plan.interval)));
    }
    drop(requests);
    let writer = spawn_local(async move {
        let mut output = plan.output;
        while let Some((lines, answer)) = inbox.recv().await {
            write(&mut output, lines, &pending)?;
            let _ = answer.send(());
        }
        output.finish()
    });
    for tail in tails {
        tail.await.unwrap()?;
    }
    let written: Result<Written, Error> = writer.await.unwrap();
    Ok(Report::new(written?, None))
}

fn write(output: &mut Output, lines: Lines, pending: &Mutex<u64>) -> Result<(), Error> {
    output.append(&lines)?;
    *pending.lock().unwrap() -= lines.count();
    Ok(())
}

fn tail(
    mut source: Source,
    requests: &UnboundedSender<Request>,
    pending: &Mutex<u64>,
    interval: Duration,
) -> Result<(), Error> {
    loop {
        match source.read_lines()? {
            Read::Lines(lines) => {
                let mut pending = pending.lock().unwrap();
                *pending += lines.count();
                let (answer, written) = oneshot::channel();
                requests.send((lines, answer)).map_err(|_| Error::WriterGone)?;
                Handle::current().block_on(written).map_err(|_| Error::WriterGone)?;
            }
            Read::NoNewData => {
                source.changed().wait_timeout(interval);
            }
            Read::Closed => return Ok(()),
        }
    }
}
