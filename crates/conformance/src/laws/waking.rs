//! Who is woken by what, where the operating system tells what happens.

use std::fs;
use std::process::Command;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tributary::{MergeFn, Moment, Wake};

use crate::alone::alone;
use crate::broken::{Verdict, require};
use crate::pen::{Pen, Step, lock};
use crate::run::HOUR;
use crate::scene::{Log, Scene};

/// A source that waits is woken by what happens to its file, not by an interval.
///
/// The interval is an hour, and each step is waited for: a write, a rotation,
/// a late write, a deletion, a truncation, a link among its folders that leads elsewhere.
/// That link is changed more than once, since the sweep would make up for one time.
pub fn a_source_that_waits_is_woken_by_a_change(merge: MergeFn) -> Verdict {
    const STEPS: &[(&str, Step)] = &[
        ("a line that was written", |pen| pen.write(1)),
        ("a line of a new file", |pen| {
            pen.rotate()?;
            pen.write(1)
        }),
        ("a line of the renamed file", |pen| pen.write_late(1)),
        ("another line of the new file", |pen| pen.write(1)),
        ("a line of a file in the place of a deleted one", |pen| {
            pen.remove()?;
            pen.create()?;
            pen.write(1)
        }),
        ("a line of a truncated file", |pen| {
            pen.truncate()?;
            pen.write(1)
        }),
        ("a line in another folder, to which a link leads then", |pen| {
            pen.lead_folder_to("there")?;
            pen.write(1)
        }),
        ("a line in a third folder", |pen| {
            pen.lead_folder_to("elsewhere")?;
            pen.write(1)
        }),
        ("a line in a fourth folder", |pen| {
            pen.lead_folder_to("far")?;
            pen.write(1)
        }),
    ];
    let scene = Scene::new();
    let mut logs = scene.logs(2);
    logs[0] = scene.in_its_own_folder(&logs[0]);
    let mut pen = Pen::new(&logs[0]);
    pen.lead_folder_to("here").expect("a folder can be a link");
    let run = scene.following(&logs, HOUR).letting_go_after(HOUR).woken(Wake::Notify).run(merge);
    run.until_empty(&logs)?;
    for (what, step) in STEPS {
        step(&mut pen).expect("a log can be written");
        run.until_merged(what, pen.bytes())?;
    }
    run.stopped()?;
    scene.require_right(&[pen.expected(&scene), logs[1].clone()])
}

/// What happens to one source causes no look at another.
///
/// Five lines are written to one of four sources, each when the last one is in the
/// output and no look comes any more. The others get at most two looks: from the sweep,
/// which makes up for lost notifications.
pub fn a_change_of_one_source_causes_no_look_at_another(merge: MergeFn) -> Verdict {
    const LINES: u64 = 5;
    const SWEEPS: u64 = 2;
    let scene = Scene::new();
    let logs = scene.logs(4);
    let run = scene.following(&logs, HOUR).woken(Wake::Notify).run(merge);
    run.until_empty(&logs)?;
    run.until_still()?;
    let looks = || run.see(|merge| logs.iter().map(|log| merge.looks_at(log)).collect::<Vec<_>>());
    let before = looks();
    for number in 1..=LINES {
        logs[0].append(number..=number).expect("a log can be written");
        let bytes = logs[0].lines(1..=number).len() as u64;
        run.until_merged(&format!("line {number} of source 0"), bytes)?;
        run.until_still()?;
    }
    for ((log, before), after) in logs.iter().zip(before).zip(looks()).skip(1) {
        require(after <= before + SWEEPS, || {
            format!(
                "{LINES} lines were written to source 0, one after the other: expected no look \
                 at source {}, found {}",
                log.index,
                after - before
            )
        })?;
    }
    run.stopped()?;
    scene.require_right(&logs)
}

