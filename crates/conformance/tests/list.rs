//! The list of the laws against the files that hold them.

use std::fs;
use std::path::{Path, PathBuf};

use conformance::LAWS;

/// A law as its file has it.
#[derive(Debug, PartialEq)]
struct Written {
    theme: String,
    name: String,
    sentence: String,
}

#[test]
fn the_list_is_what_the_files_have() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/laws");
    let mut themes: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    themes.retain(|path| !path.ends_with("mod.rs"));

    let mut written: Vec<Written> = themes.iter().flat_map(|path| laws_of(path)).collect();
    let mut listed: Vec<Written> = LAWS
        .iter()
        .map(|law| Written {
            theme: law.theme.into(),
            name: law.name.into(),
            sentence: law.sentence.into(),
        })
        .collect();
    assert!(written.len() > 20, "the laws were not found: {written:?}");
    // The order in a file is that of the list; the order of the files is not.
    written.sort_by(|a, b| a.theme.cmp(&b.theme));
    listed.sort_by(|a, b| a.theme.cmp(&b.theme));
    for (written, listed) in written.iter().zip(&listed) {
        assert_eq!(written, listed, "left: src/laws, right: the list in src/law.rs");
    }
    assert_eq!(written.len(), listed.len(), "a law is in src/laws or in the list alone");
}

#[test]
fn the_readme_has_every_law() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(readme).unwrap();
    let written: Vec<&str> = readme.lines().filter(|line| line.starts_with("| `")).collect();
    let listed: Vec<String> =
        LAWS.iter().map(|law| format!("| `{}` | {} |", law.name, law.sentence)).collect();
    assert_eq!(written, listed, "left: README.md, right: the list in src/law.rs");
}

/// Returns the public functions of a file, with the first line of their
/// documentation.
fn laws_of(path: &Path) -> Vec<Written> {
    let theme = path.file_stem().unwrap().to_str().unwrap();
    let text = fs::read_to_string(path).unwrap();
    let mut laws = Vec::new();
    let mut sentence = None;
    for line in text.lines() {
        if let Some(doc) = line.strip_prefix("/// ") {
            sentence.get_or_insert(doc);
        } else if line != "///" {
            let documented = sentence.take();
            if let Some(function) = line.strip_prefix("pub fn ") {
                let name = function.split_once('(').expect("a function has parameters").0;
                let sentence = documented.unwrap_or_else(|| panic!("{name} is not documented"));
                let (theme, name, sentence) = (theme.into(), name.into(), sentence.into());
                laws.push(Written { theme, name, sentence });
            }
        }
    }
    laws
}
