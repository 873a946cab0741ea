//! A wrong turn: between two looks sleeps what no stop wakes.

use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use tributary::{Error, Output, Plan, Read, Report, Source};

pub(crate) fn merge(plan: Plan) -> Result<Report, Error> {
    let Plan { sources, output, interval, .. } = plan;
    let output = Mutex::new(output);
    thread::scope(|scope| {
        let start = |source| scope.spawn(|| tail(source, &output, interval));
        let tails: Vec<_> = sources.into_iter().map(start).collect();
        tails.into_iter().try_for_each(|tail| tail.join().unwrap())
    })?;
    Ok(Report::new(output.into_inner().unwrap().finish()?, None))
}

fn tail(mut source: Source, output: &Mutex<Output>, interval: Duration) -> Result<(), Error> {
    loop {
        match source.read_lines()? {
            Read::Lines(lines) => output.lock().unwrap().append(&lines)?,
            Read::NoNewData => thread::sleep(interval),
            Read::Closed => return Ok(()),
        }
    }
}
