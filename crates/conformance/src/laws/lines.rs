//! What is in the output: the lines of the sources, and nothing else.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use checker::Kind;
use tributary::{MergeFn, Moment, Wake};

use crate::broken::{Broken, Verdict, require};
use crate::run::{SOON, both_ways};
use crate::scene::{Log, Scene};

/// Every line of every source is in the output once.
///
/// Eight sources of several chunks each, which grow while they are merged.
pub fn every_line_is_merged_once(merge: MergeFn) -> Verdict {
    let (scene, logs) = growing(merge)?;
    scene.require_none_of(&[Kind::Lost, Kind::Doubled], &logs)
}

/// The lines of a source are in the output in the order of the source.
///
/// Eight sources of several chunks each, which grow while they are merged.
pub fn each_source_keeps_its_order(merge: MergeFn) -> Verdict {
    let (scene, logs) = growing(merge)?;
    scene.require_none_of(&[Kind::OutOfOrder], &logs)
}

/// Every line is whole in the output, and no other line stands in the middle of it.
///
/// Eight sources of several chunks each, which grow while they are merged.
pub fn no_line_is_torn_or_mixed(merge: MergeFn) -> Verdict {
    let (scene, logs) = growing(merge)?;
    scene.require_none_of(&[Kind::Torn, Kind::Glued, Kind::Changed, Kind::Unfinished], &logs)
}

/// Nothing is in the output that is not in a source.
///
/// Eight sources of several chunks each, which grow while they are merged.
pub fn nothing_is_added(merge: MergeFn) -> Verdict {
    let (scene, logs) = growing(merge)?;
    scene.require_none_of(&[Kind::Foreign], &logs)
}

/// Merges eight logs of about 700 KiB, in which new lines are found at several
/// looks, and stops once all have given all.
fn growing(merge: MergeFn) -> Result<(Scene, Vec<Log>), Broken> {
    const BACKLOG: u64 = 10_000;
    const BATCHES: u64 = 5;
    const BATCH: u64 = 40;
    let scene = Scene::new();
    let logs = scene.logs(8);
    for log in &logs {
        log.append(1..=BACKLOG).expect("a log can be written");
    }
    let growing = logs.clone();
    let exhausted = AtomicUsize::new(0);
    let run = scene.following(&logs, SOON).during(move |look| {
        let Some(log) = growing.iter().find(|log| look.found_nothing(log)) else { return Ok(()) };
        if look.count <= BATCHES {
            let first = BACKLOG + (look.count - 1) * BATCH + 1;
            log.append(first..=first + BATCH - 1)?;
        } else if look.count == BATCHES + 1
            && exhausted.fetch_add(1, Ordering::SeqCst) + 1 == growing.len()
        {
            look.stop.request();
        }
        Ok(())
    });
    run.run(merge).report()?;
    Ok((scene, logs))
}

/// A line that is written in pieces is in the output from its newline on, and whole.
///
/// A piece is written after each look that found nothing, and the output is
/// read before the next one, while another source gives whole lines.
pub fn a_line_written_in_pieces_appears_whole(merge: MergeFn) -> Verdict {
    both_ways(|wake| written_in_pieces(merge, wake))
}

fn written_in_pieces(merge: MergeFn, wake: Wake) -> Verdict {
    let scene = Scene::new();
    let logs = scene.logs(2);
    let pieces: [&[u8]; 5] = [b"s0000 0000", b"00001 first ", b"second", b" third", b"\n"];
    let too_soon = Arc::new(Mutex::new(None));
    let run = scene.following(&logs, SOON).woken(wake).during({
        let (logs, output, too_soon) = (logs.clone(), scene.output.clone(), too_soon.clone());
        move |look| {
            if look.found_nothing(&logs[1]) {
                return logs[1].append(look.count..=look.count);
            }
            if !look.found_nothing(&logs[0]) {
                return Ok(());
            }
            let written = look.count as usize - 1;
            let merged = fs::read(&output)?;
            let mut merged = merged.split(|&byte| byte == b'\n');
            let found = merged.rfind(|line| line.starts_with(b"s0000"));
            if let (Some(found), true) = (found, written < pieces.len()) {
                let found = found.escape_ascii().to_string();
                too_soon.lock().expect("nobody panics here").get_or_insert((written, found));
            }
            match pieces.get(written) {
                Some(piece) => logs[0].append_bytes(piece)?,
                None => look.stop.request(),
            }
            Ok(())
        }
    });
    run.run(merge).report()?;
    if let Some((written, found)) = too_soon.lock().expect("nobody panics here").take() {
        return Err(Broken::new(format!(
            "source 0, line 1: {written} pieces of it were written, and its newline was not; \
             expected nothing of it in the output, found \"{found}\""
        )));
    }
    scene.require_right(&logs)
}

