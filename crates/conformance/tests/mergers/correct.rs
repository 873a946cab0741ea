//! The correct merger, in the parts that the broken ones share.

use std::panic::resume_unwind;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use tributary::{Error, Lines, Output, Plan, Read, Report, Source};

/// Merges with a thread for each source.
pub(crate) fn one_thread_a_source(plan: Plan) -> Result<Report, Error> {
    waiting(plan, |source, interval| source.changed().wait_timeout(interval))
}

/// Merges with a thread for each source, which waits so.
pub(crate) fn waiting<T>(
    plan: Plan,
    wait: impl Fn(&Source, Duration) -> T + Sync,
) -> Result<Report, Error> {
    threads(plan, |source, interval, output| {
        let write = |lines| output.lock().unwrap().append(&lines);
        follow_waiting(source, write, |source| wait(source, interval))
    })
}

/// Writes a chunk only when the next look has been answered, also if that has
/// found nothing.
pub(crate) fn one_chunk_behind(plan: Plan) -> Result<Report, Error> {
    threads(plan, |mut source, interval, output| {
        let mut held = None;
        loop {
            let read = source.read_lines();
            let lines = held.take();
            lines.map_or(Ok(()), |lines| output.lock().unwrap().append(&lines))?;
            match read? {
                Read::Lines(lines) => held = Some(lines),
                Read::NoNewData => {
                    source.changed().wait_timeout(interval);
                }
                Read::Closed => return Ok(()),
            }
        }
    })
}

/// Runs `tail` in a thread for each source, joins them all and reports.
pub(crate) fn threads(
    plan: Plan,
    tail: impl Fn(Source, Duration, &Mutex<Output>) -> Result<(), Error> + Sync,
) -> Result<Report, Error> {
    let Plan { sources, output, interval, .. } = plan;
    let (output, tail) = (Mutex::new(output), &tail);
    let joined: Vec<_> = thread::scope(|scope| {
        let start = |source| scope.spawn(|| tail(source, interval, &output));
        let tails: Vec<_> = sources.into_iter().map(start).collect();
        tails.into_iter().map(|tail| tail.join()).collect()
    });
    let written = output.into_inner().unwrap().finish();
    let ended = |tail: thread::Result<_>| tail.unwrap_or_else(|panic| resume_unwind(panic));
    joined.into_iter().try_for_each(ended)?;
    Ok(Report::new(written?, None))
}

/// Follows one source until it closes.
pub(crate) fn follow(
    source: Source,
    interval: Duration,
    write: impl FnMut(Lines) -> Result<(), Error>,
) -> Result<(), Error> {
    follow_waiting(source, write, |source| source.changed().wait_timeout(interval))
}

fn follow_waiting<T>(
    mut source: Source,
    mut write: impl FnMut(Lines) -> Result<(), Error>,
    wait: impl Fn(&Source) -> T,
) -> Result<(), Error> {
    loop {
        match source.read_lines()? {
            Read::Lines(lines) => write(lines)?,
            Read::NoNewData => {
                wait(&source);
            }
            Read::Closed => return Ok(()),
        }
    }
}
