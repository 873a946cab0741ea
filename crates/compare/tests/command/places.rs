//! What the command writes, and where: nothing of anybody's is lost, and what
//! cannot be written is said before the work begins.

use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::common::{assert_refused, compare, json, run, shown, two_logs};

/// Runs the command in a folder.
fn run_in(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = compare();
    command.current_dir(folder).args(arguments).stdin(Stdio::null()).output().unwrap()
}

const BRIEF: [&str; 2] = ["--stages=1", "--runs=1"];

#[test]
fn a_log_is_never_replaced_by_the_page_or_the_result() {
    let folder = two_logs();
    symlink("a.log", folder.path().join("link")).unwrap();
    fs::hard_link(folder.path().join("a.log"), folder.path().join("hard")).unwrap();
    let before = ["a.log", "b.log"].map(|name| fs::read(folder.path().join(name)).unwrap());
    for (option, what) in [("--html", "page"), ("--json", "result")] {
        // As a shell makes it of `*.log`: the first is taken for the output.
        let output = run_in(folder.path(), &[option, "a.log", "b.log"]);
        assert_refused(
            &output,
            "a.log",
            &format!("this is no {what} of compare's, name another file with {option}"),
        );
        for name in ["a.log", "link", "hard", "./a.log"] {
            let output = run_in(folder.path(), &["a.log", option, name]);
            let advice = format!("(as a.log), name another file with {option}");
            assert_refused(&output, name, &advice);
        }
    }
    // Not even the one that could be written.
    let output = run_in(folder.path(), &["a.log", "--json", "new.json", "--html", "b.log"]);
    assert_refused(&output, "b.log", "this is no page of compare's");
    assert!(!folder.path().join("new.json").exists());
    let after = ["a.log", "b.log"].map(|name| fs::read(folder.path().join(name)).unwrap());
    assert_eq!(before, after);
}

#[test]
fn the_page_and_the_result_are_two_files_and_are_replaced_by_the_next_run() {
    let folder = two_logs();
    for (json, html) in [("new", "./new"), ("empty", "link")] {
        fs::write(folder.path().join("empty"), "").unwrap();
        let _ = symlink("empty", folder.path().join("link"));
        let output = run_in(folder.path(), &["a.log", "--json", json, "--html", html]);
        assert_refused(&output, html, "--json and --html name the same file");
    }
    for _ in 0..2 {
        let names = ["a.log", "--json", "result", "--html", "page"];
        let output = run_in(folder.path(), &[&BRIEF[..], &names].concat());
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{said}");
    }
    // What nobody has named is no reason to end.
    let beside = folder.path().join("target/compare");
    fs::create_dir_all(&beside).unwrap();
    fs::write(beside.join("index.html"), "mine").unwrap();
    let output = compare()
        .env("CARGO_TARGET_DIR", folder.path().join("target"))
        .args(BRIEF)
        .arg(folder.path().join("a.log"))
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("index.html: this is no page of compare's"), "{said}");
    assert!(!said.contains("page: "), "{said}");
    assert_eq!(fs::read(beside.join("index.html")).unwrap(), b"mine");
}

#[test]
fn a_pipe_gets_one_result_and_one_that_nobody_reads_is_refused() {
    let folder = two_logs();
    let fifo = folder.path().join("fifo");
    workload::make_fifo(&fifo).unwrap();
    for option in ["--json", "--html"] {
        let output = run_in(folder.path(), &["a.log", option, "fifo"]);
        assert_refused(&output, "fifo", "nobody reads this pipe, start its reader first");
    }
    // The end of the pipe is its first writer's: a second one would be too late.
    // Opened for both, so that it does not wait for the command.
    let held = File::options().read(true).write(true).open(&fifo).unwrap();
    let reader = thread::spawn({
        let fifo = fifo.clone();
        move || fs::read_to_string(fifo).unwrap()
    });
    let output = run_in(folder.path(), &["--stages=1,2", "--runs=2", "a.log", "--json", "fifo"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    drop(held);
    let result: serde_json::Value = serde_json::from_str(&reader.join().unwrap()).unwrap();
    assert_eq!(result["interrupted"], false);
}

#[test]
fn a_folder_that_cannot_be_written_is_refused_before_the_work() {
    let folder = two_logs();
    let a_file = folder.path().join("a.log");
    for option in ["--trace", "--figures"] {
        let output = run(&["--quick", option, shown(&a_file)]);
        assert_refused(&output, shown(&a_file), &format!("name another with {option}"));
    }
    let output = run_in(folder.path(), &["a.log", "--html", "."]);
    assert_refused(&output, ".", "this is a directory, name a file in it");
    let output = run_in(folder.path(), &["a.log", "--json", "missing/result"]);
    assert_refused(&output, "missing/result", "make the folder missing first");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!said.contains(".compare-"), "{said}");
    let missing = folder.path().join("missing");
    let output = compare().env("TMPDIR", &missing).arg(&a_file).output().unwrap();
    assert_refused(&output, shown(&missing), "TMPDIR");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!said.contains("tributary-compare-"), "{said}");
}

