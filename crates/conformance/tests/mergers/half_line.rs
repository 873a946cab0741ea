//! A wrong turn: half a line is passed on, since it is at the end of the file.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use tributary::{Error, Plan, Read, Report, Source};

pub(crate) fn merge(plan: Plan) -> Result<Report, Error> {
    let Plan { sources, output, interval, .. } = plan;
    let output = OpenOptions::new().append(true).open(output.path()).unwrap();
    let output = Mutex::new(output);
    thread::scope(|scope| {
        let start = |source| scope.spawn(|| tail(source, &output, interval));
        let tails: Vec<_> = sources.into_iter().map(start).collect();
        tails.into_iter().try_for_each(|tail| tail.join().unwrap())
    })?;
    Ok(Report::default())
}

/// Reads the file by itself; the source says when to look, and when it was the last
/// time.
fn tail(mut source: Source, output: &Mutex<File>, interval: Duration) -> Result<(), Error> {
    let mut log = BufReader::new(File::open(source.path()).unwrap());
    let mut line = Vec::new();
    loop {
        let read = source.read_lines()?;
        while log.read_until(b'\n', &mut line).unwrap() > 0 {
            output.lock().unwrap().write_all(&line).unwrap();
            line.clear();
        }
        match read {
            Read::Lines(_) => {}
            Read::NoNewData => {
                source.changed().wait_timeout(interval);
            }
            Read::Closed => return Ok(()),
        }
    }
}
