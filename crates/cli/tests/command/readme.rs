//! What the READMEs show is what somebody who types it sees.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use testkit::{Folder, Running, until};

use crate::flags::is_of_feature;
use crate::process::{run, shell};

/// The README of the project.
const PROJECT: &str = include_str!("../../../../README.md");

/// The README of the command.
const COMMAND: &str = include_str!("../../README.md");

/// Makes all numbers alike: they differ from run to run.
fn without_numbers(text: &str) -> String {
    let mut text = text.replace(|c: char| c.is_ascii_digit(), "0");
    while text.contains("00") {
        text = text.replace("00", "0");
    }
    text
}

#[test]
fn the_blocked_loop_of_the_readme_is_what_is_seen() {
    let mut shown = PROJECT.split("```").filter(|text| text.contains("mkfifo"));
    let shown = shown.next().expect("the README makes a FIFO");
    let (typed, told): (Vec<_>, Vec<_>) =
        shown.lines().skip(1).partition(|line| line.starts_with("$ "));
    assert!(typed[0].starts_with("$ cargo install"), "{shown}");
    let lines = typed[1..].iter().map(|line| line.trim_start_matches("$ "));
    let script = lines.collect::<Vec<_>>().join("\n") + "\nwait\n";
    // Blocked until the line is seen, instead of for a second.
    assert!(script.contains("(sleep 0.5; cat)"), "{script}");
    let script = script.replace("sleep 0.5", "until [ -e seen ]; do sleep 0.01; done");

    let folder = Folder::new();
    let merge = Running::start(&folder, shell(&folder, &script).stdout(Stdio::null()));
    // On a busy machine, something else may have blocked the loop before.
    let first = without_numbers(told[0]);
    until("the first line is said", || without_numbers(&merge.said()).contains(&first));
    File::create(folder.path("seen")).unwrap();
    let said = merge.end().with(0).stderr;
    // A busy machine may stall the loop once more.
    assert!(without_numbers(&said).contains(&without_numbers(&told.join("\n"))), "{said}");
    assert_eq!(folder.read("seen.log"), folder.read("app.log"));
}

/// Finds the lines that are typed in the consoles of a text, but for those of
/// the test above.
fn typed(text: &str) -> impl Iterator<Item = &str> {
    let consoles = text.split("```").skip(1).step_by(2).filter_map(|it| it.strip_prefix("console"));
    let consoles = consoles.filter(|console| !console.contains("mkfifo"));
    consoles.flat_map(str::lines).filter_map(|line| line.strip_prefix("$ "))
}

/// A folder that has logs where the READMEs have them, and a `tributary` that
/// writes its process id to `pid`.
fn machine() -> Folder {
    let folder =
        Folder::of([("log/app/a.log", "a: an error\n"), ("log/app/b.log", "b: an error\n")]);
    let script = "#!/bin/sh\necho $$ > pid\nexec \"$TRIBUTARY\" \"$@\"\n";
    folder.append("tributary", script);
    fs::set_permissions(folder.path("tributary"), fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

/// Reads the outputs that a command has made in the folder.
fn made(folder: &Folder) -> String {
    let names = ["stdout", "merged.log", "merged.jsonl"];
    names.iter().map(|name| folder.read(name)).collect()
}

#[test]
fn every_command_that_a_readme_shows_merges_what_there_is() {
    let mut commands = BTreeSet::new();
    for line in typed(COMMAND).chain(typed(PROJECT)) {
        commands.insert(line);
        let folder = machine();
        let path = format!("{}:{}", folder.folder().display(), std::env::var("PATH").unwrap());
        let mut shell = shell(&folder, &line.replace("/var/log", "log"));
        shell.env("PATH", path).env("TRIBUTARY", env!("CARGO_BIN_EXE_tributary"));
        let stdout = File::create(folder.path("stdout")).unwrap();
        let shell = Running::start(&folder, shell.stdout(stdout));
        if line.contains(" -F ") {
            until(line, || {
                folder.append("log/app/a.log", "a: an error that comes later\n");
                made(&folder).contains("a: an error that comes later")
            });
            let pid = folder.read("pid").trim().parse().ok().and_then(Pid::from_raw);
            kill_process(pid.expect("it told its process"), Signal::TERM).unwrap();
        }
        assert_eq!(shell.end().with(0).stderr, "", "{line}");
        let merged = made(&folder);
        assert!(merged.contains("b: an error") || line.contains("--from-end"), "{line}: {merged}");
    }
    assert!(commands.len() >= 5, "{commands:?}");
}

/// Finds what is said of this command: of a table, which compares commands, the last
/// column.
fn said_here(text: &str) -> String {
    let lines = text.lines().map(|line| match line.strip_prefix('|') {
        Some(row) => row.trim_end_matches('|').rsplit(" | ").next().unwrap_or(row),
        None => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Finds the flags of this command between backticks, in consoles and outside of
/// them.
fn flags(text: &str) -> BTreeSet<String> {
    let spans = text.split('`').skip(1).step_by(2).flat_map(|span| span.split(['|', '\n']));
    let ours = spans.map(|span| span.trim_start_matches(['$', ' ']));
    let ours = ours.filter(|span| span.starts_with("tributary ") || span.starts_with('-'));
    let words = ours.flat_map(str::split_whitespace).filter(|word| word.len() > 1);
    let flags = words.filter(|word| word.starts_with('-'));
    flags.filter_map(|flag| flag.split('=').next()).map(str::to_owned).collect()
}

#[test]
fn the_flags_that_the_readme_names_are_those_of_the_command() {
    let command = tributary_cli::command();
    let mut known = BTreeSet::from(["-h".to_owned(), "--help".to_owned()]);
    let mut shown = BTreeSet::new();
    for flag in command.get_arguments() {
        let short = flag.get_short_and_visible_aliases().unwrap_or_default();
        known.extend(short.into_iter().map(|short| format!("-{short}")));
        let long = flag.get_long().map(|long| format!("--{long}"));
        // The README is that of every build; the page of the book on streams names the
        // flags of the feature.
        if !flag.is_hide_set() && !is_of_feature(flag) {
            shown.extend(long.clone());
        }
        known.extend(long);
    }
    let named = flags(&said_here(COMMAND));
    let unknown: Vec<_> = named.difference(&known).collect();
    assert!(unknown.is_empty(), "these are no flags: {unknown:?}");
    let missing: Vec<_> = shown.difference(&named).collect();
    assert!(missing.is_empty(), "the README does not name {missing:?}");
}

#[test]
fn every_page_of_help_that_the_readme_names_is_there() {
    let spans = COMMAND.split('`').filter(|span| span.starts_with("tributary help "));
    let topics: BTreeSet<_> = spans.filter_map(|span| span.split(' ').nth(2)).collect();
    for topic in &topics {
        assert_ne!(run(&Folder::new(), &["help", topic]).out(), "", "{topic}");
    }
    assert!(topics.len() > 3, "{topics:?}");
}

#[test]
fn the_exit_codes_of_the_readme_are_those_of_the_help() {
    let codes = |text: &str, of: fn(&str) -> Option<&str>| -> Vec<u8> {
        text.lines().filter_map(|line| of(line)?.split_whitespace().next()?.parse().ok()).collect()
    };
    let help = tributary_cli::command().get_after_long_help().unwrap().to_string();
    let wanted = codes(&help, |line| line.strip_prefix("  "));
    assert_eq!(wanted.len(), 5, "{help}");
    assert_eq!(codes(COMMAND, |line| line.strip_prefix("| ")), wanted);
}
