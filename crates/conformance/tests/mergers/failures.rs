//! Mergers that do not say what went wrong, or say what did not happen.

use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::thread;

use tributary::{Error, Plan, Read, Report};

use super::correct::{follow, one_thread_a_source, threads};

pub(crate) fn loses_the_error_of_a_source(plan: Plan) -> Result<Report, Error> {
    threads(plan, |source, interval, output| {
        let _ = follow(source, interval, |lines| output.lock().unwrap().append(&lines));
        Ok(())
    })
}

/// Keeps a source that has failed, so that it cannot request the stop of the
/// others, and waits for them to close by themselves.
pub(crate) fn goes_on_without_a_source_that_failed(plan: Plan) -> Result<Report, Error> {
    threads(plan, |mut source, interval, output| {
        loop {
            match source.read_lines() {
                Ok(Read::Lines(lines)) => output.lock().unwrap().append(&lines)?,
                Ok(Read::NoNewData) => {
                    source.changed().wait_timeout(interval);
                }
                Ok(Read::Closed) => return Ok(()),
                Err(_) => thread::sleep(interval),
            }
        }
    })
}

pub(crate) fn swallows_the_error_of_the_output(plan: Plan) -> Result<Report, Error> {
    let Plan { sources, output, interval, .. } = plan;
    let output = Mutex::new(output);
    thread::scope(|scope| {
        for source in sources {
            scope.spawn(|| {
                follow(source, interval, |lines| {
                    let _ = output.lock().unwrap().append(&lines);
                    Ok(())
                })
            });
        }
    });
    let written = output.into_inner().unwrap().finish();
    Ok(written.map_or_else(|_| Report::default(), |written| Report::new(written, None)))
}

/// A closed pipe is no error to many programs; to those who sent lines it is.
pub(crate) fn takes_a_broken_pipe_for_the_end(plan: Plan) -> Result<Report, Error> {
    match one_thread_a_source(plan) {
        Err(Error::Write { cause, .. }) if cause.kind() == ErrorKind::BrokenPipe => {
            Ok(Report::default())
        }
        ended => ended,
    }
}

pub(crate) fn swallows_a_panic(plan: Plan) -> Result<Report, Error> {
    catch_unwind(AssertUnwindSafe(|| one_thread_a_source(plan)))
        .unwrap_or_else(|_| Ok(Report::default()))
}

/// A panic comes out, and it is not the one that says what happened.
pub(crate) fn panics_with_the_consequence(plan: Plan) -> Result<Report, Error> {
    let ended = catch_unwind(AssertUnwindSafe(|| one_thread_a_source(plan)));
    ended.unwrap_or_else(|_| panic!("a thread has panicked"))
}

/// Takes chunks for lines.
pub(crate) fn miscounts(plan: Plan) -> Result<Report, Error> {
    let chunks = Mutex::new(0);
    let mut report = threads(plan, |source, interval, output| {
        follow(source, interval, |lines| {
            *chunks.lock().unwrap() += 1;
            output.lock().unwrap().append(&lines)
        })
    })?;
    report.lines = chunks.into_inner().unwrap();
    Ok(report)
}
