//! The plainest merge: one thread, which gives each source its turn.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Instant;

use crate::{Changed, Error, Output, Plan, Read, Report, Source};

/// Merges the sources of `plan` into its output, all on the calling thread.
///
/// The sources take turns: one that has something new gives a chunk, one that waits is
/// passed over. After an error the lines of the other sources are still merged; then
/// the first error is returned.
///
/// Use it for few sources and a quick output: a turn asks every source, and none is
/// read while the output or a file blocks.
///
/// # Blocking
///
/// Blocks the calling thread until every source has closed.
///
/// # Errors
///
/// Those of [`Source::read_lines`], [`Output::append`] and [`Output::finish`].
pub fn merge(plan: Plan) -> Result<Report, Error> {
    let Plan { sources, mut output, interval, .. } = plan;
    let mut tails: Vec<_> = sources.into_iter().map(|source| Tail(source, None)).collect();
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut failed = None;
    let mut all_looked = Instant::now();
    while !tails.is_empty() {
        let all = all_looked.elapsed() >= interval;
        if all {
            all_looked = Instant::now();
        }
        let mut quiet = true;
        tails.retain_mut(|tail| {
            if !all && tail.waits(&mut context) {
                return true;
            }
            quiet = false;
            tail.turn(&mut output).unwrap_or_else(|error| {
                failed.get_or_insert(error);
                false
            })
        });
        if quiet {
            thread::park_timeout(interval.saturating_sub(all_looked.elapsed()));
        }
    }
    // Finished after an error, too: the lines of the other sources must not be lost.
    let written = output.finish();
    failed.map_or(Ok(()), Err)?;
    Ok(Report::new(written?, None))
}

/// A source, and the change that it waits for.
struct Tail(Source, Option<Changed>);

impl Tail {
    /// Tells whether the source waits. If so, its change wakes the context.
    fn waits(&mut self, context: &mut Context<'_>) -> bool {
        self.1.as_mut().is_some_and(|changed| Pin::new(changed).poll(context).is_pending())
    }

    /// Looks once and writes the lines. Returns false if the source has closed.
    fn turn(&mut self, output: &mut Output) -> Result<bool, Error> {
        let Tail(source, changed) = self;
        *changed = None;
        match source.read_lines()? {
            Read::Lines(lines) => output.append(&lines)?,
            Read::NoNewData => *changed = Some(source.changed()),
            Read::Closed => return Ok(false),
        }
        Ok(true)
    }
}

/// Wakes a thread that is parked.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
