//! Exactly once, across `kill -9`: the command is killed at random moments,
//! under load and with rotation going on, and started again with the same
//! checkpoint. In the end every line is in the output once and in order.
//!
//! `KILLS=100 cargo test --release -p cli --test kill` is the long run; the
//! default is short.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How long anything is waited for: only a bug takes that long.
const BOUND: Duration = Duration::from_secs(60);
const LOGS: usize = 3;
/// Lines to one file before it is rotated away.
const LINES_A_FILE: std::ops::Range<u64> = 50..1500;

#[test]
fn threads() {
    killed_again_and_again("threads");
}

#[test]
fn mixed() {
    killed_again_and_again("mixed");
}

#[test]
fn bottom_up() {
    killed_again_and_again("bottom-up");
}

#[test]
fn tasks() {
    killed_again_and_again("tasks");
}

#[test]
fn fully_async() {
    killed_again_and_again("fully-async");
}

fn killed_again_and_again(stage: &str) {
    let kills = std::env::var("KILLS");
    let kills = kills.map_or(6, |kills| kills.parse().expect("KILLS is a number"));
    let folder = tempfile::tempdir().unwrap();
    let log = |index: usize| folder.path().join(format!("log{index}")).join("app.log");
    let output = folder.path().join("merged");
    let start = |extra: &[&str]| {
        let child = Command::new(env!("CARGO_BIN_EXE_tributary"))
            .args(["--follow", "--stage", stage, "--output"])
            .arg(&output)
            .arg("--checkpoint")
            .arg(folder.path().join("checkpoint"))
            .args(extra)
            .args((0..LOGS).map(log))
            .stdin(Stdio::null())
            .spawn();
        Merge(child.unwrap())
    };

    let mut random = fastrand::Rng::new();
    let ended = AtomicBool::new(false);
    let written: Vec<u64> = thread::scope(|scope| {
        let writers: Vec<_> = (0..LOGS)
            .map(|index| {
                let (path, output, ended) = (log(index), &output, &ended);
                let random = fastrand::Rng::with_seed(index as u64);
                let is_known = move || has_a_line_of(output, index);
                scope.spawn(move || write_and_rotate(&path, random, is_known, ended))
            })
            .collect();
        let stop = EndOnDrop(&ended);

        for kill in 0..kills {
            let mut merge = start(if kill % 2 == 0 { &[] } else { &["--wake", "poll"] });
            // From its start on, or well under way, or with a checkpoint just taken.
            let more = random.u64(0..200_000);
            let begun = length(&output);
            until(&mut merge, || length(&output) >= begun + more || more < 1000);
            drop(merge);
        }
        drop(stop);
        writers.into_iter().map(|writer| writer.join().unwrap()).collect()
    });

    let mut merge = start(&["--durability", "flush"]);
    let all: u64 = written.iter().sum();
    // All of them, or no more: then the check below says which are missing.
    let (mut before, mut since) = (0, Instant::now());
    while (lines(&output).len() as u64) < all && since.elapsed() < BOUND / 4 {
        assert!(merge.0.try_wait().unwrap().is_none(), "the merge has ended by itself");
        if length(&output) != before {
            (before, since) = (length(&output), Instant::now());
        }
        thread::sleep(Duration::from_millis(100));
    }
    let pid = rustix::process::Pid::from_child(&merge.0);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert!(merge.0.wait().unwrap().success());

    let mut next = [1; LOGS];
    for line in lines(&output) {
        let (index, number) = line.split_once(' ').unwrap_or_else(|| panic!("torn: {line:?}"));
        let index: usize = index.parse().unwrap_or_else(|_| panic!("torn: {line:?}"));
        if number != format!("{:08}", next[index]) && std::env::var_os("KEEP").is_some() {
            let kept = folder.keep();
            panic!("{}: log {index}: expected {}, found {number}", kept.display(), next[index]);
        }
        assert_eq!(number, format!("{:08}", next[index]), "log {index}, after {kills} kills");
        next[index] += 1;
    }
    for (index, written) in written.iter().enumerate() {
        assert_eq!(next[index] - 1, *written, "lines of log {index}, after {kills} kills");
    }
}

/// Writes numbered lines until it is told to end, each in two writes, and
/// rotates the log now and then; returns how many lines there are.
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
    let open = || OpenOptions::new().append(true).create(true).open(path).unwrap();
    let mut file = open();
    let (mut number, mut rotated) = (0u64, 0u64);
    let mut until_rotation = random.u64(LINES_A_FILE);
    while !ended.load(Ordering::SeqCst) {
        number += 1;
        let line = format!("{index} {number:08}\n");
        let cut = random.usize(0..line.len());
        file.write_all(&line.as_bytes()[..cut]).unwrap();
        file.write_all(&line.as_bytes()[cut..]).unwrap();
        until_rotation -= 1;
        if until_rotation == 0 {
            until_rotation = random.u64(LINES_A_FILE);
            if rotated == 0 && !is_known() {
                continue;
            }
            rotated += 1;
            rotate(path, rotated);
            // It goes on with the old file until it has heard of the new one.
            let next = open_later_born(path, &file);
            number += 1;
            writeln!(file, "{index} {number:08}").unwrap();
            file = next;
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
        let beside = path.with_extension("next");
        let next = OpenOptions::new().append(true).create_new(true).open(&beside).unwrap();
        if born(&next) > born(last) {
            fs::rename(beside, path).unwrap();
            return next;
        }
        fs::remove_file(beside).unwrap();
    }
}

/// A merge that runs. Dropped, it is killed, by SIGKILL.
struct Merge(Child);

impl Drop for Merge {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct EndOnDrop<'a>(&'a AtomicBool);

impl Drop for EndOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |file| file.len())
}

fn lines(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

fn has_a_line_of(output: &Path, index: usize) -> bool {
    let begin = format!("{index} ");
    lines(output).iter().any(|line| line.starts_with(&begin))
}

/// Waits until something is so, while the merge runs.
fn until(merge: &mut Merge, mut is_so: impl FnMut() -> bool) {
    let bound = Instant::now() + BOUND;
    while !is_so() {
        if let Some(status) = merge.0.try_wait().unwrap() {
            panic!("the merge has ended: {status}");
        }
        assert!(Instant::now() < bound, "waited {BOUND:?} in vain");
        thread::sleep(Duration::from_millis(1));
    }
}
