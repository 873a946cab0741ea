//! The logs that are merged, and whether they were.

use std::fs;
use std::path::{Path, PathBuf};

/// How many bytes a line has, with its newline.
pub(crate) const LINE: usize = 100;

/// Makes so many logs of so many bytes each.
pub(crate) fn make(folder: &Path, logs: usize, bytes: usize) -> Vec<PathBuf> {
    let path = |log| folder.join(format!("{log}.log"));
    for log in 0..logs {
        let lines = (0..bytes / LINE).map(|number| line(log, number));
        fs::write(path(log), lines.collect::<String>()).unwrap();
    }
    (0..logs).map(path).collect()
}

fn line(log: usize, number: usize) -> String {
    format!("{log:03} {number:07} {}\n", "x".repeat(LINE - 13))
}

/// Checks that a merged file has each line of each log once, whole and in order.
pub(crate) fn check(merged: &Path, logs: usize, bytes: usize) {
    let merged = fs::read_to_string(merged).unwrap();
    let mut next = vec![0; logs];
    for merged in merged.split_inclusive('\n') {
        let log: usize = merged[..3].parse().expect("a line is torn");
        assert_eq!(merged, line(log, next[log]), "a line is torn, missing or there twice");
        next[log] += 1;
    }
    assert_eq!(next, vec![bytes / LINE; logs], "lines are missing");
}
