//! The table of promises in the book names tests, and links to what it says.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const PAGE: &str = include_str!("../../../docs/src/promises.md");

/// Returns the rows of the table, each split into its cells.
fn rows() -> Vec<Vec<&'static str>> {
    let lines = PAGE.lines().filter(|line| line.starts_with("| "));
    let rows = lines.map(|line| line.trim_matches('|').split('|').map(str::trim).collect());
    rows.skip(1).collect()
}

/// Collects the names of all functions under a folder of sources.
fn functions(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        if path.is_dir() {
            if name != "target" {
                functions(&path, found);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            for line in fs::read_to_string(&path).unwrap().lines() {
                let line = line.trim_start().trim_start_matches("pub ");
                if let Some((name, _)) = line.strip_prefix("fn ").and_then(|it| it.split_once('('))
                {
                    found.insert(name.to_owned());
                }
            }
        }
    }
}

#[test]
fn every_promise_is_held_by_a_test_that_is_there() {
    let mut there = BTreeSet::new();
    functions(&Path::new(env!("CARGO_MANIFEST_DIR")).join(".."), &mut there);
    let rows = rows();
    assert!(rows.len() > 10, "the table is gone: {rows:?}");
    for row in rows {
        assert_eq!(row.len(), 8, "{row:?}");
        let tests: Vec<_> = row[7].split('`').skip(1).step_by(2).collect();
        assert!(!tests.is_empty(), "held by nothing: {}", row[0]);
        for test in tests {
            assert!(there.contains(test), "there is no such test: {test}, for: {}", row[0]);
        }
    }
}

#[test]
fn every_link_of_the_table_is_defined_and_every_definition_used() {
    let label = |part: &'static str| part.split_once(']').map(|(label, _)| label);
    let defined: BTreeSet<_> = PAGE
        .lines()
        .filter(|line| line.starts_with('[') && line.contains("]: https://"))
        .filter_map(|line| label(&line[1..]))
        .collect();
    let used: BTreeSet<_> = rows()
        .iter()
        .flatten()
        .flat_map(|cell| cell.split("][").skip(1))
        .filter_map(label)
        .collect();
    assert_eq!(used, defined);
}
