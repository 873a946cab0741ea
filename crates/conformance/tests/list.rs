//! The list of the laws against the files that hold them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use conformance::LAWS;

#[test]
fn every_law_is_in_the_list() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/laws");
    let mut written = BTreeSet::new();
    for theme in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let text = fs::read_to_string(&theme).unwrap();
        let functions = text.lines().filter_map(|line| line.strip_prefix("pub fn "));
        let name = |function: &str| function.split('(').next().unwrap().to_owned();
        let theme = theme.file_stem().unwrap().to_str().unwrap();
        written.extend(functions.map(|function| (theme.to_owned(), name(function))));
    }
    assert!(written.len() > 20, "the laws were not found: {written:?}");
    let listed = LAWS.iter().map(|law| (law.theme.to_owned(), law.name.to_owned()));
    assert_eq!(written, listed.collect(), "left: src/laws, right: the list in src/law.rs");
}
