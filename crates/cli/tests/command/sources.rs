//! What is told of sources that are not what they should be.

use std::fs;
use std::path::Path;

use testkit::{Folder, make_fifo, until};

use crate::process::{follow, run, run_shell};

/// A folder with two logs, and with an output that has lines.
fn logs() -> Folder {
    Folder::of([("logs/a.log", "one\n"), ("logs/b.log", "two\n"), ("out", "before\n")])
}

#[test]
fn a_pattern_that_fits_nothing_is_a_usage_error_and_nothing_is_changed() {
    let folder = logs();
    for (pattern, told) in [
        ("log/*.log", "no file fits this pattern"),
        ("~/logs/*.log", "the shell does not expand ~ in quotes, write $HOME"),
        ("$HOME/logs/*.log", "the shell does not expand $ in single quotes, write double ones"),
        ("logs", "name the files in it: logs/*"),
        // Only the output fits, which is no source.
        ("ou*", "no file fits this pattern"),
    ] {
        run(&folder, &["-o", "out", "--watch", pattern]).error(2, &[pattern, told]);
        // It stays an error beside a pattern that fits and a log that is named.
        let args = ["-o", "out", "logs/a.log", "--watch", "logs/*", "--watch", pattern];
        run(&folder, &args).error(2, &[pattern, told]);
        assert_eq!(folder.read("out"), "before\n", "{pattern}");
    }
    run(&folder, &["-o", "new", "--watch", "log/*.log"]).with(2);
    assert!(!folder.path("new").exists());
    let braces = run(&folder, &["--watch", "logs/{a,b}.log"]).out();
    assert_eq!(braces.len(), "one\ntwo\n".len(), "{braces}");
}

#[test]
fn a_pattern_that_fits_nothing_is_told_once_and_waited_for() {
    let folder = logs();
    let args = ["-o", "out", "--watch", "late/*.log", "--watch", "~/*.log"];
    let merge = follow(&folder, &args);
    until("both are told", || merge.said().lines().count() == 2);
    folder.append("late/a.log", "late\n");
    until("it is merged", || folder.read("out") == "late\n");
    let said = merge.terminate().with(0).stderr;
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(
        lines,
        [
            "warning: \"late/*.log\": no file fits this pattern; waiting for one",
            "warning: \"~/*.log\": no file fits this pattern; the shell does not expand ~ in \
             quotes, write $HOME; waiting for one",
        ]
    );
}

#[test]
fn a_name_that_is_not_there_is_told_once_and_waited_for() {
    let folder = logs();
    // A name that is given twice is one source.
    let args = ["-o", "out", "late.log", "logs/a.log", "late.log"];
    let merge = follow(&folder, &args);
    until("it has begun", || folder.read("out") == "one\n");
    assert_eq!(merge.said(), "warning: late.log: no such file; waiting for it\n");
    folder.append("late.log", "late\n");
    until("it is merged", || folder.read("out") == "one\nlate\n");
    assert_eq!(merge.terminate().with(0).stderr.lines().count(), 1);
}