/// A change that comes while a source is being looked at is not lost.
///
/// Each step comes when a look has found nothing, and that look does not answer before
/// the step is told. The sign that it was told is a look at a source at rest, which
/// changed right after; each step has such a source of its own. A merger with one
/// thread for all cannot give the sign, and is waited for a moment.
pub fn a_change_during_a_look_is_not_lost(merge: MergeFn) -> Verdict {
    const WHILE: Duration = Duration::from_millis(200);
    const STEPS: &[Step] = &[
        |pen| pen.write(10),
        |pen| pen.rename(),
        |pen| pen.write(10),
        |pen| pen.create(),
        |pen| pen.write(10),
        |pen| {
            pen.truncate()?;
            pen.write(1)
        },
    ];
    let scene = Scene::new();
    let logs = scene.logs(1 + STEPS.len());
    let pen = Arc::new(Mutex::new(Pen::new(&logs[0])));
    let run = scene.following(&logs, HOUR).woken(Wake::Notify).letting_go_after(HOUR).during({
        let (logs, pen) = (logs.clone(), Arc::clone(&pen));
        let moments: Vec<_> = logs.iter().map(|_| channel()).collect();
        let moments: Vec<_> =
            moments.into_iter().map(|(send, receive)| (send, Mutex::new(receive))).collect();
        move |look| {
            let step = look.count as usize;
            if let Some(log) = logs[1..].iter().find(|log| look.path == log.path) {
                // Nobody listens after the last step.
                let _ = moments[log.index].0.send(look.moment);
            } else if look.found_nothing(&logs[0]) && step > STEPS.len() {
                look.stop.request();
            } else if look.found_nothing(&logs[0]) {
                let sign = moments[step].1.lock().expect("nobody panics here");
                while sign.recv_timeout(WHILE).is_ok_and(|moment| moment != Moment::FoundNothing) {}
                STEPS[step - 1](&mut lock(&pen))?;
                logs[step].append(1..=1)?;
                let _ = sign.recv_timeout(WHILE);
            }
            Ok(())
        }
    });
    run.run(merge).report()?;
    scene.require_right(&[&[lock(&pen).expected(&scene)], &logs[1..]].concat())
}

/// When more happens at once than the system tells, every source is looked at.
///
/// The process is stopped until the kernel's queue is full, and then each of eight
/// sources gets a line. This is done twice, since the sweep would make up for one time.
pub fn an_overflow_of_notifications_loses_nothing(merge: MergeFn) -> Verdict {
    alone(|| {
        let scene = Scene::in_memory();
        let logs = scene.logs(8);
        let run = scene.following(&logs, HOUR).woken(Wake::Notify).run(merge);
        run.until_empty(&logs)?;
        for number in 1..=2 {
            run.until_still()?;
            overflow(&scene, &logs, number);
            let bytes: usize = logs.iter().map(|log| log.lines(1..=number).len()).sum();
            let what = format!("line {number} of each source, after an overflow,");
            run.until_merged(&what, bytes as u64)?;
        }
        run.stopped()?;
        scene.require_right(&logs)
    })
}

/// Makes more events than the kernel keeps, in the folder of the logs, and then
/// writes the line with this number to each. This process is stopped meanwhile.
fn overflow(scene: &Scene, logs: &[Log], number: u64) {
    const SCRIPT: &str = r#"
        kill -STOP $PPID
        event=$0 left=$1; shift
        while [ $left -gt 0 ]; do : > "$event$left"; left=$((left - 1)); done
        while [ $# -gt 1 ]; do echo "$2" >> "$1"; shift 2; done
        kill -CONT $PPID"#;
    let limit = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events");
    let limit = limit.expect("this law needs Linux's /proc");
    let event = scene.path(&format!("event-{number}-"));
    let mut shell = Command::new("sh");
    shell.args(["-c", SCRIPT]).arg(event).arg(limit.trim_end());
    for log in logs {
        let line = log.lines(number..=number);
        shell.arg(&log.path).arg(String::from_utf8_lossy(&line).trim_end());
    }
    let status = shell.status().expect("this law needs a shell");
    assert!(status.success(), "the shell of this law failed: {status}");
}
