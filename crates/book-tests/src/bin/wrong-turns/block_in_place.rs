//! A wrong turn: `block_in_place` on a loop of one thread.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::task::block_in_place;
use tokio::time::timeout;
use tributary::{Error, Output, Plan, Read, Report, Source};

pub(crate) fn merge(plan: Plan) -> Result<Report, Error> {
    let runtime = Builder::new_current_thread().enable_time().build();
    runtime.map_err(Error::Runtime)?.block_on(merge_async(plan))
}

async fn merge_async(plan: Plan) -> Result<Report, Error> {
    let output = Arc::new(Mutex::new(plan.output));
    let mut tails = Vec::new();
    for source in plan.sources {
        tails.push(tokio::spawn(tail(source, Arc::clone(&output), plan.interval)));
    }
    for tail in tails {
        tail.await.unwrap()?;
    }
    let written = output.lock().unwrap().finish();
    Ok(Report::new(written?, None))
}

async fn tail(
    mut source: Source,
    output: Arc<Mutex<Output>>,
    interval: Duration,
) -> Result<(), Error> {
    loop {
        // It may wait for a disk, and the other tasks shall go on meanwhile.
        match block_in_place(|| source.read_lines())? {
            Read::Lines(lines) => block_in_place(|| output.lock().unwrap().append(&lines))?,
            Read::NoNewData => {
                let _ = timeout(interval, source.changed()).await;
            }
            Read::Closed => return Ok(()),
        }
    }
}
