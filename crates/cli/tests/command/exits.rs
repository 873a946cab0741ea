//! How the command ends, and what it says then.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Stdio;

use testkit::{Folder, Running, make_fifo, until};

use crate::process::{run, run_shell, shell, tributary};

fn one_log() -> Folder {
    Folder::of([("a.log", "one\n")])
}

#[test]
fn without_an_argument_the_usage_is_told() {
    let ended = run::<&str>(&one_log(), &[]).with(2);
    assert!(ended.stderr.starts_with("Usage: tributary"), "{}", ended.stderr);
    assert!(ended.stderr.lines().count() < 6, "{}", ended.stderr);
    assert_eq!(ended.stdout, b"");
}

#[test]
fn without_a_source_nothing_is_emptied() {
    let folder = one_log();
    let ended = run(&folder, &["-o", "a.log"]).with(2);
    assert!(ended.stderr.contains("<IN>"), "{}", ended.stderr);
    assert_eq!(folder.read("a.log"), "one\n");
}

#[test]
fn what_is_refused_is_told_on_one_line_and_nothing_is_changed() {
    let folder = one_log();
    folder.append("out", "before\n");
    fs::hard_link(folder.path("a.log"), folder.path("link")).unwrap();
    let wait = "check the name, or wait for the file with --follow";
    for (args, code, told) in [
        (&["a.log", "b.log", "-o", "out"][..], 2, &["b.log: ", "No such file", wait][..]),
        (&[".", "-o", "out"], 2, &[".: this is a directory"]),
        (&["/dev/null", "-o", "out"], 2, &["/dev/null: this is a device"]),
        (&["a.log", "-o", "link"], 2, &["link: ", "(as a.log)", "name another"]),
        (&["a.log", "-o", "no/out"], 3, &["no/out: ", "make its folder first"]),
        (&["a.log", "-o", "."], 3, &[".: ", "Is a directory", "name a file in it"]),
        (&["a.log", "-o", "/dev/full"], 3, &["/dev/full: ", "No space left", "make room"]),
    ] {
        run(&folder, args).error(code, told);
    }
    assert_eq!((folder.read("a.log"), folder.read("out")), ("one\n".into(), "before\n".into()));
    let ended = run(&folder, &["-"]).with(2);
    assert!(ended.stderr.contains("stdin cannot be merged"), "{}", ended.stderr);
    let full = fs::File::create("/dev/full").unwrap();
    let merge = Running::start(&folder, tributary(&folder, &["a.log"]).stdout(full));
    merge.end().error(3, &["No space left", "make room"]);
}

#[test]
fn values_that_mean_nothing_are_usage_errors() {
    let folder = one_log();
    for (flag, value) in [
        ("--interval", "5"),
        ("--interval", "0ms"),
        ("--interval", "-1s"),
        ("--latency", "-1ms"),
        ("--quiet-after", "soon"),
        ("--stage", "0"),
        ("--wake", "sometimes"),
        ("--color", "blue"),
        ("--prefix", "{"),
        ("--no-such-flag", "x"),
    ] {
        let ended = run(&folder, &["a.log", &format!("{flag}={value}")]).with(2);
        assert!(ended.stderr.contains(flag), "{flag} {value}: {}", ended.stderr);
    }
}

#[test]
fn a_reader_of_stdout_that_goes_away_is_no_error_also_while_nothing_is_written() {
    let folder = Folder::of([("a.log", &*"line\n".repeat(1_000_000)), ("quiet.log", "")]);
    for args in [&["a.log"][..], &["-F", "a.log"], &["-F", "--interval", "1h", "quiet.log"]] {
        let mut merge = Running::start(&folder, tributary(&folder, args).stdout(Stdio::piped()));
        drop(merge.child.stdout.take());
        assert_eq!(merge.end().with(0).stderr, "", "{args:?}");
    }
}

#[test]
fn a_named_pipe_whose_reader_goes_away_is_an_output_error() {
    let folder = Folder::of([("a.log", &"line\n".repeat(1_000_000))]);
    make_fifo(&folder.path("fifo"));
    let merge = Running::start(&folder, &mut tributary(&folder, &["a.log", "-o", "fifo"]));
    // The reader opens the FIFO, and closes it again.
    drop(fs::File::open(folder.path("fifo")).unwrap());
    merge.end().error(3, &["fifo: ", "Broken pipe"]);
}

