//! Mergers whose sources stand in each other's way.

use std::sync::Mutex;
use std::thread;

use tributary::{Error, Output, Plan, Read, Report, Source};

use super::correct::follow;

/// A pool of 512 threads, and a queue that says nothing.
pub(crate) fn hangs_at_the_513th_source(plan: Plan) -> Result<Report, Error> {
    let Plan { sources, output, interval, .. } = plan;
    let (queue, output) = (Mutex::new(sources), Mutex::new(output));
    thread::scope(|scope| {
        for _ in 0..512 {
            scope.spawn(|| {
                let next = || queue.lock().unwrap().pop();
                while let Some(source) = next() {
                    follow(source, interval, |lines| output.lock().unwrap().append(&lines))?;
                }
                Ok::<_, Error>(())
            });
        }
    });
    Ok(Report::new(output.into_inner().unwrap().finish()?, None))
}

/// One thread that gives each source its turn, until all are closed; a turn
/// ends when `turn` says so.
fn one_thread(
    plan: Plan,
    turn: impl Fn(&mut Source, &mut Output) -> Result<Read, Error>,
) -> Result<Report, Error> {
    let Plan { mut sources, mut output, interval, .. } = plan;
    while !sources.is_empty() {
        let mut quiet = true;
        let mut open = Vec::new();
        for mut source in sources {
            let read = turn(&mut source, &mut output)?;
            quiet &= matches!(read, Read::NoNewData);
            if !matches!(read, Read::Closed) {
                open.push(source);
            }
        }
        sources = open;
        if let (true, Some(first)) = (quiet, sources.first()) {
            first.changed().wait_timeout(interval);
        }
    }
    Ok(Report::new(output.finish()?, None))
}

/// One thread does it all, and a write is a write.
pub(crate) fn blocks_the_loop(plan: Plan) -> Result<Report, Error> {
    one_thread(plan, |source, output| {
        let read = source.read_lines()?;
        if let Read::Lines(lines) = &read {
            output.append(lines)?;
        }
        Ok(read)
    })
}

/// A source keeps its turn for as long as it has something new.
pub(crate) fn drains_one_source_before_the_next(plan: Plan) -> Result<Report, Error> {
    one_thread(plan, |source, output| {
        loop {
            match source.read_lines()? {
                Read::Lines(lines) => output.append(&lines)?,
                end => return Ok(end),
            }
        }
    })
}

/// The same loop, seen from another side: the first error ends it, and what was
/// not read by then is not read.
pub(crate) fn leaves_the_others_behind(plan: Plan) -> Result<Report, Error> {
    blocks_the_loop(plan)
}
