//! A wrong turn: a `BufWriter` of tokio is dropped, and was not flushed.

use std::rc::Rc;
use std::time::Duration;

use tokio::fs::{File, OpenOptions};
use tokio::io::{AsyncWriteExt, BufWriter};
use tokio::sync::Mutex;
use tokio::task::spawn_local;
use tokio::time::timeout;
use tributary::{Error, Plan, Read, Report, Source};

pub(crate) fn merge(plan: Plan) -> Result<Report, Error> {
    tokio_loop::run(1, None, merge_async(plan)).map_err(Error::Runtime)?.answer
}

async fn merge_async(plan: Plan) -> Result<Report, Error> {
    let file = OpenOptions::new().append(true).open(plan.output.path()).await.unwrap();
    let output = Rc::new(Mutex::new(BufWriter::new(file)));
    let mut tails = Vec::new();
    for source in plan.sources {
        tails.push(spawn_local(tail(source, Rc::clone(&output), plan.interval)));
    }
    for tail in tails {
        tail.await.unwrap()?;
    }
    Ok(Report::default())
}

async fn tail(
    mut source: Source,
    output: Rc<Mutex<BufWriter<File>>>,
    interval: Duration,
) -> Result<(), Error> {
    loop {
        match source.read_lines()? {
            Read::Lines(lines) => output.lock().await.write_all(lines.as_bytes()).await.unwrap(),
            Read::NoNewData => {
                let _ = timeout(interval, source.changed()).await;
            }
            Read::Closed => return Ok(()),
        }
    }
}
