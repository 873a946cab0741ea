//! Stage 5, with a mistake that every law lets pass, since it does no harm or only a race
//! would show it.

use std::panic::resume_unwind;
use std::rc::Rc;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::{spawn_blocking, spawn_local};
use tokio::time::timeout;
use tributary::{Error, Lines, Output, Plan, Read, Report, Source, Written};

/// The answer of the writer is awaited, and not looked at.
pub(crate) const UNHEARD_ANSWER: u8 = 1;
/// The writer's thread is joined on the loop.
pub(crate) const JOIN_ON_THE_LOOP: u8 = 2;
/// The first tail that fails is the end of all.
pub(crate) const EARLY_RETURN: u8 = 3;

type Request = (Lines, oneshot::Sender<Result<(), Error>>);

pub(crate) fn merge<const MISTAKE: u8>(plan: Plan) -> Result<Report, Error> {
    let ran = tokio_loop::run(4, plan.debug, merge_async::<MISTAKE>(plan));
    let ran = ran.map_err(Error::Runtime)?;
    Ok(Report::new(ran.answer?, ran.longest_stall))
}

async fn merge_async<const MISTAKE: u8>(plan: Plan) -> Result<Written, Error> {
    let Plan { sources, output, interval, .. } = plan;
    let (requests, inbox) = mpsc::unbounded_channel();
    let writer = thread::spawn(|| write(output, inbox));
    let requests = Rc::new(requests);
    let tails = sources
        .into_iter()
        .map(|source| spawn_local(tail::<MISTAKE>(source, interval, Rc::clone(&requests))));
    let mut ended = Ok(());
    for tail in tails.collect::<Vec<_>>() {
        ended = ended.and(tail.await.unwrap_or_else(|failed| resume_unwind(failed.into_panic())));
        if MISTAKE == EARLY_RETURN {
            ended?;
            ended = Ok(());
        }
    }
    drop(requests);
    let join = || writer.join().unwrap_or_else(|panic| resume_unwind(panic));
    let written =
        if MISTAKE == JOIN_ON_THE_LOOP { join() } else { spawn_blocking(join).await.unwrap() };
    ended.and(written)
}

async fn tail<const MISTAKE: u8>(
    mut source: Source,
    interval: Duration,
    requests: Rc<mpsc::UnboundedSender<Request>>,
) -> Result<(), Error> {
    loop {
        let read;
        (read, source) = spawn_blocking(|| (source.read_lines(), source)).await.unwrap();
        match read? {
            Read::Lines(lines) => {
                let (answer, written) = oneshot::channel();
                requests.send((lines, answer)).map_err(|_| Error::WriterGone)?;
                let written = written.await.map_err(|_| Error::WriterGone)?;
                if MISTAKE != UNHEARD_ANSWER {
                    written?;
                }
            }
            Read::NoNewData => {
                let _ = timeout(interval, source.changed()).await;
            }
            Read::Closed => return Ok(()),
        }
    }
}

fn write(
    mut output: Output,
    mut inbox: mpsc::UnboundedReceiver<Request>,
) -> Result<Written, Error> {
    while let Some((lines, answer)) = inbox.blocking_recv() {
        let written = output.append(&lines);
        drop(lines);
        let _ = answer.send(written);
    }
    output.finish()
}

/// Stage 1, but for the looks: each of them is taken by a new thread.
pub(crate) fn a_thread_for_each_look(plan: Plan) -> Result<Report, Error> {
    let Plan { sources, output, interval, .. } = plan;
    let output = Mutex::new(output);
    thread::scope(|scope| {
        let tail = |mut source: Source| -> Result<(), Error> {
            loop {
                match thread::scope(|look| look.spawn(|| source.read_lines()).join()).unwrap()? {
                    Read::Lines(lines) => output.lock().unwrap().append(&lines)?,
                    Read::NoNewData => {
                        source.changed().wait_timeout(interval);
                    }
                    Read::Closed => return Ok(()),
                }
            }
        };
        let tails: Vec<_> =
            sources.into_iter().map(|source| scope.spawn(move || tail(source))).collect();
        tails.into_iter().try_for_each(|tail| tail.join().unwrap())
    })?;
    Ok(Report::new(output.into_inner().unwrap().finish()?, None))
}
