//! Logs that are rotated while lines are written, and the check of what was merged.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::{BOUND, Folder};

/// How many lines a file gets before it is rotated.
const LINES_A_FILE: std::ops::Range<u64> = 50..1500;
/// The first word of the lines of a log that is no source.
const NEAR: &str = "near";

/// Runs `body` on this thread while `logs` threads write numbered lines, each to a log
/// in a folder of its own: `log0/app.log` is the first. Returns how many lines each log
/// has, once the threads have ended.
///
/// `is_known` says, by index, whether the merge has lines of a log already.
pub fn while_written(
    folder: &Folder,
    logs: usize,
    seed: u64,
    is_known: impl Fn(usize) -> bool + Sync,
    body: impl FnOnce(),
) -> Vec<u64> {
    let ended = AtomicBool::new(false);
    thread::scope(|scope| {
        let writers: Vec<_> = (0..logs)
            .map(|index| {
                let (path, is_known, ended) = (log(folder, index), &is_known, &ended);
                let random = fastrand::Rng::with_seed(seed + index as u64);
                scope.spawn(move || write_and_rotate(&path, random, || is_known(index), ended))
            })
            .collect();
        let stop = EndOnDrop(&ended);
        body();
        drop(stop);
        writers.into_iter().map(|writer| writer.join().unwrap()).collect()
    })
}

/// Returns the path of the log of this index.
pub fn log(folder: &Folder, index: usize) -> PathBuf {
    folder.path(&format!("log{index}")).join("app.log")
}

/// Waits until `lines` returns the sum of `written`, or the same number for 15 s: then
/// [`check`] says which lines are missing.
pub fn wait_for_all(written: &[u64], mut lines: impl FnMut() -> usize) {
    let all = written.iter().sum::<u64>() as usize;
    let (mut before, mut since) = (0, Instant::now());
    while before < all && since.elapsed() < BOUND / 4 {
        let now = lines();
        if now != before {
            (before, since) = (now, Instant::now());
        }
        thread::sleep(Duration::from_millis(100));
    }
}

/// Writes numbered lines until `ended`, and rotates the log now and then. Returns the
/// number of lines. A line comes in two writes, but for the last of a file. Just before
/// the log, a log with a similar name is rotated, which is no source: logrotate does so
/// too.
///
/// The first file is not rotated before the merge knows it: what nobody has seen under
/// the name was never the log.
fn write_and_rotate(
    path: &Path,
    mut random: fastrand::Rng,
    is_known: impl Fn() -> bool,
    ended: &AtomicBool,
) -> u64 {
    let folder = path.parent().unwrap();
    fs::create_dir(folder).unwrap();
    let index = folder.to_str().unwrap().chars().last().unwrap();
    let near = path.with_file_name("app-error.log");
    let mut file = OpenOptions::new().append(true).create(true).open(path).unwrap();
    let (mut number, mut rotated) = (0u64, 0u64);
    let mut until_rotation = random.u64(LINES_A_FILE);
    while !ended.load(Ordering::SeqCst) {
        number += 1;
        let line = format!("{index} {rotated} {number:08}\n");
        let cut = random.usize(0..line.len());
        file.write_all(&line.as_bytes()[..cut]).unwrap();
        file.write_all(&line.as_bytes()[cut..]).unwrap();
        until_rotation -= 1;
        if until_rotation == 0 {
            until_rotation = random.u64(LINES_A_FILE);
            if rotated == 0 && !is_known() {
                continue;
            }
            fs::write(&near, format!("{NEAR} {rotated} {number:08}\n")).unwrap();
            rotate(&near, rotated + 1);
            rotate(path, rotated + 1);
            // A writer goes on with the old file until it reopens the log.
            let next = open_later_born(path, &file);
            number += 1;
            writeln!(file, "{index} {rotated} {number:08}").unwrap();
            file = next;
            rotated += 1;
        }
        // The pace of a busy log; this waits for nothing.
        if number.is_multiple_of(20) {
            thread::sleep(Duration::from_millis(2));
        }
    }
    number
}

/// Renames `app.log` to `app.log.7`, with this number.
pub fn rotate(path: &Path, number: u64) {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    fs::rename(path, PathBuf::from(name)).unwrap();
}

/// Creates the next file of a log, with a later time of birth than the last: two files
/// that are born in one tick of the file system's clock have no order.
fn open_later_born(path: &Path, last: &File) -> File {
    let born = |file: &File| file.metadata().unwrap().created().unwrap();
    loop {
        // Made under another name, and again until its birth is later.
        let beside = path.with_file_name("next");
        let next = OpenOptions::new().append(true).create_new(true).open(&beside).unwrap();
        if born(&next) > born(last) {
            fs::rename(beside, path).unwrap();
            return next;
        }
        fs::remove_file(beside).unwrap();
    }
}

/// Checks merged lines: each is there once, and the lines of a file are in their order;
/// without patterns, so are the lines of a log.
///
/// # Errors
///
/// A sentence about the first line that is torn, doubled, missing, out of order or of
/// no source.
pub fn check(lines: &[String], written: &[u64], patterns: bool) -> Result<(), String> {
    let mut last: HashMap<(&str, &str), &str> = HashMap::new();
    let mut found = HashSet::new();
    for line in lines {
        let parts: Vec<_> = line.split(' ').collect();
        let [index, file, number] = parts[..] else { return Err(format!("torn: {line:?}")) };
        if index == NEAR {
            return Err(format!("not asked for: {line:?}"));
        }
        if !found.insert((index, number)) {
            return Err(format!("doubled: {line:?}"));
        }
        let file = if patterns { file } else { "any" };
        let last = last.entry((index, file)).or_default();
        if number < *last {
            return Err(format!("{line:?} comes after {last}"));
        }
        *last = number;
    }
    for (index, written) in written.iter().enumerate() {
        for number in 1..=*written {
            if !found.contains(&(&*index.to_string(), &*format!("{number:08}"))) {
                return Err(format!("missing: {number} of log {index}"));
            }
        }
    }
    Ok(())
}

/// Ends the writers on drop, also in a test that panics.
struct EndOnDrop<'a>(&'a AtomicBool);

impl Drop for EndOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}
