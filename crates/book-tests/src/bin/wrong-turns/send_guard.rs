//! A wrong turn: `send_guard` of parking_lot has the compiler take a guard that is held
//! over an `.await`.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::runtime::Builder;
use tokio::task::yield_now;
use tokio::time::timeout;
use tributary::{Error, Lines, Output, Plan, Read, Report, Source};

pub(crate) fn merge(plan: Plan) -> Result<Report, Error> {
    // With four workers it takes five tasks that want the lock at the same time.
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_time().build();
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
    let written = output.lock().finish();
    Ok(Report::new(written?, None))
}

async fn tail(
    mut source: Source,
    output: Arc<Mutex<Output>>,
    interval: Duration,
) -> Result<(), Error> {
    loop {
        match source.read_lines()? {
            Read::Lines(lines) => write(&output, lines).await?,
            Read::NoNewData => {
                let _ = timeout(interval, source.changed()).await;
            }
            Read::Closed => return Ok(()),
        }
    }
}

#[expect(clippy::await_holding_lock, reason = "it is the mistake to be shown")]
async fn write(output: &Mutex<Output>, lines: Lines) -> Result<(), Error> {
    let mut output = output.lock();
    output.append(&lines)?;
    // A chunk was written: now it is the turn of others.
    yield_now().await;
    Ok(())
}
