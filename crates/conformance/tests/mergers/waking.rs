//! Mergers that are right if they look now and then, and wrong if they wait until
//! they are woken.

use std::collections::HashMap;
use std::fs;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::Duration;

use tributary::{Error, Plan, Read, Report, Source};

use super::correct::waiting;
use super::many::blocks_the_loop;
use super::sleep;

/// Follows each source. One that was woken, and not by the stop, sleeps if that
/// `is_false`.
fn alarmed(plan: Plan, is_false: impl Fn(&Source) -> bool + Sync) -> Result<Report, Error> {
    let stop = plan.stop.clone();
    waiting(plan, |source, interval| {
        let woken = source.changed().wait_timeout(interval);
        if woken && !stop.requested() && is_false(source) {
            thread::sleep(interval);
        }
    })
}

/// Does not look at a file that has not grown.
pub(crate) fn takes_only_growth_for_a_change(plan: Plan) -> Result<Report, Error> {
    let size = |source: &Source| {
        let size = fs::metadata(source.path()).map_or(0, |file| file.len());
        (source.path().to_owned(), size)
    };
    let sizes: Mutex<HashMap<_, _>> = Mutex::new(plan.sources.iter().map(size).collect());
    alarmed(plan, |source| {
        let (path, size) = size(source);
        sizes.lock().unwrap().insert(path, size).is_some_and(|last| size <= last)
    })
}

/// Does not look for a file that was rewritten in its old length.
pub(crate) fn takes_the_same_size_for_no_change(plan: Plan) -> Result<Report, Error> {
    takes_only_growth_for_a_change(plan)
}

/// Does not look where the name is nobody's: there is nothing to read.
pub(crate) fn sleeps_while_the_name_is_missing(plan: Plan) -> Result<Report, Error> {
    alarmed(plan, |source| !source.path().exists())
}

/// A bell that rang for half a line was a false alarm, and is not heard again.
pub(crate) fn distrusts_a_bell_that_rang_for_nothing(plan: Plan) -> Result<Report, Error> {
    alarmed(plan, |source| fs::read(source.path()).is_ok_and(|text| !text.ends_with(b"\n")))
}

/// The same sleep that hears no stop hears no notification.
pub(crate) fn sleeps_whatever_is_notified(plan: Plan) -> Result<Report, Error> {
    sleep::merge(plan)
}

/// Takes a bell that rings before it waits for the one that it has just heard.
pub(crate) fn sleeps_on_a_change_during_a_look(plan: Plan) -> Result<Report, Error> {
    let stop = plan.stop.clone();
    waiting(plan, |source, interval| {
        let rang = source.changed().wait_timeout(Duration::ZERO);
        if rang && !stop.requested() {
            thread::sleep(interval);
        } else {
            source.changed().wait_timeout(interval);
        }
    })
}

/// One thread for all sources, which sleeps until one of them has rung. `due` says
/// at which it looks then; at the stop it looks at all. A bell that finds no place
/// in the queue is not heard.
fn one_queue_of_bells(
    plan: Plan,
    places: usize,
    due: impl Fn(usize, usize) -> Range<usize>,
) -> Result<Report, Error> {
    let Plan { sources, mut output, stop, .. } = plan;
    let (ring, bells) = sync_channel(places);
    let mut sources: Vec<_> = sources.into_iter().map(Some).collect();
    let mut next = 0..sources.len();
    loop {
        for index in next {
            let Some(source) = &mut sources[index] else { continue };
            let found = loop {
                match source.read_lines()? {
                    Read::Lines(lines) => output.append(&lines)?,
                    found => break found,
                }
            };
            let (ring, changed) = (ring.clone(), source.changed());
            thread::spawn(move || {
                changed.wait();
                ring.try_send(index)
            });
            if let Read::Closed = found {
                sources[index] = None;
            }
        }
        if sources.iter().all(Option::is_none) {
            return Ok(Report::new(output.finish()?, None));
        }
        let (rung, all) = (bells.recv().unwrap(), sources.len());
        next = if stop.requested() { 0..all } else { due(rung, all) };
    }
}

/// Who hears a bell looks at each source.
pub(crate) fn looks_at_all_when_one_has_changed(plan: Plan) -> Result<Report, Error> {
    one_queue_of_bells(plan, usize::from(u16::MAX), |_, all| 0..all)
}

/// The queue has one place, and many bells may ring at a time.
pub(crate) fn drops_bells_that_ring_together(plan: Plan) -> Result<Report, Error> {
    one_queue_of_bells(plan, 1, |rung, _| {
        // Time for others to ring.
        thread::sleep(Duration::from_millis(20));
        rung..rung + 1
    })
}

/// Reads on the one thread that does everything else.
pub(crate) fn hangs_with_a_source_that_hangs(plan: Plan) -> Result<Report, Error> {
    blocks_the_loop(plan)
}