#[test]
fn a_source_that_may_not_be_read_is_named() {
    let folder = one_log();
    fs::set_permissions(folder.path("a.log"), fs::Permissions::from_mode(0o000)).unwrap();
    // Root may read everything: then there is nothing to refuse.
    if fs::File::open(folder.path("a.log")).is_ok() {
        assert_eq!(run(&folder, &["a.log"]).out(), "one\n");
    } else {
        run(&folder, &["a.log"]).error(2, &["a.log: ", "ask for the permission"]);
    }
}

#[test]
fn a_checkpoint_of_no_use_is_an_output_error() {
    // The tests of the crate `tributary` show which checkpoints are of no use.
    let folder = Folder::of([("a.log", "one\n"), ("state", "{\"version\":")]);
    let args = ["a.log", "-o", "out", "--checkpoint", "state"];
    let safe = "move it away, and --append goes on behind the lines";
    run(&folder, &args).error(3, &["state: ", "damaged", "restore it", safe, "--restart"]);
    assert!(!folder.path("out").exists());
    fs::remove_file(folder.path("state")).unwrap();
    run(&folder, &args).with(0);
    let other = ["a.log", "-o", "other", "--checkpoint", "state"];
    run(&folder, &other).error(3, &["other: ", "the checkpoint state is of another output, "]);
    let elsewhere = ["a.log", "-o", "out", "--checkpoint", "no/state"];
    run(&folder, &elsewhere).error(3, &["no/state: ", "make its folder first"]);
    let no_file = ["a.log", "-o", "out", "--checkpoint", "/dev/null"];
    run(&folder, &no_file).error(3, &["/dev/null", "since this is no regular file; name another"]);
    let restart = ["a.log", "-o", "new", "--checkpoint", "a.log", "--restart"];
    run(&folder, &restart).error(3, &["a.log: ", "this is a file of another kind; name another"]);
    assert_eq!(folder.read("a.log"), "one\n");
    // Stdout cannot be cut back to a checkpoint.
    run(&folder, &["a.log", "--checkpoint", "state"]).with(2);
    let stdout = ["a.log", "-o", "-", "--checkpoint", "new"];
    run(&folder, &stdout).error(3, &["standard output: ", "name a file"]);
    assert_eq!(folder.read("out"), "one\n");
}

#[test]
fn an_output_is_never_emptied_because_its_checkpoint_is_missing() {
    let folder = one_log();
    folder.append("out", "months\nof\nlines\n");
    let args = ["a.log", "-o", "out", "--checkpoint", "state"];
    run(&folder, &args).error(
        3,
        &["out: it has 16 bytes, and no checkpoint says", "--append goes on", "--restart starts"],
    );
    assert_eq!(folder.read("out"), "months\nof\nlines\n");
    assert!(!folder.path("state").exists());
    run(&folder, &[&args[..], &["--append"]].concat()).with(0);
    assert_eq!(folder.read("out"), "months\nof\nlines\none\n");
    run(&folder, &[&args[..], &["--restart"]].concat()).with(0);
    assert_eq!(folder.read("out"), "one\n");
    // `--restart` makes no sense without a checkpoint, nor beside `--append`.
    run(&folder, &["a.log", "-o", "out", "--restart"]).with(2);
    run(&folder, &[&args[..], &["--restart", "--append"]].concat()).with(2);
}

#[test]
fn an_output_that_is_shorter_than_known_is_told_and_gone_on_with() {
    let folder = one_log();
    let args = ["a.log", "-o", "out", "--checkpoint", "state"];
    run(&folder, &args).with(0);
    fs::write(folder.path("out"), "").unwrap();
    folder.append("a.log", "two\n");
    let said = run(&folder, &args).with(0).stderr;
    assert!(said.starts_with("warning: out: it has 0 bytes, and the checkpoint"), "{said}");
    assert_eq!(folder.read("out"), "two\n");
}

