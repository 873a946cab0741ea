//! A wrong turn: a channel without a bound, and threads that fill it.

use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Duration;

use tributary::{Error, Lines, Plan, Read, Report, Source};

pub(crate) fn merge(plan: Plan) -> Result<Report, Error> {
    let Plan { sources, mut output, interval, .. } = plan;
    let (requests, inbox) = channel();
    let writer = thread::spawn(move || {
        inbox.iter().try_for_each(|lines| output.append(&lines))?;
        output.finish()
    });
    thread::scope(|scope| {
        let start = |source| scope.spawn(|| tail(source, requests.clone(), interval));
        let tails: Vec<_> = sources.into_iter().map(start).collect();
        tails.into_iter().try_for_each(|tail| tail.join().unwrap())
    })?;
    drop(requests);
    Ok(Report::new(writer.join().unwrap()?, None))
}

fn tail(mut source: Source, requests: Sender<Lines>, interval: Duration) -> Result<(), Error> {
    loop {
        match source.read_lines()? {
            Read::Lines(lines) => requests.send(lines).map_err(|_| Error::WriterGone)?,
            Read::NoNewData => {
                source.changed().wait_timeout(interval);
            }
            Read::Closed => return Ok(()),
        }
    }
}
