//! Every test and every refused program that the book names is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use book::pages;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Collects the names of all functions in Rust files under `folder`, and of the
/// files themselves.
fn collect(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).expect("a folder can be listed") {
        let path = entry.expect("a folder can be listed").path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "target") {
                collect(&path, names);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let stem = path.file_stem().expect("a file has a name");
            names.insert(stem.to_string_lossy().into_owned());
            let text = fs::read_to_string(&path).expect("a file can be read");
            let after = text.split("fn ").skip(1);
            names.extend(after.map(|rest| {
                rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
            }));
        }
    }
}

/// Finds what looks like the name of a test: words between backticks, four at
/// least, with underscores between them.
fn named(text: &str) -> impl Iterator<Item = &str> {
    let spans = text.split('`').skip(1).step_by(2);
    spans.filter(|span| {
        let one_of = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        span.matches('_').count() >= 3 && span.chars().all(one_of)
    })
}

#[test]
fn every_test_that_the_book_names_is_there() {
    let mut names = BTreeSet::new();
    collect(&root().join("crates"), &mut names);
    let mut missing = Vec::new();
    let mut right = 0;
    for page in pages(&root().join("docs/src")).expect("the book can be read") {
        for name in named(&page.text) {
            if names.contains(name) {
                right += 1;
            } else {
                missing.push(format!("{}: {name}", page.path.display()));
            }
        }
    }
    assert!(missing.is_empty(), "these are not there:\n{}", missing.join("\n"));
    assert!(right >= 30, "two for each stage and many more, found {right}");
}

#[test]
fn a_name_of_a_test_is_told_from_other_words() {
    let text = "`a_test_with_words` and `mod::a_test_with_words`, `two_words`, `a_b_c_D`";
    assert_eq!(named(text).collect::<Vec<_>>(), ["a_test_with_words"]);
}
