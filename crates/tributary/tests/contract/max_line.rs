//! Lines that are longer than they may be: cut, counted, skipped to their end.

use std::fs;

use crate::common::Place;
use tributary::{Marks, Options};

/// A place whose merges cut longer lines.
fn place(max_line: u64) -> Place {
    let mut place = Place::with_checkpoint();
    place.options.max_line = Some(max_line);
    place
}

/// What a merge makes of `bytes`, and of how many lines.
fn cut(bytes: &[u8], max_line: usize) -> Vec<u8> {
    let lines = bytes.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n"));
    let cut = lines.map(|line| [&line[..max_line.min(line.len() - 1)], b"\n"].concat());
    cut.collect::<Vec<_>>().concat()
}

#[test]
fn a_line_that_is_too_long_is_cut_and_counted() {
    let place = place(5);
    place.append(&place.log, b"12345\n123456\n\n1234567890\nhalf");
    let mut plan = place.open();
    assert_eq!(plan.look(), "12345\n12345\n\n12345\n");
    place.append(&place.log, b" and more");
    plan.drain();
    place.append(&place.log, b" to come\nnext\n");
    assert_eq!(plan.look(), "12345\n12345\n\n12345\nhalf \nnext\n");
    let progress = &plan.progress().sources()[0];
    assert_eq!((progress.lines, progress.cut, progress.lag), (6, 3, Some(0)));
}

#[test]
fn the_offsets_are_those_of_the_file() {
    let place = place(3);
    place.append(&place.log, b"1\n12345\n2\n");
    let mut plan = place.open_with(|it| it.marks = Marks::Json);
    plan.drain();
    let merged = place.merged();
    for (line, offset) in merged.lines().zip([0, 2, 8]) {
        assert!(line.contains(&format!("\"offset\":{offset},")), "{line}");
    }
    assert_eq!(merged.lines().count(), 3);
}

#[test]
fn a_half_line_is_cut_at_the_end_of_a_run() {
    let place = place(3);
    place.append(&place.log, b"12345");
    let options = Options { checkpoint: None, follow: false, ..place.options.clone() };
    assert_eq!(place.run(&["app.log"], options.clone()), "123\n");
    // Also if it was read together with the line before it.
    fs::write(&place.log, b"1\n12345").unwrap();
    assert_eq!(place.run(&["app.log"], options), "1\n123\n");
}

#[test]
fn a_half_line_is_cut_where_its_rest_will_not_come() {
    let place = place(3);
    place.append(&place.log, b"1\n12345");
    let mut plan = place.open();
    assert_eq!(plan.look(), "1\n");
    fs::write(&place.log, b"2\n").unwrap();
    assert_eq!(plan.look(), "1\n123\n2\n");
    assert_eq!(plan.progress().sources()[0].cut, 1);
}

#[test]
fn a_line_without_an_end_fills_no_memory() {
    let place = place(1 << 20);
    let part = vec![b'x'; 1 << 20];
    (0..64).for_each(|_| drop(place.append(&place.log, &part)));
    place.append(&place.log, b"\nnext\n");
    let used = allocation_counter::measure(|| place.open().drain());
    assert!(place.merged().into_bytes() == [&part[..], b"\nnext\n"].concat());
    assert!(used.bytes_max < 8 << 20, "{used:?}");
}

#[test]
fn a_line_that_was_skipped_in_parts_is_known_again() {
    let place = place(3);
    place.append(&place.log, b"");
    let mut plan = place.open();
    for part in ["123456", "78", "90", "12\n"] {
        place.append(&place.log, part.as_bytes());
        plan.drain();
    }
    plan.end();
    place.append(&place.log, b"new\n");
    assert_eq!(place.open().look(), "123\nnew\n");
}

#[test]
fn a_merge_that_is_killed_anywhere_cuts_the_same_lines() {
    for seed in 0..200 {
        let mut random = fastrand::Rng::with_seed(seed);
        let most = [10, 600][random.usize(0..2)];
        let max_line = random.usize(1..most);
        let place = place(max_line as u64);
        let mut written = Vec::new();
        place.append(&place.log, b"");
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
            place.append(&place.log, &written[known..]);
            match random.u8(0..4) {
                0 => {
                    plan.look_once();
                }
                1 => {
                    plan.output.finish().unwrap();
                }
                2 => {
                    drop(plan);
                    plan = place.open();
                }
                _ => plan.drain(),
            }
        }
        plan.drain();
        assert!(place.merged().into_bytes() == cut(&written, max_line), "seed {seed}");
    }
}
