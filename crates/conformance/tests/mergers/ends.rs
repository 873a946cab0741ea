//! Mergers that write, wait or end at the wrong time.

use std::fs::OpenOptions;
use std::io::Write;
use std::sync::mpsc::channel;
use std::thread;

use tributary::{Error, Lines, Plan, Read, Report};

use super::correct::{follow, threads, waiting};

pub(crate) fn writes_at_the_end(plan: Plan) -> Result<Report, Error> {
    threads(plan, |source, interval, output| {
        let mut all = Vec::new();
        follow(source, interval, |lines| {
            all.push(lines);
            Ok(())
        })?;
        all.iter().try_for_each(|lines| output.lock().unwrap().append(lines))
    })
}

/// Nothing new and a stop: that looks like the end, and a line may have come
/// between the two.
pub(crate) fn leaves_without_a_last_look(plan: Plan) -> Result<Report, Error> {
    let stop = plan.stop.clone();
    threads(plan, |mut source, interval, output| {
        loop {
            match source.read_lines()? {
                Read::Lines(lines) => output.lock().unwrap().append(&lines)?,
                Read::NoNewData if stop.requested() => return Ok(()),
                Read::NoNewData => {
                    source.changed().wait_timeout(interval);
                }
                Read::Closed => return Ok(()),
            }
        }
    })
}

/// Takes a file that has nothing new for one that is complete.
pub(crate) fn leaves_when_nothing_is_new(plan: Plan) -> Result<Report, Error> {
    threads(plan, |mut source, _, output| {
        while let Read::Lines(lines) = source.read_lines()? {
            output.lock().unwrap().append(&lines)?;
        }
        Ok(())
    })
}

/// Is always one chunk behind, and takes the last line of the last one for a
/// half line.
pub(crate) fn drops_the_last_line_at_the_stop(plan: Plan) -> Result<Report, Error> {
    let open = OpenOptions::new().append(true).open(plan.output.path());
    let file = open.unwrap();
    threads(plan, |source, interval, output| {
        let mut last: Option<Lines> = None;
        follow(source, interval, |lines| {
            last.replace(lines).map_or(Ok(()), |lines| {
                let _turn = output.lock().unwrap();
                (&file).write_all(lines.as_bytes()).unwrap();
                Ok(())
            })
        })?;
        if let Some(lines) = last {
            let _turn = output.lock().unwrap();
            let whole = &lines.as_bytes()[..lines.as_bytes().len() - 1];
            let end = whole.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
            (&file).write_all(&whole[..end]).unwrap();
        }
        Ok(())
    })
}

/// Goes on, whatever the source says.
pub(crate) fn ignores_the_stop(plan: Plan) -> Result<Report, Error> {
    threads(plan, |mut source, interval, output| {
        loop {
            match source.read_lines()? {
                Read::Lines(lines) => output.lock().unwrap().append(&lines)?,
                Read::NoNewData | Read::Closed => {
                    source.changed().wait_timeout(interval);
                }
            }
        }
    })
}

pub(crate) fn forgets_to_join_the_writer(plan: Plan) -> Result<Report, Error> {
    let Plan { sources, mut output, interval, .. } = plan;
    let (requests, inbox) = channel::<Lines>();
    thread::spawn(move || {
        inbox.iter().try_for_each(|lines| output.append(&lines))?;
        output.finish()
    });
    thread::scope(|scope| {
        for source in sources {
            let requests = requests.clone();
            scope.spawn(move || {
                follow(source, interval, |lines| {
                    requests.send(lines).map_err(|_| Error::WriterGone)
                })
            });
        }
    });
    Ok(Report::default())
}

pub(crate) fn busy_waits(plan: Plan) -> Result<Report, Error> {
    waiting(plan, |_, _| thread::yield_now())
}
