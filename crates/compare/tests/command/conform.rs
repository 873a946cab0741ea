//! `cargo compare conform`: any program, judged from outside.

use std::fs;

use serde_json::Value;

use crate::common::{all_instances, assert_refused, list, printed, run};

/// The script of somebody in a hurry: it reads with backslashes, and forgets a last
/// line without a newline.
const FIVE_LINES: &str = r#"
out=$1; shift
for file in "$@"; do
    while read line; do echo "$line"; done < "$file"
done > "$out""#;

/// The same for files that grow: each `tail` passes on half lines, and dies of the
/// signal.
const FOLLOWING: &str = r#"
out=$1; shift
: > "$out"
for f; do tail -n +1 -f "$f" >> "$out" & done
wait"#;

/// Judges a script, and returns the first ten lines of the answer.
fn first_lines(script: &str, within: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("merge.sh");
    fs::write(&path, script).unwrap();
    let words = ["--within", within, "--", "sh", path.to_str().unwrap(), "{output}", "{inputs}"];
    let said = printed(run(&[&["conform"][..], &words].concat()), 1);
    said.lines().take(10).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_first_ten_lines_say_what_is_wrong_with_a_script_that_follows() {
    // One law gives it six hundred files, and each `tail` is notified.
    let _instances = all_instances();
    let first = first_lines(FOLLOWING, "2");
    for said in ["follows its files", "is glued to other bytes", "it stands behind "] {
        assert!(first.contains(said), "{said} in: {first}");
    }
}

#[test]
fn the_first_ten_lines_say_what_is_wrong_with_a_script() {
    let first = first_lines(FIVE_LINES, "10");
    for said in [
        "ends by itself, so it is not asked about files that grow; 12 of 15 laws hold, 3 broken",
        "line 2 of source-0000.log is torn: at line 2, byte 4 of the output stands \"NUL\"",
        "line 1 of source-0001.log is missing, from line 7, byte 192 of the output on",
        "folder.log is not named on stderr",
    ] {
        assert!(first.contains(said), "{said} in: {first}");
    }
}

#[test]
fn a_program_that_hangs_breaks_the_law_and_is_killed_with_what_it_has_started() {
    let folder = tempfile::tempdir().unwrap();
    let started = folder.path().join("started");
    let hangs = format!("trap '' TERM; sleep 3600 & echo $! >> {}; wait", started.display());
    let line = format!("sh -c \"{hangs}\" - {{inputs}}");
    let law = ["--law", "every_line_is_merged_once", "--within", "1", "--json"];
    let said = printed(run(&[&["conform", "--program", &line][..], &law].concat()), 1);
    let said: Value = serde_json::from_str(&said).unwrap();
    let [program] = list(&said["programs"]) else { panic!("{said}") };
    let [law] = list(&program["laws"]) else { panic!("{said}") };
    assert_eq!(law["outcome"], "broken");
    let witness = law["witness"].as_str().unwrap();
    assert!(witness.starts_with("it did not end: killed 1 s after SIGTERM"), "{witness}");

    let started = fs::read_to_string(started).unwrap();
    assert!(!started.is_empty(), "nobody says what was started");
    testkit::until_ended(&started);
}

#[test]
fn a_program_that_makes_no_output_breaks_the_law_that_looks_at_it() {
    for script in ["echo \"$@\" >&2; exec sleep 3600", "mkdir $1; echo \"$@\" >&2; exec sleep 3600"]
    {
        let law = "an_unreadable_source_is_an_error_that_names_it";
        let words = ["--law", law, "--within=1", "--", "sh", "-c", script, "-"];
        let typed = [&["conform"][..], &words, &["{output}", "{inputs}"]].concat();
        let said = printed(run(&typed), 1);
        assert!(said.contains("the output cannot be checked: cannot read /"), "{said}");
    }
}

#[test]
fn a_law_that_is_not_asked_is_shown_as_such() {
    let law = "a_stop_ends_the_run";
    let said = printed(run(&["conform", "--law", law, "--", "cat", "{inputs}"]), 0);
    assert!(
        said.contains("0 of 0 laws hold") && said.contains("a_stop_ends_the_run    -"),
        "{said}"
    );
}

#[test]
fn a_program_that_cannot_be_judged_is_a_mistake() {
    for (typed, path, what) in [
        (&["conform"][..], "name a program", "{inputs}"),
        (&["conform", "--", "cat", "a.log"], "cat", "{inputs}"),
        (&["conform", "--", "/no/such/program", "{inputs}"], "/no/such/program", "No such file"),
        (&["conform", "--program", "cat '{inputs}"], "cat", "quote"),
    ] {
        assert_refused(&run(typed), path, what);
    }
}
