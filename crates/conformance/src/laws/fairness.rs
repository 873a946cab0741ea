//! Who holds up whom.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

use tributary::{MergeFn, Wake};

use crate::bound;
use crate::broken::{Broken, Verdict, require};
use crate::fifo::{Fifo, PAGE, size};
use crate::pen::Pen;
use crate::run::{SOON, both_ways};
use crate::scene::Scene;

/// A source that has something new at every look keeps no other from being read.
///
/// Eight sources get a line at every look. Two others, the first and the last,
/// get one when they were found empty, and have to be read to their end once
/// more before the stop.
pub fn no_source_is_starved(merge: MergeFn) -> Verdict {
    let scene = Scene::new();
    let logs = scene.logs(10);
    let quiet = [&logs[0], &logs[9]];
    let run = scene.following(&logs, SOON).during({
        let logs = logs.clone();
        move |look| {
            for busy in logs[1..9].iter().filter(|log| look.begins(log)) {
                if !look.stop.requested() {
                    busy.append(look.count..=look.count)?;
                }
            }
            for quiet in [&logs[0], &logs[9]] {
                if look.found_nothing(quiet) && look.count == 1 {
                    quiet.append(1..=1)?;
                }
            }
            Ok(())
        }
    });
    let run = run.run(merge);
    for log in quiet {
        let what = format!("line 1 of source {}, beside eight busy sources, was read", log.index);
        run.until(&what, |merge| merge.found_nothing(log) >= 2)?;
    }
    run.stopped()?;
    scene.require_right(&logs)
}

/// While the output blocks, a source that has given nothing is still looked at.
///
/// The output is a FIFO that nobody reads, and one source has more lines than
/// go into it. Once it is full, the other source has to be looked at three
/// times more: with an interval of a millisecond, within a tenth of the bound.
pub fn an_idle_source_is_looked_at_while_the_output_blocks(merge: MergeFn) -> Verdict {
    let scene = Scene::new();
    let logs = scene.logs(2);
    for number in 1..=512 {
        let line = logs[0].long_line(number, PAGE - 17);
        logs[0].append_bytes(&[line, b"\n".to_vec()].concat()).expect("a log can be written");
    }
    let fifo = Fifo::new(scene.path("fifo"));
    let run = scene.following(&logs, SOON).into(&fifo.path).run(merge);
    fifo.until_full(&run)?;
    // A look that has begun already may still come to its end: one of three.
    let mut before = None;
    let mut looks = 0;
    let enough = run.within(bound::bound() / 10, |merge| {
        looks = merge.looks_at(&logs[1]) - *before.get_or_insert(merge.looks_at(&logs[1]));
        looks >= 3 || merge.has_ended()
    });
    if !enough {
        return Err(Broken::new(format!(
            "source 1 was not looked at while the output blocked: expected 3 looks, a millisecond \
             apart, found {looks} in {:?}",
            bound::bound() / 10
        )));
    }
    let reading = fifo.read_into(&scene.output);
    run.stopped()?;
    reading.end()?;
    scene.require_right(&logs)
}

/// A source whose file does not answer delays no other.
///
/// Whoever waits for a file of the first source hangs until two others have
/// got five lines each, one after the other. The first source is rotated, so
/// also a look that never waits has to have its file opened.
pub fn a_source_that_hangs_delays_no_other(merge: MergeFn) -> Verdict {
    both_ways(|wake| one_hangs(merge, wake))
}

fn one_hangs(merge: MergeFn, wake: Wake) -> Verdict {
    let scene = Scene::new();
    let logs = scene.logs(3);
    let mut pen = Pen::new(&logs[0]);
    let hung = Arc::new(AtomicBool::new(false));
    // The file answers when this sender is dropped.
    let (answers, hang) = channel::<()>();
    let run = scene.following(&logs, SOON).woken(wake).during({
        let (log, hung, hang) = (logs[0].clone(), Arc::clone(&hung), Mutex::new(hang));
        move |look| {
            if look.may_block(&log) {
                hung.store(true, Ordering::SeqCst);
                let _ = hang.lock().expect("nobody panics here").recv();
            }
            Ok(())
        }
    });
    let run = run.run(merge);
    pen.rotate().and_then(|()| pen.write(10)).expect("a log can be written");
    run.until("the file of source 0 is waited for", |_| hung.load(Ordering::SeqCst))?;
    let mut bytes = 0;
    for number in 1..=5 {
        for log in &logs[1..] {
            log.append(number..=number).expect("a log can be written");
            bytes += log.lines(number..=number).len() as u64;
            let while_it_hangs = bound::bound() / 10;
            require(run.within(while_it_hangs, |_| size(&scene.output) >= bytes), || {
                format!(
                    "line {number} of source {} did not come out beside a source that hangs, in \
                     {while_it_hangs:?}",
                    log.index
                )
            })?;
        }
    }
    drop(answers);
    run.stopped()?;
    scene.require_right(&[pen.expected(&scene), logs[1].clone(), logs[2].clone()])
}
