//! What the texts call by its name is there: every test, law and refused
//! program that stands between backticks.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use book_tests::{files, pages};

use crate::root;

/// Names the functions and modules that the Rust files under `folder` define, and
/// the refused programs, by their file.
fn defined(folder: &Path) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for path in files(folder).expect("the crates can be listed") {
        if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("a Rust file can be read");
            let items = ["fn ", "mod "].into_iter().flat_map(|word| text.split(word).skip(1));
            names.extend(items.map(|rest| {
                let end = rest.find(|c: char| !is_of_a_name(c)).unwrap_or(rest.len());
                rest[..end].to_owned()
            }));
            let name = path.file_stem().expect("a file has a name").to_string_lossy();
            names.insert(name.into_owned());
        }
    }
    names
}

fn is_of_a_name(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'
}

/// Finds what stands between backticks and reads like a sentence: four words or
/// more, which is how tests are named here, and metrics: those are another test's.
fn sentences(text: &str) -> Vec<&str> {
    let outside_of_listings = text.split("```").step_by(2);
    let spans = outside_of_listings.flat_map(|text| text.split('`').skip(1).step_by(2));
    let words = |span: &str| span.split('_').filter(|word| !word.is_empty()).count();
    let is_a_metric = |span: &str| span.starts_with("tributary_");
    let spans = spans.filter(|span| !is_a_metric(span) && words(span) >= 4);
    spans.filter(|span| span.chars().all(is_of_a_name)).collect()
}

#[test]
fn every_test_that_a_text_names_is_there() {
    let names = defined(&root().join("crates"));
    let mut missing = Vec::new();
    let mut found = 0;
    for page in pages(&root()).expect("the texts can be read") {
        for name in sentences(&page.text) {
            if names.contains(name) {
                found += 1;
            } else {
                missing.push(format!("{}: {name}", page.path.display()));
            }
        }
    }
    assert!(missing.is_empty(), "these tests are not there:\n{}", missing.join("\n"));
    assert!(found >= 100, "the book rests on its tests, and names {found}");
}

/// The rows of the README's table of patterns: the item, its file, and what holds it.
fn patterns(readme: &str) -> Vec<[&str; 3]> {
    let table = readme.split("## Patterns").nth(1).and_then(|rest| rest.split("\n## ").next());
    let rows = table.unwrap_or_default().lines().filter_map(|row| {
        let (item, rest) = row.split_once("[`")?.1.split_once("`](")?;
        let (file, rest) = rest.split_once(")")?;
        Some([item, file, rest.split('`').nth(1)?])
    });
    rows.collect()
}

#[test]
fn every_pattern_is_an_item_of_the_file_that_is_named() {
    let readme = fs::read_to_string(root().join("README.md")).expect("there is a README");
    let patterns = patterns(&readme);
    assert!(patterns.len() >= 10, "{patterns:?}");
    for [item, file, held_by] in patterns {
        let text = fs::read_to_string(root().join(file)).expect("a link leads to a file");
        let names = steps::names(&text);
        assert!(names.iter().any(|name| name == item), "{file} has no {item}: {names:?}");
        assert_eq!(sentences(&format!("`{held_by}`")), [held_by], "no name of a test");
    }
}

#[test]
fn every_promise_names_a_test_and_each_of_its_links_is_defined_and_used() {
    let page = include_str!("../../../docs/src/promises.md");
    let rows = page.lines().filter(|line| line.starts_with("| "));
    let rows = rows.map(|row| row.trim_matches('|').split('|').collect::<Vec<&str>>());
    let (heads, rows): (Vec<_>, Vec<_>) = rows.partition(|row| row.ends_with(&[" held by "]));
    // What is promised of a log, beside other tools; and over the wire.
    assert_eq!(heads.iter().map(Vec::len).collect::<Vec<_>>(), [8, 2]);
    assert!(rows.len() > 10, "the table is gone: {rows:?}");
    for row in &rows {
        let held_by = row.last().copied().unwrap_or_default();
        assert!([2, 8].contains(&row.len()), "not as wide as a table here: {row:?}");
        assert!(!sentences(held_by).is_empty(), "held by nothing: {row:?}");
    }
    let label = |part: &'static str| Some(part.split_once(']')?.0);
    let definitions = page.lines().filter(|line| line.contains("]: https://"));
    let defined = definitions.filter_map(|line| label(line.strip_prefix('[')?));
    let links = rows.iter().flatten().flat_map(|cell| cell.split("][").skip(1));
    assert_eq!(defined.collect::<BTreeSet<_>>(), links.filter_map(label).collect::<BTreeSet<_>>());
}

#[test]
fn a_name_is_found_between_backticks_and_not_in_a_listing() {
    let text = "`a_test_of_mine` and `short_one`, `not a name`\n```\n`in_a_listing_of_code`\n```\n`one_more_of_them`";
    assert_eq!(sentences(text), ["a_test_of_mine", "one_more_of_them"]);
}
