//! The outputs that the book shows are those of programs that are there, and
//! all of them are shown.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use book_tests::{includes, output, pages};

/// More than any of these programs takes, so that only a hang meets it.
const LONG: Duration = Duration::from_secs(60);

fn shell(script: &str, limit: Duration) -> String {
    let mut command = Command::new("sh");
    command.arg("-c").arg(script);
    output(command, limit).expect("a shell can be run")
}

#[test]
fn an_output_is_what_was_said_on_both_streams_and_how_it_ended() {
    assert_eq!(shell("echo one; echo two >&2; echo three", LONG), "one\ntwo\nthree\n");
    assert_eq!(shell("echo no >&2; exit 3", LONG), "no\n(exit code 3)\n");
    assert_eq!(shell("printf half; kill -TERM $$", LONG), "half\n(ended by signal 15)\n");
    assert_eq!(shell("true", LONG), "");
}

#[test]
fn what_hangs_is_ended_with_all_of_its_children() {
    let begin = Instant::now();
    // The child holds the stream open, and would outlive its shell.
    let said = shell("echo waiting; sleep 600 & wait", Duration::from_secs(1));
    assert_eq!(said, "waiting\n(hangs: stopped after 1 s)\n");
    assert!(begin.elapsed() < LONG, "its child was waited for");
}

/// Names the files of a folder, without their extension.
fn names(folder: &Path, extension: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let paths = entries.map(|entry| entry.expect("a folder can be listed").path());
    let paths = paths.filter(|path| path.extension().is_some_and(|it| it == extension));
    paths.map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned()).collect()
}

#[test]
fn every_example_has_an_output_and_every_output_has_an_example_and_is_shown() {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let outputs = here.join("../../docs/src/outputs");
    let made = names(&outputs, "txt");
    let examples = names(&here.join("examples"), "rs");
    let missing: Vec<_> = examples.difference(&made).collect();
    assert!(missing.is_empty(), "`just refresh` has not been run for {missing:?}");
    let left: Vec<_> = made.difference(&examples).collect();
    assert!(left.is_empty(), "nothing makes {left:?} any more");

    let pages = pages(&here.join("../../docs/src")).expect("the book can be read");
    let shown: BTreeSet<_> = pages
        .iter()
        .flat_map(|page| includes(&page.text))
        .filter_map(|include| include.ok()?.file.file_stem()?.to_str().map(str::to_owned))
        .collect();
    let unseen: Vec<_> = made.difference(&shown).collect();
    assert!(unseen.is_empty(), "no page shows {unseen:?}");
}
