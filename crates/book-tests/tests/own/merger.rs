//! A merger of one's own, as written on the first day and as mended: they
//! differ in how they wait.

use std::panic::resume_unwind;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use tributary::{Error, Output, Plan, Read, Report, Source};

/// How a source is followed.
type Tail = fn(Source, Duration, &Mutex<Output>) -> Result<(), Error>;

pub(crate) fn naive(plan: Plan) -> Result<Report, Error> {
    merge(plan, naive_tail)
}

pub(crate) fn mended(plan: Plan) -> Result<Report, Error> {
    merge(plan, mended_tail)
}

// ANCHOR: merge
fn merge(plan: Plan, tail: Tail) -> Result<Report, Error> {
    let Plan { sources, output, interval, .. } = plan;
    let output = Mutex::new(output);

    let ended = thread::scope(|scope| {
        let start = |source| scope.spawn(|| tail(source, interval, &output));
        let tails: Vec<_> = sources.into_iter().map(start).collect();
        let joined: Vec<_> = tails.into_iter().map(|tail| tail.join()).collect();
        let ended = |tail: thread::Result<_>| tail.unwrap_or_else(|panic| resume_unwind(panic));
        joined.into_iter().try_for_each(ended)
    });

    let written = output.into_inner().unwrap_or_else(PoisonError::into_inner).finish();
    ended?;
    Ok(Report::new(written?, None))
}
// ANCHOR_END: merge

// ANCHOR: naive_tail
fn naive_tail(mut source: Source, interval: Duration, output: &Mutex<Output>) -> Result<(), Error> {
    loop {
        match source.read_lines()? {
            Read::Lines(lines) => lock(output).append(&lines)?,
            Read::NoNewData => thread::sleep(interval),
            Read::Closed => return Ok(()),
        }
    }
}
// ANCHOR_END: naive_tail

// ANCHOR: mended_tail
fn mended_tail(
    mut source: Source,
    interval: Duration,
    output: &Mutex<Output>,
) -> Result<(), Error> {
    loop {
        match source.read_lines()? {
            Read::Lines(lines) => lock(output).append(&lines)?,
            // The interval is the longest wait: a change ends it, and so does
            // the stop.
            Read::NoNewData => {
                source.changed().wait_timeout(interval);
            }
            Read::Closed => return Ok(()),
        }
    }
}
// ANCHOR_END: mended_tail

/// A tail that has panicked has left no half line behind: `append` is whole.
fn lock(output: &Mutex<Output>) -> std::sync::MutexGuard<'_, Output> {
    output.lock().unwrap_or_else(PoisonError::into_inner)
}