#[test]
fn a_folder_that_is_read_only_is_refused_before_the_work() {
    let folder = two_logs();
    let read_only = folder.path().join("read-only");
    fs::create_dir(&read_only).unwrap();
    let binary = folder.path().join("compare");
    // Root may write everywhere, so for root the command runs as nobody.
    let copied =
        std::process::Command::new("cp").arg(env!("CARGO_BIN_EXE_compare")).arg(&binary).status();
    assert!(copied.unwrap().success());
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(&read_only, fs::Permissions::from_mode(0o555)).unwrap();
    let is_root = File::create_new(read_only.join("file")).is_ok();
    let page = read_only.join("page");
    let log = folder.path().join("a.log");
    for (arguments, named) in [
        (["--quick", "--trace", shown(&read_only)], &read_only),
        (["--quick", "--figures", shown(&read_only)], &read_only),
        (["--quick", "--keep", shown(&read_only)], &read_only),
        ([shown(&log), "--html", shown(&page)], &page),
    ] {
        let mut command = std::process::Command::new(&binary);
        if is_root {
            command.uid(65534).gid(65534);
        }
        let output = command.args(arguments).current_dir("/").output();
        let output = output.expect("TMPDIR is a place where everybody may start a program");
        assert_refused(&output, shown(named), "ermission denied");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!said.contains(".compare-"), "{said}");
    }
}

#[test]
fn a_file_that_changes_in_the_midst_ends_the_run_and_what_was_seen_is_told() {
    for change in ["truncate", "remove"] {
        let folder = two_logs();
        let names = ["--stages=1", "--runs=1000", "--json", "result", "--html", "page", "a.log"];
        let mut command = compare();
        command.current_dir(folder.path()).args(names);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let result = folder.path().join("result");
        let begun = Instant::now();
        let has_rows = || result.exists() && json(&result)["workloads"][0]["rows"][0].is_object();
        while !has_rows() {
            assert!(begun.elapsed() < Duration::from_secs(60), "there is never a run");
            thread::sleep(Duration::from_millis(2));
        }
        let log = folder.path().join("a.log");
        match change {
            "truncate" => File::options().write(true).open(&log).unwrap().set_len(3).unwrap(),
            _ => fs::remove_file(&log).unwrap(),
        }
        let output = child.wait_with_output().unwrap();
        assert_refused(&output, "a.log", "has changed meanwhile");
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(said.contains("files: 1 file of your own"), "{said}");
        assert!(!said.contains("wrong"), "{said}");
        assert_eq!(said.lines().last(), Some("page: page"), "{said}");
        assert_eq!(json(&result)["interrupted"], true);
    }
}

#[test]
fn more_sources_than_may_be_open_are_refused_before_the_work() {
    let folder = tempfile::tempdir().unwrap();
    let result = folder.path().join("result");
    let limited = "ulimit -n 64 && exec \"$0\" \"$@\"";
    let output = std::process::Command::new("sh")
        .env("CARGO_TARGET_DIR", env!("CARGO_TARGET_TMPDIR"))
        .args(["-c", limited, env!("CARGO_BIN_EXE_compare"), "--workload=backlog"])
        .args(["--sources=100", "--json", shown(&result)])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("at most 64 files may be open at once"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}
