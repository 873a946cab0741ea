//! A wrong turn: a `JoinSet` is emptied, and nobody looks at what comes out of it.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::timeout;
use tributary::{Error, Output, Plan, Read, Report, Source};

pub(crate) fn merge(plan: Plan) -> Result<Report, Error> {
    tokio_loop::run(1, None, merge_async(plan)).map_err(Error::Runtime)?.answer
}

async fn merge_async(plan: Plan) -> Result<Report, Error> {
    let output = Rc::new(RefCell::new(plan.output));
    let mut tails = JoinSet::new();
    for source in plan.sources {
        tails.spawn_local(tail(source, Rc::clone(&output), plan.interval));
    }
    while tails.join_next().await.is_some() {}
    let written = output.borrow_mut().finish();
    Ok(Report::new(written?, None))
}

async fn tail(
    mut source: Source,
    output: Rc<RefCell<Output>>,
    interval: Duration,
) -> Result<(), Error> {
    loop {
        match source.read_lines()? {
            Read::Lines(lines) => output.borrow_mut().append(&lines)?,
            Read::NoNewData => {
                let _ = timeout(interval, source.changed()).await;
            }
            Read::Closed => return Ok(()),
        }
    }
}
