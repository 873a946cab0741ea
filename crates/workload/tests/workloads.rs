//! The workloads are what their sentences say, and the same each time.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use checker::tag;
use workload::{Backlog, Live, OutputReader, Pauses, WORKLOADS};

fn read_all(paths: &[impl AsRef<Path>]) -> Vec<Vec<u8>> {
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// Calls `look` with each line, newline included, and its tag. Asserts that the tag is
/// the next of its source. Returns the number of lines.
fn for_each_line(contents: &[Vec<u8>], mut look: impl FnMut(&[u8], tag::Tag<'_>)) -> u64 {
    let mut lines = 0;
    for (source, content) in contents.iter().enumerate() {
        for (number, line) in (1..).zip(content.split_inclusive(|&byte| byte == b'\n')) {
            let tag = tag::parse(line.strip_suffix(b"\n").unwrap()).unwrap();
            assert_eq!((tag.source, tag.number), (source, number));
            look(line, tag);
            lines += 1;
        }
    }
    lines
}

#[test]
fn a_backlog_has_the_asked_size_and_the_right_tags() {
    let folder = tempfile::tempdir().unwrap();
    for bytes in (0..30).chain(390..450).chain([100_000, 1_000_003]) {
        let paths = Backlog { files: 3, bytes }.make(folder.path(), bytes).unwrap();
        let contents = read_all(&paths);
        let size = if bytes == 0 { 0 } else { bytes.max(20) };
        assert!(contents.iter().all(|content| content.len() as u64 == size));
        for_each_line(&contents, |line, tag| {
            assert!((20..=400).contains(&line.len()), "{} bytes", line.len());
            assert_eq!(tag.stamp, None);
        });
    }
}

#[test]
fn the_lines_of_a_backlog_are_about_120_bytes_long() {
    let folder = tempfile::tempdir().unwrap();
    let paths = Backlog { files: 1, bytes: 1_000_000 }.make(folder.path(), 1).unwrap();
    let lines = memchr::memchr_iter(b'\n', &fs::read(&paths[0]).unwrap()).count();
    let average = 1_000_000 / lines;
    assert!((105..=135).contains(&average), "{average} bytes on average");
}

#[test]
fn a_seed_makes_the_same_bytes_and_another_seed_others() {
    let backlog = Backlog { files: 3, bytes: 50_000 };
    let folders = [1, 1, 2].map(|seed| (seed, tempfile::tempdir().unwrap()));
    let [once, again, other] = folders
        .each_ref()
        .map(|(seed, folder)| read_all(&backlog.make(folder.path(), *seed).unwrap()));
    assert!(once == again);
    assert!(once[0] != other[0]);
    // Two files of one backlog differ in more than their tags.
    let ends = |file: &[u8]| memchr::memchr_iter(b'\n', file).collect::<Vec<_>>();
    assert!(ends(&once[0]) != ends(&once[1]));
}

/// Two thousand lines a second in a tenth of a second: 200 in all.
fn live() -> Live {
    Live {
        files: 4,
        lines_per_second: 500,
        line_bytes: 60..=80,
        one_in_pieces: 0,
        duration: Duration::from_millis(100),
    }
}

#[test]
fn live_writers_write_what_the_schedule_says() {
    let folder = tempfile::tempdir().unwrap();
    let sources = live().create(folder.path(), 7).unwrap();
    let paths = sources.paths().to_vec();
    assert!(read_all(&paths).iter().all(Vec::is_empty));
    let before = workload::monotonic_nanos();
    let written = sources.start().unwrap().join().unwrap();
    let after = workload::monotonic_nanos();
    assert_eq!(written.lines, 200);
    let contents = read_all(&paths);
    assert_eq!(written.bytes, contents.concat().len() as u64);
    let lines = for_each_line(&contents, |line, tag| {
        assert!((60..=80).contains(&line.len()));
        assert!((before..=after).contains(&tag.stamp.unwrap()));
        assert!(tag.number <= 50);
    });
    assert_eq!(lines, written.lines);
}

#[test]
fn a_line_in_pieces_is_whole_at_the_end_and_has_no_stamp() {
    let folder = tempfile::tempdir().unwrap();
    let in_pieces = Live { one_in_pieces: 5, ..live() };
    // The thread ends by itself, or is dropped in its midst.
    for dropped in [false, true] {
        let sources = in_pieces.create(folder.path(), 7).unwrap();
        let paths = sources.paths().to_vec();
        let writers = sources.start().unwrap();
        if dropped {
            drop(writers);
        } else {
            assert_eq!(writers.join().unwrap().lines, 200);
        }
        for_each_line(&read_all(&paths), |_, tag| {
            let in_pieces = (tag.number + 7 * tag.source as u64).is_multiple_of(5);
            assert_eq!(tag.stamp.is_none(), in_pieces);
        });
    }
}

#[test]
fn the_end_of_a_line_in_pieces_comes_with_the_next_line() {
    let folder = tempfile::tempdir().unwrap();
    // The second piece is due after a second.
    let slow = Live { files: 1, one_in_pieces: 1, duration: Duration::MAX, ..live() };
    let sources = Live { lines_per_second: 1, ..slow }.create(folder.path(), 7).unwrap();
    let path = sources.paths()[0].clone();
    let writers = sources.start().unwrap();
    let half = loop {
        let content = fs::read(&path).unwrap();
        if !content.is_empty() {
            break content;
        }
        std::thread::yield_now();
    };
    assert!(!half.contains(&b'\n'), "the line is whole from the start: {half:?}");
    drop(writers);
    let whole = fs::read(&path).unwrap();
    assert!(whole.starts_with(&half) && whole.ends_with(b"\n"), "{whole:?}");
}

#[test]
fn live_writers_end_when_they_are_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let endless = Live { duration: Duration::MAX, lines_per_second: u32::MAX, ..live() };
    drop(endless.create(folder.path(), 7).unwrap().start().unwrap());
}

#[test]
fn a_reader_of_a_file_sees_every_stamped_line_once() {
    let folder = tempfile::tempdir().unwrap();
    let sources = Live { files: 1, ..live() }.create(folder.path(), 7).unwrap();
    // The one source is also the output: a merge that takes no time.
    let output = sources.paths()[0].clone();
    let reader = OutputReader::of_file(&output).unwrap();
    let began = workload::monotonic_nanos();
    let written = sources.start().unwrap().join().unwrap();
    OpenOptions::new().append(true).open(&output).unwrap().write_all(b"no tag\ns0000 000").unwrap();
    let latencies = reader.finish().unwrap();
    let lasted = workload::monotonic_nanos() - began;
    assert_eq!(latencies.len() as u64, written.lines);
    assert!(latencies.iter().all(|&latency| 0 < latency && latency < lasted));
}

#[test]
fn a_reader_of_a_fifo_copies_everything_and_pauses() {
    let folder = tempfile::tempdir().unwrap();
    let [fifo, copy] = ["fifo", "copy.log"].map(|name| folder.path().join(name));
    let pauses = Pauses { every: Duration::ZERO, length: Duration::from_millis(5) };
    let reader = OutputReader::of_fifo(&fifo, &copy, pauses).unwrap();
    let begun = Instant::now();

    let paths = Backlog { files: 1, bytes: 1_000_000 }.make(folder.path(), 3).unwrap();
    let content = fs::read(&paths[0]).unwrap();
    let (first, second) = content.split_at(content.iter().position(|&b| b == b'\n').unwrap() + 1);
    let mut stamped = Vec::new();
    tag::write(&mut stamped, 0, 1, Some(workload::monotonic_nanos()), b"");
    // Opened and closed twice: the first close is no end.
    for part in [first, &[second, &stamped].concat()] {
        OpenOptions::new().write(true).open(&fifo).unwrap().write_all(part).unwrap();
    }
    assert_eq!(reader.finish().unwrap().len(), 1);
    // A pipe holds 64 KiB, so a megabyte takes 15 reads or more, each with a pause.
    assert!(begun.elapsed() >= 15 * pauses.length, "{:?}", begun.elapsed());
    assert!(fs::read(&copy).unwrap() == [&content[..], &stamped].concat());
}

#[test]
fn a_reader_ends_although_nobody_came_and_names_what_it_misses() {
    let folder = tempfile::tempdir().unwrap();
    let [output, fifo, copy] = ["never.log", "fifo", "copy.log"].map(|it| folder.path().join(it));
    let error = OutputReader::of_file(&output).unwrap().finish().unwrap_err();
    assert!(error.to_string().contains("never.log"), "{error}");
    drop(OutputReader::of_file(&output).unwrap());
    let of_fifo = || OutputReader::of_fifo(&fifo, &copy, Pauses::USUAL);
    assert_eq!(of_fifo().unwrap().finish().unwrap(), []);
    let error = of_fifo().unwrap_err();
    assert!(error.to_string().contains(fifo.to_str().unwrap()), "{error}");
    fs::remove_file(&fifo).unwrap();
    drop(of_fifo().unwrap());
}

#[test]
fn the_table_of_the_readme_is_the_table_of_the_code() {
    let readme = include_str!("../README.md");
    let rows: Vec<_> = readme.lines().filter(|line| line.starts_with("| `")).collect();
    let expected: Vec<_> =
        WORKLOADS.iter().map(|row| format!("| `{}` | {} |", row.name, row.sentence)).collect();
    assert_eq!(rows, expected);
}
