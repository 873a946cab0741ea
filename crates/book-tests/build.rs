//! Takes the writer thread out of stage 5 as it stands there, for the tests
//! that look at it without the rest of a merge; and applies each way out to its wrong
//! turn, so that both can be run.

use std::path::{Path, PathBuf};
use std::{env, fs};

/// Where the wrong turns are, each with its way out: the book's own, and the broken
/// mergers of the suite that a person would write.
const TURNS: [&str; 2] = ["src/bin/wrong-turns", "../conformance/tests/mergers"];

fn main() {
    let folder = env::var_os("OUT_DIR").expect("cargo names the folder");
    let (folder, here) = (Path::new(&folder), Path::new(env!("CARGO_MANIFEST_DIR")));
    let stage = here.join("../stage5-fully-async/src/lib.rs");
    let text = read(&stage);
    let part = text.split("// ANCHOR: writer\n").nth(1);
    let part = part.and_then(|part| part.split("// ANCHOR_END: writer\n").next());
    let part = part.expect("stage 5 marks its writer with an anchor");
    write(&folder.join("write_thread.rs"), part);
    println!("cargo::rerun-if-changed=build.rs");

    for turns in TURNS.map(|turns| here.join(turns)) {
        println!("cargo::rerun-if-changed={}", turns.display());
        for entry in fs::read_dir(turns).expect("the wrong turns can be listed") {
            let diff = entry.expect("the wrong turns can be listed").path();
            if diff.extension().is_some_and(|extension| extension == "diff") {
                let program = diff.with_extension("rs");
                let name: PathBuf = program.file_name().expect("a file has a name").into();
                let right = patched(&read(&program), &read(&diff))
                    .unwrap_or_else(|hunk| panic!("{}: not there once:\n{hunk}", diff.display()));
                // What is included may have no inner documentation.
                let lines = right.lines().filter(|line| !line.starts_with("//!"));
                write(&folder.join(name), &lines.collect::<Vec<_>>().join("\n"));
            }
        }
    }
}

/// Applies a diff whose hunks have no line numbers: what a hunk takes for given and what
/// it removes stands in the text once.
fn patched(text: &str, diff: &str) -> Result<String, String> {
    let mut text = text.to_owned();
    for hunk in diff.split_inclusive('\n').collect::<Vec<_>>().split(|line| line.starts_with("@@"))
    {
        let side = |left_out: char| {
            let lines = hunk.iter().filter(|line| !line.starts_with(left_out));
            lines.map(|line| line.get(1..).unwrap_or_default()).collect::<String>()
        };
        let (before, after) = (side('+'), side('-'));
        if hunk.is_empty() {
            continue;
        }
        if text.matches(&before).count() != 1 {
            return Err(before);
        }
        text = text.replacen(&before, &after, 1);
    }
    Ok(text)
}

fn read(file: &Path) -> String {
    println!("cargo::rerun-if-changed={}", file.display());
    fs::read_to_string(file).unwrap_or_else(|cause| panic!("{}: {cause}", file.display()))
}

fn write(file: &Path, text: &str) {
    fs::write(file, text).unwrap_or_else(|cause| panic!("{}: {cause}", file.display()));
}
