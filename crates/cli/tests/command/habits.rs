//! What users of `tail` type by habit means the same here, or they are told what
//! to type instead.

use testkit::{Folder, until};

use crate::process::{follow, run, start};

fn three_lines() -> Folder {
    Folder::of([("a.log", "1\n2\n3\n")])
}

#[test]
fn plus_a_number_means_from_that_line_on() {
    let folder = three_lines();
    for (from, merged) in [
        ("+0", "1\n2\n3\n"),
        ("+1", "1\n2\n3\n"),
        ("+2", "2\n3\n"),
        ("+3", "3\n"),
        ("+4", ""),
        ("+18446744073709551615", ""),
    ] {
        assert_eq!(run(&folder, &["-n", from, "a.log"]).out(), merged, "{from}");
        assert_eq!(run(&folder, &[&*format!("--lines={from}"), "a.log"]).out(), merged, "{from}");
    }
    assert_eq!(run(&folder, &["--tail", "1", "a.log"]).out(), "3\n");
    for wrong in ["+", "+x", "++1", "x", "+-1"] {
        let ended = run(&folder, &["-n", wrong, "a.log"]).with(2);
        assert!(ended.stderr.contains("+N"), "{}", ended.stderr);
    }
    // Lines that are longer than what is read at once.
    let long = format!("{}\n", "x".repeat(100_000));
    folder.append("long.log", &format!("{long}{long}3\n{long}"));
    run(&folder, &["-n", "+3", "long.log", "-o", "out"]).with(0);
    assert_eq!(folder.read("out"), format!("3\n{long}"));
}

#[test]
fn plus_a_number_counts_what_is_there_and_a_file_that_comes_later_is_new() {
    let folder = three_lines();
    let merge = follow(&folder, &["-n", "+5", "a.log", "-o", "out"]);
    // The file ends before line 5, so all that comes is merged.
    until("it has begun", || {
        folder.append("a.log", "late\n");
        folder.read("out").contains("late\n")
    });
    folder.rename("a.log", "a.log.1");
    folder.append("a.log", "first\n");
    until("the new file is merged", || folder.read("out").ends_with("first\n"));
    merge.terminate().with(0);
    assert!(folder.read("out").starts_with("late\n"));
}

#[test]
fn flags_of_tail_follow_too() {
    for args in [
        &["-f"][..],
        &["--follow=name"],
        &["--follow", "--retry"],
        &["-fq"],
        &["-qF"],
        &["-vf", "--quiet"],
        &["--silent", "-fn1"],
    ] {
        let folder = Folder::of([("a.log", "1\n")]);
        let merge = start(&folder, &[args, &["-o", "out", "a.log"]].concat());
        until("it has begun", || folder.read("out") == "1\n");
        folder.rename("a.log", "a.log.1");
        folder.append("a.log", "2\n");
        until("a new file of that name is followed", || folder.read("out") == "1\n2\n");
        merge.terminate().with(0);
    }
}

#[test]
fn what_is_done_with_another_flag_is_told_on_one_line() {
    let folder = three_lines();
    for (args, told) in [
        (&["-5", "a.log"][..], "-5: for the last lines of each file write -n 5"),
        (&["-20f", "a.log"], "-20f: for the last lines of each file write -n 20"),
        (&["-c", "10", "a.log"], "-c: bytes are not counted here, lines are: -n N"),
        (&["--sleep-interval=1", "a.log"], "--interval"),
        (&["--since=10m", "a.log"], "--since: the times in the lines are not read, begin with"),
        (&["-u", "web", "-f"], "-u: the journal is not read, write it to a file first"),
        (&["-Fe", "error", "a.log"], "-e: lines are chosen behind it"),
        (&["-o", "json", "a.log"], "-o json: for a JSON object a line write --json"),
        (&["--output=json", "a.log"], "a file of that name is ./json"),
        (&["--exclude", "b*", "a.log"], "--exclude leaves files out of --watch: write --watch"),
    ] {
        run(&folder, args).error(2, &[told]);
    }
    run(&folder, &["-o", "./json", "a.log"]).with(0);
    assert_eq!(folder.read("json"), "1\n2\n3\n");
    run(&folder, &["-o", "", "a.log"]).with(2);
    let ended = run(&folder, &["--follow=descriptor", "a.log"]).with(2);
    assert!(ended.stderr.contains("files are followed by name"), "{}", ended.stderr);
    run(&folder, &["--no-such-flag", "a.log"]).with(2);
}
