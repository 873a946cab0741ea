//! Mergers that write what they should not, or do not write what they should.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::mem;
use std::sync::mpsc::channel;
use std::sync::{Barrier, Mutex};

use tributary::{Error, Lines, Plan, Report};

use super::correct::{follow, threads};

/// The output as a file of one's own, for what `Output` does not let happen.
fn raw(plan: &Plan) -> Mutex<File> {
    Mutex::new(OpenOptions::new().append(true).open(plan.output.path()).unwrap())
}

/// Writes what `bytes` makes of each chunk.
fn writes(plan: Plan, bytes: impl Fn(&Lines) -> Vec<u8> + Sync) -> Result<Report, Error> {
    let file = raw(&plan);
    threads(plan, |source, interval, _| {
        follow(source, interval, |lines| {
            file.lock().unwrap().write_all(&bytes(&lines)).unwrap();
            Ok(())
        })
    })
}

pub(crate) fn loses_a_chunk(plan: Plan) -> Result<Report, Error> {
    threads(plan, |source, interval, output| {
        let mut chunks = 0;
        follow(source, interval, |lines| {
            chunks += 1;
            if chunks == 2 { Ok(()) } else { output.lock().unwrap().append(&lines) }
        })
    })
}

pub(crate) fn doubles_a_chunk(plan: Plan) -> Result<Report, Error> {
    threads(plan, |source, interval, output| {
        let mut chunks = 0;
        follow(source, interval, |lines| {
            chunks += 1;
            if chunks == 2 {
                output.lock().unwrap().append(&lines)?;
            }
            output.lock().unwrap().append(&lines)
        })
    })
}

pub(crate) fn swaps_two_chunks(plan: Plan) -> Result<Report, Error> {
    threads(plan, |source, interval, output| {
        let (mut chunks, mut first) = (0, None);
        follow(source, interval, |lines| {
            chunks += 1;
            if chunks == 1 {
                first = Some(lines);
                return Ok(());
            }
            output.lock().unwrap().append(&lines)?;
            first.take().map_or(Ok(()), |first| output.lock().unwrap().append(&first))
        })
    })
}

/// Keeps the last bytes of each chunk, and writes them behind the next one,
/// whose source may be another.
pub(crate) fn tears_a_line(plan: Plan) -> Result<Report, Error> {
    let (file, kept) = (raw(&plan), Mutex::new(Vec::new()));
    let report = writes(plan, |lines| {
        let (now, later) = lines.as_bytes().split_at(lines.as_bytes().len() - 10);
        let before = mem::replace(&mut *kept.lock().unwrap(), later.to_vec());
        [now, &before].concat()
    });
    file.lock().unwrap().write_all(&kept.into_inner().unwrap()).unwrap();
    report
}

pub(crate) fn adds_a_blank_line(plan: Plan) -> Result<Report, Error> {
    writes(plan, |lines| [lines.as_bytes(), b"\n"].concat())
}

pub(crate) fn replaces_what_is_not_utf8(plan: Plan) -> Result<Report, Error> {
    writes(plan, |lines| String::from_utf8_lossy(lines.as_bytes()).into_owned().into())
}

pub(crate) fn forgets_the_last_newline(plan: Plan) -> Result<Report, Error> {
    writes(plan, |lines| {
        let log = fs::read(lines.path()).unwrap();
        let last = lines.end() == log.len() as u64 && !log.ends_with(b"\n");
        lines.as_bytes()[..lines.as_bytes().len() - usize::from(last)].to_vec()
    })
}

pub(crate) fn drops_a_line_that_is_too_long(plan: Plan) -> Result<Report, Error> {
    writes(plan, |lines| {
        let lines = lines.as_bytes().split_inclusive(|&byte| byte == b'\n');
        lines.filter(|line| line.len() < 1024 * 1024).collect::<Vec<_>>().concat()
    })
}

/// Wants to know all its sources before it begins.
pub(crate) fn waits_for_a_line_of_each_source(plan: Plan) -> Result<Report, Error> {
    let all = Barrier::new(plan.sources.len());
    threads(plan, |source, interval, output| {
        let mut first = true;
        follow(source, interval, |lines| {
            if mem::take(&mut first) {
                all.wait();
            }
            output.lock().unwrap().append(&lines)
        })
    })
}

/// Returns a report as soon as there is something to report on.
pub(crate) fn waits_for_its_first_line(plan: Plan) -> Result<Report, Error> {
    let (began, begin) = channel();
    let report = threads(plan, |source, interval, output| {
        follow(source, interval, |lines| {
            began.send(()).unwrap();
            output.lock().unwrap().append(&lines)
        })
    });
    begin.recv().unwrap();
    drop(began);
    report
}