#[test]
fn a_pattern_that_the_shell_has_left_as_it_is_is_told_from_a_name() {
    let folder = logs();
    run(&folder, &["-o", "out", "late/*.log"]).error(2, &["late/*.log: ", "--watch takes a"]);
    assert_eq!(folder.read("out"), "before\n");
    let merge = follow(&folder, &["late/*.log"]);
    until("it is told", || merge.said().ends_with('\n'));
    let said = merge.terminate().with(0).stderr;
    assert!(said.contains("a file of that very name, since --watch takes patterns"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn a_folder_among_the_sources_is_told_and_passed_over() {
    let folder = logs();
    fs::create_dir(folder.path("logs/journal")).unwrap();
    make_fifo(&folder.path("logs/pipe"));
    let args = ["logs/a.log", "logs/b.log", "logs/journal", "logs/pipe"];
    let said = "warning: logs/journal: this is a directory, not a log file; left out\n\
                warning: logs/pipe: this is a pipe, not a log file; left out\n";
    let ended = run(&folder, &args).with(1);
    assert_eq!(ended.stderr, said);
    let merged = ended.stdout;
    assert!(merged == b"one\ntwo\n" || merged == b"two\none\n");
    // A merge that follows is a service: its end is no error.
    let merge = follow(&folder, &args);
    until("all is merged", || folder.read("stdout").lines().count() == 2);
    assert_eq!(merge.terminate().with(0).stderr, said);
}

#[test]
fn where_nothing_else_is_left_a_folder_is_a_usage_error_and_nothing_is_changed() {
    let folder = logs();
    let told = "logs: this is a directory, not a log file; for the logs in it write --watch";
    for args in [&["logs"][..], &["logs", "/dev/null"], &["-F", "logs", "."]] {
        run(&folder, &[args, &["-o", "out"]].concat()).error(2, &[told]);
        assert_eq!(folder.read("out"), "before\n");
    }
    // A pipe, as `<(zcat old.gz)` is.
    make_fifo(&folder.path("pipe"));
    run(&folder, &["pipe"]).error(2, &["pipe: this is a pipe", "`zcat old.gz > old.log`"]);
}

#[test]
fn a_log_that_is_no_text_as_others_are_is_told_once() {
    let folder = Folder::new();
    let utf_16 = |text: &str, order: fn(u16) -> [u8; 2]| {
        let units = text.encode_utf16().flat_map(order);
        units.collect::<Vec<u8>>()
    };
    fs::write(folder.path("le.log"), utf_16("\u{feff}one\r\ntwo\r\n", u16::to_le_bytes)).unwrap();
    // No line has ended.
    fs::write(folder.path("be.log"), utf_16("\u{feff}one", u16::to_be_bytes)).unwrap();
    fs::write(folder.path("nul.log"), b"\0\0\0\0one\n").unwrap();
    folder.append("ascii.log", "ascii\n");
    let utf_8 = "\u{feff}with a mark\n";
    folder.append("utf-8.log", utf_8);
    let said = |log: &str| {
        let ended = run(&folder, &["ascii.log", log, "-o", "out"]).with(0);
        assert!(folder.read("out").contains("ascii\n"));
        ended.stderr
    };
    for log in ["le.log", "be.log"] {
        let told = said(log);
        assert!(told.starts_with(&format!("warning: {log}: ")), "{told}");
        assert!(told.contains("UTF-16") && told.contains("iconv"), "{told}");
        assert_eq!(told.lines().count(), 1, "{told}");
    }
    let told = said("nul.log");
    assert!(told.starts_with("warning: nul.log: it begins with a NUL"), "{told}");
    assert_eq!(said("utf-8.log"), "");
}

#[test]
fn an_empty_name_asks_for_the_variable() {
    let ended = run(&logs(), &["-F", ""]).with(2);
    assert!(ended.stderr.contains("an empty name: is a variable unset?"), "{}", ended.stderr);
}

#[test]
fn an_output_that_the_shell_has_emptied_is_explained() {
    let folder = logs();
    run_shell(&folder, "tributary logs/a.log > logs/a.log").error(
        2,
        &["the output is also a source (as logs/a.log)", "the shell has emptied it", "use -o"],
    );
    run_shell(&folder, "tributary logs/b.log >> logs/b.log").error(2, &["name another output"]);
    assert_eq!(folder.read("logs/b.log"), "two\n");
    run(&folder, &["logs/b.log", "-o", "logs/b.log"]).error(2, &["nothing was changed"]);
}

#[test]
fn sources_come_from_a_list() {
    let folder = logs();
    folder.append("list", "logs/a.log\n\nlogs/b.log\n");
    let sorted = |line: &str| {
        let merged = run_shell(&folder, line).out();
        let mut lines: Vec<String> = merged.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted("tributary --files-from - < list"), ["one", "two"]);
    // In a list with NULs, a newline is a part of a name.
    folder.append("new\nline.log", "three\n");
    let nuls = "printf 'logs/a.log\\0new\\nline.log\\0' | tributary --files-from - logs/b.log";
    assert_eq!(sorted(nuls), ["one", "three", "two"]);
    // A source that is not there is named, as on the command line.
    folder.append("list", "-\n");
    let unknown = run(&folder, &["-o", "out", "--files-from", "list"]);
    unknown.error(2, &["-: cannot open this source"]);
    for list in ["/dev/null", "no/list", "."] {
        let ended = run(&folder, &["-o", "out", "--files-from", list]);
        ended.error(2, &[list]);
    }
    assert_eq!(folder.read("out"), "before\n");
    assert!(Path::new("/dev/null").exists());
}

#[test]
fn a_list_may_be_longer_than_a_command_line_and_than_the_usual_limit_of_open_files() {
    let folder = Folder::new();
    let names: Vec<String> = (0..300).map(|n| format!("logs/{n}.log")).collect();
    names.iter().for_each(|name| folder.append(name, "line\n"));
    folder.append("list", &(names.join("\n") + "\n"));
    let merged = run_shell(&folder, "ulimit -S -n 99; tributary --files-from list").out();
    assert_eq!(merged, "line\n".repeat(300));
}

#[test]
fn a_trace_of_several_lines_may_be_parted() {
    let folder = Folder::of([("a.log", ""), ("b.log", "")]);
    let merge = follow(&folder, &["a.log", "b.log"]);
    let mut merged = String::new();
    for (log, line) in [("a.log", "trace:\n"), ("b.log", "other\n"), ("a.log", "  at x\n")] {
        folder.append(log, line);
        merged += line;
        until("the line is merged", || folder.read("stdout") == merged);
    }
    merge.terminate().with(0);
}

#[test]
fn a_log_that_was_replaced_too_early_is_read_again_and_told() {
    let folder = Folder::of([("a.log", "one\n")]);
    let merge = follow(&folder, &["a.log"]);
    until("the first line is there", || folder.read("stdout") == "one\n");
    // `rsync` does so without `--inplace`.
    folder.append(".a.log.Xy12Ab", "one\ntwo\n");
    folder.rename(".a.log.Xy12Ab", "a.log");
    until("it is read again", || folder.read("stdout") == "one\none\ntwo\n");
    let told = "warning: a.log: replaced by a file that begins with the same lines; read from its \
                start\n";
    assert_eq!(merge.terminate().with(0).stderr, told);
}

#[test]
fn a_pipe_back_into_a_watched_folder_is_read_again() {
    let folder = logs();
    // Like `tee`, but it ends after a hundred lines.
    let tee = "n=0; while [ $n -lt 100 ] && read -r line; do echo \"$line\"; n=$((n + 1)); done";
    let follow = "tributary -F --watch 'logs/*.log'";
    run_shell(&folder, &format!("{follow} | {{ {tee}; }} > logs/all.log")).with(0);
    let merged = folder.read("logs/all.log");
    assert_eq!(merged.lines().count(), 100);
    assert!(merged.matches("one\n").count() > 10, "{merged}");
}
