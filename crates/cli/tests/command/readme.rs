//! What the README of the project shows is what somebody who types it sees.

use std::fs::File;
use std::process::{Command, Stdio};

use crate::folder::Folder;
use crate::process::{Running, until};

/// The numbers are those of another day.
fn without_numbers(text: &str) -> String {
    let mut text = text.replace(|c: char| c.is_ascii_digit(), "0");
    while text.contains("00") {
        text = text.replace("00", "0");
    }
    text
}

#[test]
fn the_blocked_loop_of_the_readme_is_what_is_seen() {
    let readme = include_str!("../../../../README.md");
    let mut shown = readme.split("```").filter(|text| text.contains("mkfifo"));
    let shown = shown.next().expect("the README makes a FIFO");
    let (typed, told): (Vec<_>, Vec<_>) =
        shown.lines().skip(1).partition(|line| line.starts_with("$ "));
    assert!(typed[0].starts_with("$ cargo install"), "{shown}");
    let lines = typed[1..].iter().map(|line| line.trim_start_matches("$ "));
    let script = lines.collect::<Vec<_>>().join("\n") + "\nwait\n";
    // Not for a second, but until it is seen.
    assert!(script.contains("(sleep 1; cat)"), "{script}");
    let script = script.replace("sleep 1", "until [ -e seen ]; do sleep 0.01; done");

    let folder = Folder::new();
    let programs = env!("CARGO_BIN_EXE_tributary").trim_end_matches("tributary");
    let path = format!("{programs}:{}", std::env::var("PATH").unwrap());
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).env("PATH", path).current_dir(folder.folder());
    let merge = Running::start(&folder, shell.stdin(Stdio::null()).stdout(Stdio::null()));
    until("the first line is said", || merge.said().contains("blocks it"));
    File::create(folder.path("seen")).unwrap();
    let said = merge.end().with(0).stderr;
    // A machine that is busy may stall the loop once more.
    assert!(without_numbers(&said).contains(&without_numbers(&told.join("\n"))), "{said}");
    assert_eq!(folder.read("merged.log"), folder.read("app.log"));
}
