//! `cargo compare conform`: any program, held to the laws from outside.

use std::fs;

use serde_json::Value;

use crate::common::{assert_refused, list, printed, run};

/// What a person writes who needs it today: it reads with backslashes, and forgets a
/// last line without a newline.
const FIVE_LINES: &str = r#"
out=$1; shift
for file in "$@"; do
    while read line; do echo "$line"; done < "$file"
done > "$out""#;

#[test]
fn the_first_ten_lines_say_what_is_wrong_with_a_script() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("merge.sh");
    fs::write(&script, FIVE_LINES).unwrap();
    let script = script.to_str().unwrap();
    let said = printed(run(&["conform", "--", "sh", script, "{output}", "{inputs}"]), 1);
    let first: Vec<_> = said.lines().take(10).collect();
    let first = first.join("\n");
    for said in [
        "ends by itself; 11 of 14 laws hold, 3 broken",
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

    for process in fs::read_to_string(started).unwrap().lines() {
        testkit::until("the process is gone, or waits to be collected", || {
            let state = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
            state.is_empty() || state.contains(") Z ")
        });
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
