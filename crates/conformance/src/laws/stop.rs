//! When a line comes through, and when a run ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use checker::check_tagged;
use tributary::{MergeFn, Moment};

use crate::broken::{Broken, Verdict, require};
use crate::fifo::{Fifo, PAGE};
use crate::run::{HOUR, SOON, Watched};
use crate::scene::{Log, Scene};

/// How long a merger is given to break the law. A merger that keeps the law has nothing
/// to do meanwhile, so the time hurries nobody.
const WHILE: Duration = Duration::from_millis(200);

/// What is written during the run is in the output before the stop.
///
/// Two sources that were found empty get a line each; no stop is requested
/// before both lines are in the output.
pub fn what_is_written_during_the_run_appears_before_the_stop(merge: MergeFn) -> Verdict {
    let scene = Scene::new();
    let logs = scene.logs(2);
    let run = scene.following(&logs, SOON).run(merge);
    run.until_empty(&logs)?;
    for log in &logs {
        log.append(1..=1).expect("a log can be written");
    }
    let expected: usize = logs.iter().map(|log| log.lines(1..=1).len()).sum();
    run.until_merged("line 1 of source 0 and of source 1", expected as u64)?;
    run.stopped()?;
    scene.require_right(&logs)
}

/// What was written before the stop is merged, also behind a look that found nothing.
///
/// The lines are written, and the stop is requested, between a look that has
/// found nothing and its answer; more than a chunk of them.
pub fn what_was_written_before_the_stop_is_merged(merge: MergeFn) -> Verdict {
    written_and_stopped_at(Moment::FoundNothing, merge)
}

/// What was written before the stop is merged, also if both came as a look began.
///
/// The lines are written, and the stop is requested, between a source's asking
/// for the stop and its look; more than a chunk of them.
pub fn what_was_written_as_a_look_began_is_merged(merge: MergeFn) -> Verdict {
    written_and_stopped_at(Moment::BeforeLook, merge)
}

fn written_and_stopped_at(moment: Moment, merge: MergeFn) -> Verdict {
    let scene = Scene::new();
    let logs = scene.logs(3);
    for log in &logs {
        log.append(1..=10).expect("a log can be written");
    }
    let written = logs.clone();
    let run = scene.following(&logs, HOUR).during(move |look| {
        if look.moment == moment && look.path == written[0].path && look.count == 1 {
            for log in &written {
                log.append(11..=10_000)?;
            }
            look.stop.request();
        }
        Ok(())
    });
    run.run(merge).report()?;
    scene.require_right(&logs)
}

/// A stop ends the run at once, not after an interval.
///
/// The interval is an hour. The stop comes once when all sources were found empty, and
/// once just before the last of them hears so: it is about to wait, and the others
/// wait.
pub fn a_stop_ends_the_run_at_once(merge: MergeFn) -> Verdict {
    let scene = Scene::new();
    let logs = scene.logs(3);
    let run = scene.following(&logs, HOUR).run(merge);
    run.until_empty(&logs)?;
    run.stopped()?;

    let found = AtomicU64::new(0);
    let run = scene.following(&logs, HOUR).during(move |look| {
        if look.moment == Moment::FoundNothing && found.fetch_add(1, Ordering::SeqCst) == 2 {
            look.stop.request();
        }
        Ok(())
    });
    run.run(merge).report()?;
    Ok(())
}

/// A stop ends the run also if there is something new at every look.
///
/// A line is written at each look, also after the stop. What was written
/// before the stop is merged, and what is merged is a beginning of the source.
pub fn a_stop_ends_the_run_although_the_writers_never_pause(merge: MergeFn) -> Verdict {
    const LOOKS: u64 = 100;
    let scene = Scene::new();
    let logs = scene.logs(4);
    let before: Arc<Vec<AtomicU64>> = Arc::new(logs.iter().map(|_| AtomicU64::new(0)).collect());
    let run = scene.following(&logs, SOON).during({
        let (logs, before) = (logs.clone(), Arc::clone(&before));
        move |look| {
            let Some(log) = logs.iter().find(|log| look.begins(log)) else { return Ok(()) };
            log.append(look.count..=look.count)?;
            if !look.stop.requested() {
                before[log.index].store(look.count, Ordering::SeqCst);
            }
            if log.index == 0 && look.count == LOOKS {
                look.stop.request();
            }
            Ok(())
        }
    });
    let report = run.run(merge).report()?;
    for (log, source) in logs.iter().zip(&report.sources) {
        let before = before[log.index].load(Ordering::SeqCst);
        require(source.lines >= before, || {
            format!(
                "source {}: {before} lines were written before the stop, {} were merged",
                log.index, source.lines
            )
        })?;
    }
    let beginnings: Vec<Log> = logs
        .iter()
        .zip(&report.sources)
        .map(|(log, source)| scene.expected(log, &log.lines(1..=source.lines)))
        .collect();
    let verdict = check_tagged(&beginnings, &scene.output).expect("the output can be checked");
    require(verdict.is_right(), || verdict.to_string())
}

/// The run ends when its last byte is written, and not before.
///
/// The output is a FIFO that nobody reads. When it is full, the merge is given
/// time to end, and must not.
pub fn the_run_ends_only_when_everything_is_written(merge: MergeFn) -> Verdict {
    let scene = Scene::new();
    let logs = scene.logs(2);
    for log in &logs {
        for number in 1..=128 {
            let line = log.long_line(number, PAGE - 17);
            log.append_bytes(&[line, b"\n".to_vec()].concat()).expect("a log can be written");
        }
    }
    let fifo = Fifo::new(scene.path("fifo"));
    let run = scene.merging(&logs).into(&fifo.path).run(merge);
    fifo.until_full(&run)?;
    if run.within(WHILE, |merge| merge.has_ended()) {
        run.report()?;
        return Err(Broken::new(
            "the merge has ended while its output was full and most of the lines were not written",
        ));
    }
    let reading = fifo.read_into(&scene.output);
    run.report()?;
    reading.end()?;
    scene.require_right(&logs)
}

/// A source is not looked at while it waits.
///
/// The interval is an hour. When all sources have been read and found empty,
/// the merge is given time for one more look, and must not take it.
pub fn waiting_costs_nothing(merge: MergeFn) -> Verdict {
    let scene = Scene::new();
    let logs = scene.logs(4);
    for log in &logs[..2] {
        log.append(1..=100).expect("a log can be written");
    }
    let run = scene.following(&logs, HOUR).run(merge);
    run.until_empty(&logs)?;
    let before = run.see(Watched::looks);
    run.within(WHILE, |merge| merge.looks() > before || merge.has_ended());
    let after = run.see(Watched::looks);
    require(after == before, || {
        format!(
            "nothing was written and no stop requested: expected no look after the {before} that \
             found it all, found {after}"
        )
    })?;
    run.stopped()?;
    scene.require_right(&logs)
}
