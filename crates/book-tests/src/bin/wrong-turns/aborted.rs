//! A wrong turn: a task is aborted, and its handle is unwrapped as if it had ended.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use tokio::task::{AbortHandle, spawn_local};
use tokio::time::timeout;
use tributary::{Error, Output, Plan, Read, Report, Source};

pub(crate) fn merge(plan: Plan) -> Result<Report, Error> {
    tokio_loop::run(1, None, merge_async(plan)).map_err(Error::Runtime)?.answer
}

async fn merge_async(plan: Plan) -> Result<Report, Error> {
    let output = Rc::new(RefCell::new(plan.output));
    let all = Rc::new(RefCell::new(Vec::new()));
    let mut tails = Vec::new();
    for source in plan.sources {
        let (output, others) = (Rc::clone(&output), Rc::clone(&all));
        let tail = spawn_local(async move {
            let ended = tail(source, output, plan.interval).await;
            if ended.is_err() {
                // One has failed: the others need not go on.
                others.borrow().iter().for_each(AbortHandle::abort);
            }
            ended
        });
        all.borrow_mut().push(tail.abort_handle());
        tails.push(tail);
    }
    for tail in tails {
        tail.await.unwrap()?;
    }
    Ok(Report::new(output.borrow_mut().finish()?, None))
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