/// Any bytes may stand in a line: NUL, CR and what is not UTF-8 come through.
///
/// Blank lines, too; the output has to be the source, byte for byte.
pub fn bytes_are_bytes(merge: MergeFn) -> Verdict {
    let scene = Scene::new();
    let logs = scene.logs(1);
    let mut bytes = Vec::new();
    for byte in (0..=u8::MAX).filter(|&byte| byte != b'\n') {
        bytes.extend_from_slice(&[byte, b'\n', byte, byte, b'\r', b'\n', b'\n']);
        bytes.extend_from_slice(&[b'a', byte, 0, 0xff, 0xc3, b'\n', b' ', byte, b' ', b'\n']);
    }
    logs[0].append_bytes(&bytes).expect("a log can be written");
    scene.merging(&logs).run(merge).report()?;
    let merged = scene.merged();
    let lines = |bytes: &[u8]| {
        bytes.split_inclusive(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect::<Vec<_>>()
    };
    let (expected, found) = (lines(&bytes), lines(&merged));
    let differs =
        (0..expected.len().max(found.len())).find(|&at| expected.get(at) != found.get(at));
    require(differs.is_none(), || {
        let at = differs.unwrap_or_default();
        let shown = |line: Option<&Vec<u8>>| {
            line.map_or("nothing".into(), |line| format!("\"{}\"", line.escape_ascii()))
        };
        format!(
            "source 0, line {}: expected {}, found {}",
            at + 1,
            shown(expected.get(at)),
            shown(found.get(at))
        )
    })
}

/// A last line without a newline gets one at the end of the run.
///
/// Three sources end so, one of them with its only line; a fourth ends with a
/// newline, and gets no second one.
pub fn a_last_line_without_a_newline_gets_one(merge: MergeFn) -> Verdict {
    let scene = Scene::new();
    let logs = scene.logs(4);
    for log in &logs {
        let lines = log.lines(1..=if log.index == 0 { 1 } else { 5_000 });
        let cut = if log.index < 3 { lines.len() - 1 } else { lines.len() };
        log.append_bytes(&lines[..cut]).expect("a log can be written");
    }
    scene.merging(&logs).run(merge).report()?;
    scene.require_right(&logs)
}

/// A line that is longer than every buffer comes through whole, among short ones.
///
/// Lines of 5 MiB: between short lines, at the end without a newline, and one
/// that grows while it is followed.
pub fn a_line_longer_than_every_buffer_stays_whole(merge: MergeFn) -> Verdict {
    const LONG: usize = 5 * 1024 * 1024;
    let scene = Scene::new();
    let logs = scene.logs(4);
    let append = |log: &Log, bytes: &[u8]| log.append_bytes(bytes).expect("a log can be written");
    append(&logs[0], &logs[0].lines(1..=1_000));
    append(&logs[0], &[logs[0].long_line(1_001, LONG), b"\n".to_vec()].concat());
    append(&logs[0], &logs[0].lines(1_002..=2_000));
    append(&logs[1], &logs[1].lines(1..=1_000));
    append(&logs[1], &logs[1].long_line(1_001, LONG));
    append(&logs[2], &logs[2].lines(1..=20_000));
    let line = logs[3].long_line(1, LONG);
    let run = scene.following(&logs, SOON).during({
        let log = logs[3].clone();
        move |look| {
            if look.moment == Moment::FoundNothing && look.path == log.path {
                // Five pieces that end anywhere, then the newline.
                let from = (look.count as usize - 1) * 1_111_111;
                match line.get(from..) {
                    Some([]) | None if look.count <= 6 => log.append_bytes(b"\n")?,
                    Some([]) | None => look.stop.request(),
                    Some(rest) => log.append_bytes(&rest[..rest.len().min(1_111_111)])?,
                }
            }
            Ok(())
        }
    });
    run.run(merge).report()?;
    scene.require_right(&logs)
}

/// A source without a line gives nothing and holds nothing up.
///
/// Empty sources before, between and after others; and one that stays empty
/// while it is followed.
pub fn an_empty_source_holds_nothing_up(merge: MergeFn) -> Verdict {
    let scene = Scene::new();
    let logs = scene.logs(5);
    for log in [&logs[1], &logs[3]] {
        log.append(1..=5_000).expect("a log can be written");
    }
    scene.merging(&logs).run(merge).report()?;
    scene.require_right(&logs)?;

    let run = scene.following(&logs, SOON).run(merge);
    run.until_empty(&logs)?;
    run.stopped()?;
    scene.require_right(&logs)
}

/// A merge without a source ends at once, with an empty output.
pub fn no_source_at_all_makes_an_empty_output(merge: MergeFn) -> Verdict {
    let scene = Scene::new();
    let report = scene.merging(&[]).run(merge).report()?;
    let merged = scene.merged();
    require(merged.is_empty(), || {
        format!("expected an empty output, found \"{}\"", merged.escape_ascii())
    })?;
    let counted = (report.lines, report.bytes, report.sources.len());
    require(counted == (0, 0, 0), || {
        format!("expected a report of 0 lines, 0 bytes and 0 sources, found {counted:?}")
    })
}
