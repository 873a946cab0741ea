//! Exactly once, across `kill -9`: the command is killed at random moments,
//! under load, while its logs and its output are rotated, and started again
//! with the same checkpoint. In the end every line is in the outputs once.
//!
//! `KILLS=100 cargo test --release -p tributary-cli --test kill` is the long run; the
//! default is short. `SEED=…` draws the same moments again.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use stages::{STAGES, Stage};
use testkit::{BOUND, Folder, Running, until};

const LOGS: usize = 3;
/// With fewer bytes, nothing is waited for.
const SOME: u64 = 1000;
/// Lines to one file before it is rotated away.
const LINES_A_FILE: std::ops::Range<u64> = 50..1500;

#[test]
fn every_line_is_there_once_however_often_a_stage_is_killed() {
    let number = |name| std::env::var(name).ok().map(|it| it.parse::<u64>().expect(name));
    let kills = number("KILLS").unwrap_or(6);
    let seed = number("SEED").unwrap_or_else(|| fastrand::u64(..1 << 32));
    // All stages at once: each waits for most of the time.
    let ended = thread::scope(|scope| {
        let start =
            |stage: &'static Stage| (stage, scope.spawn(move || killed(stage, kills, seed)));
        let running: Vec<_> = STAGES.iter().map(start).collect();
        running.into_iter().map(|(stage, killed)| (stage, killed.join())).collect::<Vec<_>>()
    });
    for (stage, killed) in ended {
        let name = stage.name;
        assert!(killed.is_ok(), "{name} with SEED={seed}; what is wrong stands above");
    }
}

fn killed(stage: &Stage, kills: u64, seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    // Where rotated names are sources, too, the order of two files is open.
    let patterns = random.bool();
    let folder = Folder::new();
    let log = |index: usize| folder.path(&format!("log{index}")).join("app.log");
    let outputs = Outputs(folder.path("merged"));
    let start = |by_pattern: bool, extra: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tributary"));
        command.args(["--follow", "--stage", stage.name, "--output"]).arg(&outputs.0);
        command.arg("--checkpoint").arg(folder.path("checkpoint")).args(extra);
        if by_pattern {
            command.arg("--watch").arg(folder.path("log*/app.log*"));
        } else {
            command.args((0..LOGS).map(log));
        }
        Running::start(&folder, command.stdin(Stdio::null()))
    };

    let ended = AtomicBool::new(false);
    let written: Vec<u64> = thread::scope(|scope| {
        let writers: Vec<_> = (0..LOGS)
            .map(|index| {
                let (path, outputs, ended) = (log(index), &outputs, &ended);
                let random = fastrand::Rng::with_seed(seed + index as u64);
                let is_known = move || outputs.has_a_line_of(index);
                scope.spawn(move || write_and_rotate(&path, random, is_known, ended))
            })
            .collect();
        let stop = EndOnDrop(&ended);

        for kill in 0..kills {
            let extra: &[&str] = if kill % 2 == 0 { &[] } else { &["--wake", "poll"] };
            let mut merge = start(patterns && random.bool(), extra);
            // From its start on, or well under way, or with a checkpoint just taken.
            // One that is to hear a signal has written something: it listens.
            let signalled = kill % 3 == 2;
            let more = random.u64(if signalled { SOME } else { 0 }..200_000);
            grows(&mut merge, &outputs, more);
            if signalled {
                // As logrotate does: first the name, then the signal.
                outputs.rotate();
                if random.bool() {
                    merge.signal(Signal::HUP);
                    grows(&mut merge, &outputs, random.u64(0..50_000));
                }
            }
            drop(merge);
        }
        drop(stop);
        writers.into_iter().map(|writer| writer.join().unwrap()).collect()
    });

    let mut merge = start(patterns, &["--durability", "flush"]);
    let all: u64 = written.iter().sum();
    // All of them, or no more: then the check below says which are missing.
    let (mut before, mut since) = (0, Instant::now());
    while (outputs.lines().len() as u64) < all && since.elapsed() < BOUND / 4 {
        assert!(merge.child.try_wait().unwrap().is_none(), "it ended by itself: {}", merge.said());
        if outputs.length() != before {
            (before, since) = (outputs.length(), Instant::now());
        }
        thread::sleep(Duration::from_millis(100));
    }
    merge.terminate().with(0);

    if let Err(wrong) = check(&outputs.lines(), &written, patterns) {
        let kept = std::env::var_os("KEEP").map(|_| folder.keep());
        panic!("{wrong}, after {kills} kills; kept: {kept:?}");
    }
}

