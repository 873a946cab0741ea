//! A wrong turn: the stop is asked for after the read.

use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use tributary::{Error, Output, Plan, Read, Report, Source, Stop};

pub(crate) fn merge(plan: Plan) -> Result<Report, Error> {
    let Plan { sources, output, stop, interval, .. } = plan;
    let output = Mutex::new(output);
    thread::scope(|scope| {
        let start = |source| scope.spawn(|| tail(source, &output, &stop, interval));
        let tails: Vec<_> = sources.into_iter().map(start).collect();
        tails.into_iter().try_for_each(|tail| tail.join().unwrap())
    })?;
    Ok(Report::new(output.into_inner().unwrap().finish()?, None))
}

fn tail(
    mut source: Source,
    output: &Mutex<Output>,
    stop: &Stop,
    interval: Duration,
) -> Result<(), Error> {
    loop {
        match source.read_lines()? {
            Read::Lines(lines) => output.lock().unwrap().append(&lines)?,
            Read::NoNewData => {
                source.changed().wait_timeout(interval);
            }
            Read::Closed => return Ok(()),
        }
        if stop.requested() {
            return Ok(());
        }
    }
}
