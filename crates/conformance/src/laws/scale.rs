//! Many sources.

use std::fs;

use tributary::MergeFn;

use crate::alone::{alone, peak_memory};
use crate::broken::{Verdict, require};
use crate::fifo::{Fifo, size};
use crate::run::SOON;
use crate::scene::Scene;

/// Six hundred sources are all read from before the stop.
///
/// More than the 512 threads that tokio's pool has by default. Each source gets a
/// second line once its first was read.
pub fn six_hundred_sources_all_make_progress(merge: MergeFn) -> Verdict {
    let scene = Scene::new();
    let logs = scene.logs(600);
    for log in &logs {
        log.append(1..=1).expect("a log can be written");
    }
    let run = scene.following(&logs, 20 * SOON).during({
        let logs = logs.clone();
        move |look| {
            // The name of a source says its index; a search would be 600 long.
            let index = look.path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| {
                stem.rsplit('-').next().and_then(|index| index.parse::<usize>().ok())
            });
            let log = &logs[index.expect("a source is named by its index")];
            if look.found_nothing(log) && look.count == 1 {
                log.append(2..=2)?;
            }
            Ok(())
        }
    });
    let run = run.run(merge);
    let mut behind = Vec::new();
    let all = run.until("every source was read, and once more", |merge| {
        behind.retain(|log: &&_| merge.found_nothing(log) < 2);
        if behind.is_empty() {
            behind = logs.iter().filter(|log| merge.found_nothing(log) < 2).collect();
        }
        behind.is_empty()
    });
    if let (Err(_), Some(first)) = (&all, behind.first()) {
        let message = format!(
            "{} of 600 sources were not read before the stop, the first is source {}",
            behind.len(),
            first.index
        );
        return all.map_err(|broken| broken.and(&message));
    }
    all?;
    run.stopped()?;
    scene.require_right(&logs)
}

/// Two thousand sources and an output that blocks take less than 96 MiB.
///
/// 64 KiB each, 125 MiB in all: too much to be held at once. The output is a
/// FIFO that nobody reads before the merge stands still. Measured in a process
/// of its own, threads and stacks included.
pub fn two_thousand_sources_and_a_blocked_output_stay_under_96_mib(merge: MergeFn) -> Verdict {
    const MIB: u64 = 1024 * 1024;
    alone(|| {
        let scene = Scene::new();
        let logs = scene.logs(2_000);
        let mut bytes = 0;
        for log in &logs {
            let lines = log.lines(1..=1_000);
            bytes += lines.len() as u64;
            fs::write(&log.path, lines).expect("a log can be written");
        }
        let before = peak_memory();
        let fifo = Fifo::new(scene.path("fifo"));
        let run = scene.merging(&logs).into(&fifo.path).run(merge);
        run.until_still()?;
        let reading = fifo.read_into(&scene.output);
        run.report()?;
        reading.end()?;
        let (peak, merged) = (peak_memory(), size(&scene.output));
        require(merged == bytes, || format!("expected {bytes} bytes, found {merged}"))?;
        require(peak < 96 * MIB, || {
            format!(
                "expected less than 96 MiB, found {} MiB ({} MiB of them before the merge began)",
                peak / MIB,
                before / MIB
            )
        })
    })
}