#[test]
fn a_shell_with_closed_streams_is_no_obstacle() {
    let folder = one_log();
    for redirect in ["<&-", "<&- >&- 2>&-"] {
        run_shell(&folder, &format!("tributary a.log -o out {redirect}")).with(0);
        assert_eq!(folder.read("out"), "one\n");
        fs::remove_file(folder.path("out")).unwrap();
    }
}

#[test]
fn a_stdout_that_is_closed_is_an_output_error_and_takes_no_line() {
    let folder = one_log();
    let merge = |args: &str| run_shell(&folder, &format!("tributary {args}"));
    for args in ["a.log", "-F a.log", "-o - a.log", "man", "help", "--help", "completions bash"] {
        merge(&format!("{args} >&-")).error(3, &["stdout is closed", "write `> /dev/null`"]);
        merge(&format!("{args} <&- >&- 2>&-")).with(3);
        if !args.starts_with("-F") {
            assert_eq!(merge(&format!("{args} > /dev/null")).with(0).stderr, "");
        }
    }
    // What a closed stderr does not take goes nowhere else.
    merge("a.log . -o out 2>&-").with(1);
    assert_eq!(folder.read("out"), "one\n");
}

#[test]
fn a_source_that_fails_is_named_and_the_others_are_merged() {
    let folder = one_log();
    // A link that leads to itself: it fits the pattern, and cannot be opened.
    symlink("b.log", folder.path("b.log")).unwrap();
    let said = run(&folder, &["--watch", "*.log", "-o", "out"]).with(1).stderr;
    let last = said.lines().last().unwrap();
    assert!(last.starts_with("error: b.log: cannot read this source: "), "{said}");
    assert_eq!(folder.read("out"), "one\n");
}

#[test]
fn the_output_and_its_successor_follow_the_umask() {
    let folder = one_log();
    let line = "umask 027; exec tributary -F a.log -o out";
    let merge = Running::start(&folder, &mut shell(&folder, line));
    until("it has begun", || folder.read("out") == "one\n");
    folder.rename("out", "out.1");
    merge.terminate().with(0);
    for name in ["out", "out.1"] {
        let mode = fs::metadata(folder.path(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640, "{name}");
    }
}

#[test]
fn a_batch_for_which_there_is_no_room_is_cut_off() {
    let folder = one_log();
    // A limit of some kilobytes: the first part of the second batch is written.
    let limited = "ulimit -f 8; exec tributary -F a.log -o out";
    let merge = Running::start(&folder, shell(&folder, limited).stdout(Stdio::null()));
    until("it has begun", || folder.read("out") == "one\n");
    folder.append("a.log", &"another line\n".repeat(2_000));
    merge.end().error(3, &["File too large", "ulimit -f"]);
    assert_eq!(folder.read("out"), "one\n");
}

#[test]
fn of_too_few_descriptors_the_first_file_without_one_is_told_and_the_output_is_left_alone() {
    let folder = Folder::of([("out", "before\n")]);
    (0..60).for_each(|number| folder.append(&format!("{number}.log"), "line\n"));
    for sources in ["*.log", "--watch '*.log'"] {
        // From far too few for all to nearly enough.
        for limit in [30, 50, 70, 75] {
            let limited = format!("ulimit -n {limit}; exec tributary {sources} -o out");
            let limit = format!("too many open files, the limit is {limit}; raise it with");
            run_shell(&folder, &limited).error(2, &[".log: ", &limit, "`ulimit -n NUMBER`"]);
            assert_eq!(folder.read("out"), "before\n", "{sources}");
        }
    }
    // The others are merged, and these are tried again.
    let limited = "ulimit -n 50; exec tributary -F --watch '*.log' -o all";
    let merge = Running::start(&folder, &mut shell(&folder, limited));
    until("it is told", || merge.said().contains(".log: left out: Too many open files"));
    until("others are merged", || fs::read(folder.path("all")).is_ok_and(|it| it.len() > 50));
    merge.terminate().with(0);
}

#[test]
fn an_error_is_told_even_if_nobody_can_be_told() {
    let folder = one_log();
    for stderr in ["2>&-", "2>/dev/full"] {
        run_shell(&folder, &format!("tributary nope {stderr}")).with(2);
    }
}
