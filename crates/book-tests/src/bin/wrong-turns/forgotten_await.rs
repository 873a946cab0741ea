//! A wrong turn: an `.await` is forgotten, and `let _` has the compiler say nothing.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use tokio::task::spawn_local;
use tokio::time::timeout;
use tributary::{Error, Lines, Output, Plan, Read, Report, Source};

pub(crate) fn merge(plan: Plan) -> Result<Report, Error> {
    tokio_loop::run(1, None, merge_async(plan)).map_err(Error::Runtime)?.answer
}

async fn merge_async(plan: Plan) -> Result<Report, Error> {
    let output = Rc::new(RefCell::new(plan.output));
    let mut tails = Vec::new();
    for source in plan.sources {
        tails.push(spawn_local(tail(source, Rc::clone(&output), plan.interval)));
    }
    for tail in tails {
        tail.await.unwrap()?;
    }
    Ok(Report::new(output.borrow_mut().finish()?, None))
}

#[expect(clippy::let_underscore_future, reason = "it is the mistake to be shown")]
async fn tail(
    mut source: Source,
    output: Rc<RefCell<Output>>,
    interval: Duration,
) -> Result<(), Error> {
    loop {
        match source.read_lines()? {
            Read::Lines(lines) => {
                let _ = write(&output, lines);
            }
            Read::NoNewData => {
                let _ = timeout(interval, source.changed()).await;
            }
            Read::Closed => return Ok(()),
        }
    }
}

async fn write(output: &RefCell<Output>, lines: Lines) -> Result<(), Error> {
    output.borrow_mut().append(&lines)
}
