//! Lines that are longer than they may be: cut, counted, skipped to their end.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tributary::{Marks, Options, Plan, Read, Wake};

struct Place {
    _folder: TempDir,
    log: PathBuf,
    output: PathBuf,
    options: Options,
}

impl Place {
    fn new(max_line: u64) -> Place {
        let folder = tempfile::tempdir().unwrap();
        let (log, output) = (folder.path().join("app.log"), folder.path().join("merged"));
        let options = Options {
            follow: true,
            wake: Wake::Poll,
            max_line: Some(max_line),
            checkpoint: Some(folder.path().join("checkpoint")),
            ..Options::default()
        };
        Place { _folder: folder, log, output, options }
    }

    fn open(&self) -> Plan {
        Plan::open([&self.log], &self.output, self.options.clone()).unwrap()
    }

    fn merged(&self) -> Vec<u8> {
        fs::read(&self.output).unwrap()
    }
}

fn append(path: &Path, bytes: &[u8]) {
    let mut file = OpenOptions::new().append(true).create(true).open(path).unwrap();
    file.write_all(bytes).unwrap();
}

/// Looks until there is nothing new, or the end.
fn look(plan: &mut Plan) {
    while look_once(plan) {}
}

fn look_once(plan: &mut Plan) -> bool {
    let Read::Lines(lines) = plan.sources[0].read_lines().unwrap() else { return false };
    plan.output.append(&lines).unwrap();
    true
}

/// What a merge makes of `bytes`, and of how many lines.
fn cut(bytes: &[u8], max_line: usize) -> Vec<u8> {
    let lines = bytes.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n"));
    let cut = lines.map(|line| [&line[..max_line.min(line.len() - 1)], b"\n"].concat());
    cut.collect::<Vec<_>>().concat()
}

#[test]
fn a_line_that_is_too_long_is_cut_and_counted() {
    let place = Place::new(5);
    append(&place.log, b"12345\n123456\n\n1234567890\nhalf");
    let mut plan = place.open();
    look(&mut plan);
    assert_eq!(place.merged(), b"12345\n12345\n\n12345\n");
    append(&place.log, b" and more");
    look(&mut plan);
    append(&place.log, b" to come\nnext\n");
    look(&mut plan);
    assert_eq!(place.merged(), b"12345\n12345\n\n12345\nhalf \nnext\n");
    let progress = &plan.progress().sources()[0];
    assert_eq!((progress.lines, progress.cut, progress.lag), (6, 3, Some(0)));
}

#[test]
fn the_offsets_are_those_of_the_file() {
    let place = Place::new(3);
    append(&place.log, b"1\n12345\n2\n");
    let options = Options { marks: Marks::Json, ..place.options.clone() };
    let mut plan = Plan::open([&place.log], &place.output, options).unwrap();
    look(&mut plan);
    let merged = String::from_utf8(place.merged()).unwrap();
    for (line, offset) in merged.lines().zip([0, 2, 8]) {
        assert!(line.contains(&format!("\"offset\":{offset},")), "{line}");
    }
    assert_eq!(merged.lines().count(), 3);
}

#[test]
fn a_half_line_is_cut_at_the_end_of_a_run() {
    let place = Place::new(3);
    append(&place.log, b"12345");
    let options = Options { checkpoint: None, follow: false, ..place.options.clone() };
    look(&mut Plan::open([&place.log], &place.output, options).unwrap());
    assert_eq!(place.merged(), b"123\n");
}

#[test]
fn a_line_without_an_end_fills_no_memory() {
    let place = Place::new(1 << 20);
    let part = vec![b'x'; 1 << 20];
    (0..64).for_each(|_| append(&place.log, &part));
    append(&place.log, b"\nnext\n");
    let used = allocation_counter::measure(|| look(&mut place.open()));
    assert_eq!(place.merged(), [&part[..], b"\nnext\n"].concat());
    assert!(used.bytes_max < 8 << 20, "{used:?}");
}

#[test]
fn a_line_that_was_skipped_in_parts_is_known_again() {
    let place = Place::new(3);
    append(&place.log, b"");
    let mut plan = place.open();
    for part in ["123456", "78", "90", "12\n"] {
        append(&place.log, part.as_bytes());
        look(&mut plan);
    }
    plan.output.finish().unwrap();
    drop(plan);
    append(&place.log, b"new\n");
    look(&mut place.open());
    assert_eq!(place.merged(), b"123\nnew\n");
}

#[test]
fn a_merge_that_is_killed_anywhere_cuts_the_same_lines() {
    for seed in 0..200 {
        let mut random = fastrand::Rng::with_seed(seed);
        let most = [10, 600][random.usize(0..2)];
        let max_line = random.usize(1..most);
        let place = Place::new(max_line as u64);
        let mut written = Vec::new();
        append(&place.log, b"");
        let mut plan = place.open();
        for _ in 0..12 {
            for _ in 0..random.usize(0..6) {
                // Longer than a chunk of a short limit, sometimes.
                let length = [3, 40, 700, 20_000][random.usize(0..4)];
                written.extend((0..random.usize(0..length)).map(|_| random.u8(b'a'..=b'z')));
                if random.u8(0..3) > 0 {
                    written.push(b'\n');
                }
            }
            let known = fs::metadata(&place.log).unwrap().len() as usize;
            append(&place.log, &written[known..]);
            match random.u8(0..4) {
                0 => {
                    look_once(&mut plan);
                }
                1 => {
                    plan.output.finish().unwrap();
                }
                2 => {
                    drop(plan);
                    plan = place.open();
                }
                _ => look(&mut plan),
            }
        }
        look(&mut plan);
        assert!(place.merged() == cut(&written, max_line), "seed {seed}");
    }
}