/// Finds what is wrong with the merged lines: each is to be there once, those
/// of a file in their order, and without patterns those of a log.
fn check(lines: &[String], written: &[u64], patterns: bool) -> Result<(), String> {
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

/// What stands in the lines of a log that is no source.
const NEAR: &str = "near";

/// Writes numbered lines until it is told to end, each in two writes, and
/// rotates the log now and then; returns how many lines there are. A log of a
/// near name, which is no source, is rotated just before, as logrotate does.
///
/// The first file stays until the merge knows it: what is rotated away before
/// anybody has seen it was never the log.
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
            // It goes on with the old file until it has heard of the new one.
            let next = open_later_born(path, &file);
            number += 1;
            writeln!(file, "{index} {rotated} {number:08}").unwrap();
            file = next;
            rotated += 1;
        }
        // The pace of a busy log, not a wait for anything.
        if number.is_multiple_of(20) {
            thread::sleep(Duration::from_millis(2));
        }
    }
    number
}

fn rotate(path: &Path, number: u64) {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    fs::rename(path, PathBuf::from(name)).unwrap();
}

/// Creates the successor of a file; later also by the clock of the file
/// system, which ticks. Two files of one tick have no order.
fn open_later_born(path: &Path, last: &File) -> File {
    let born = |file: &File| file.metadata().unwrap().created().unwrap();
    loop {
        // Under a name of its own until it is old enough.
        let beside = path.with_file_name("next");
        let next = OpenOptions::new().append(true).create_new(true).open(&beside).unwrap();
        if born(&next) > born(last) {
            fs::rename(beside, path).unwrap();
            return next;
        }
        fs::remove_file(beside).unwrap();
    }
}

/// The output, and what it was rotated to: `merged.1` is the oldest.
struct Outputs(PathBuf);

impl Outputs {
    fn rotate(&self) {
        if self.0.exists() {
            rotate(&self.0, self.all().count() as u64);
        }
    }

    /// All of them, the oldest first.
    fn all(&self) -> impl Iterator<Item = PathBuf> {
        let rotated = (1..).map(|number| self.0.with_extension(number.to_string()));
        rotated.take_while(|path| path.exists()).chain([self.0.clone()])
    }

    fn length(&self) -> u64 {
        self.all().map(|path| fs::metadata(path).map_or(0, |file| file.len())).sum()
    }

    fn lines(&self) -> Vec<String> {
        let text: String =
            self.all().map(|path| fs::read_to_string(path).unwrap_or_default()).collect();
        text.lines().map(str::to_owned).collect()
    }

    fn has_a_line_of(&self, index: usize) -> bool {
        let begin = format!("{index} ");
        self.lines().iter().any(|line| line.starts_with(&begin))
    }
}

struct EndOnDrop<'a>(&'a AtomicBool);

impl Drop for EndOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Waits until the outputs are longer by so much, or not at all if that is little.
fn grows(merge: &mut Running, outputs: &Outputs, more: u64) {
    let begun = outputs.length();
    until("more is merged", || {
        assert!(merge.child.try_wait().unwrap().is_none(), "it ended by itself: {}", merge.said());
        outputs.length() >= begun + more || more < SOME
    });
}
