//! What the command reads and writes, and where: no existing file is lost, and what
//! cannot be done is refused before the work begins.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::process::Stdio;

use testkit::{make_fifo, until};

use crate::common::{
    assert_refused, compare, compare_after, json, printed, run, run_in, shown, two_logs,
};

#[test]
fn files_of_ones_own_are_merged_each_once_and_kept() {
    let folder = two_logs();
    symlink("a.log", folder.path().join("link.log")).unwrap();
    fs::hard_link(folder.path().join("a.log"), folder.path().join("hard.log")).unwrap();
    let before = ["a.log", "b.log"].map(|name| fs::read(folder.path().join(name)).unwrap());
    let names = ["a.log", "a.log", "link.log", "hard.log", "b.log"];
    let wanted = ["--stages", "1,tasks", "--keep", "keep/here", "--"];
    let said = printed(run_in(&folder, &[&wanted[..], &names].concat()), 0);
    assert!(said.contains("files: 2 files of your own, 28 bytes, 3 runs"), "{said}");
    for stage in ["stage1-threads", "stage4-tasks"] {
        let merged = format!("keep/here/files/merged-by-{stage}.log");
        assert_eq!(fs::read(folder.path().join(merged)).unwrap().len(), 29, "{stage}");
    }
    let after = ["a.log", "b.log"].map(|name| fs::read(folder.path().join(name)).unwrap());
    assert_eq!(before, after);
}

#[test]
fn nothing_that_is_there_is_replaced_unless_that_is_said() {
    let folder = two_logs();
    let path = |name: &str| folder.path().join(name);
    symlink("a.log", path("link")).unwrap();
    make_fifo(&path("fifo"));
    fs::create_dir(path("folder")).unwrap();
    fs::write(path("folder/mine"), "mine").unwrap();
    let refused = |typed: &[&str], named: &str, what: &str| {
        let typed = [&["--stages=1", "--runs=1", "b.log"], typed].concat();
        assert_refused(&run_in(&folder, &typed), named, what);
    };
    for option in ["--html", "--json"] {
        for name in ["a.log", "b.log", "./a.log"] {
            let advice = format!("a file by this name, name another with {option} or replace it");
            refused(&[option, name], name, &advice);
        }
        for name in ["link", "fifo", "folder"] {
            refused(&["--force", option, name], name, "this is no regular file");
        }
        refused(&[option, "missing/file"], "missing/file", "No such file or directory");
    }
    refused(&["--keep", "folder"], "folder", "not empty, name another with --keep");
    for page in ["new", "./new", "folder/../new"] {
        refused(&["--json", "new", "--html", page], "--json and --html name the same file", "");
    }
    for option in ["--trace", "--figures"] {
        let advice = format!("not empty, name another with {option}");
        assert_refused(&run_in(&folder, &["--quick", option, "folder"]), "folder", &advice);
        let advice = format!("name another with {option}");
        assert_refused(&run_in(&folder, &["--quick", option, "a.log"]), "a.log", &advice);
    }
    assert_eq!(fs::read(path("a.log")).unwrap(), b"one\ntwo\nthree");

    fs::write(path("page"), "old").unwrap();
    let names = ["--keep=folder", "--json=result", "--html=page", "--force", "b.log"];
    for _ in 0..2 {
        printed(run_in(&folder, &[&["--stages=1", "--runs=1"], &names[..]].concat()), 0);
    }
    assert!(fs::read_to_string(path("page")).unwrap().starts_with("<!DOCTYPE html>"));
    assert_eq!(json(&path("result"))["interrupted"], false);
    assert!(path("folder/files/merged-by-stage1-threads.log").exists());
    assert_eq!(fs::read(path("folder/mine")).unwrap(), b"mine");
}

#[test]
fn a_link_in_a_folder_is_not_replaced_nor_what_it_leads_to_even_if_files_are() {
    for (workload, name) in [
        ("backlog", "backlog/source-0000.log"),
        ("backlog", "backlog/merged-by-stage1-threads.log"),
        ("live", "live/stage1-threads/source-0000.log"),
    ] {
        let folder = two_logs();
        let link = folder.path().join("keep").join(name);
        fs::create_dir_all(link.parent().unwrap()).unwrap();
        symlink(folder.path().join("a.log"), &link).unwrap();
        let sizes = ["--sources=1", "--bytes=100", "--duration=0.1", "--stages=1", "--runs=1"];
        let typed = ["--workload", workload, "--keep=keep", "--force"];
        let output = run_in(&folder, &[&typed[..], &sizes].concat());
        assert_refused(&output, &format!("keep/{name}"), "this is no regular file");
        assert!(link.is_symlink(), "{name}");
        assert_eq!(fs::read(folder.path().join("a.log")).unwrap(), b"one\ntwo\nthree");
    }
}

#[test]
fn what_is_no_readable_log_file_is_refused_by_name() {
    let folder = two_logs();
    let [missing, fifo] = ["missing.log", "fifo"].map(|name| folder.path().join(name));
    make_fifo(&fifo);
    assert_refused(&run(&[shown(&missing)]), shown(&missing), "No such file");
    assert_refused(&run(&[shown(folder.path())]), shown(folder.path()), "this is a directory");
    assert_refused(&run(&["/dev/null"]), "/dev/null", "this is no regular file");
    assert_refused(&run(&[shown(&fifo)]), shown(&fifo), "this is no regular file");
}

#[test]
#[cfg(target_os = "linux")]
fn what_cannot_be_read_or_written_is_refused_by_name() {
    let folder = two_logs();
    let log = folder.path().join("a.log");
    // Not even root can do this.
    for (arguments, named, what) in [
        (&["/proc/self/mem"][..], "/proc/self/mem", "cannot read this file"),
        (&["--quick", "--trace", "/proc"], "/proc", "name another with --trace"),
        (&["--quick", "--figures", "/proc"], "/proc", "name another with --figures"),
        (&["--quick", "--keep", "/proc"], "/proc", "name another with --keep"),
        (&[shown(&log), "--html", "/proc/page"], "/proc/page", "name another with --html"),
    ] {
        assert_refused(&run(arguments), named, what);
    }
    let missing = folder.path().join("missing");
    let output = compare().env("TMPDIR", &missing).arg(&log).output().unwrap();
    assert_refused(&output, shown(&missing), "TMPDIR");
}

#[test]
fn a_file_that_changes_in_the_midst_ends_the_run_and_what_was_seen_is_told() {
    for change in ["truncate", "remove"] {
        let folder = two_logs();
        let [log, result] = ["a.log", "result"].map(|name| folder.path().join(name));
        let names = ["--stages=1", "--runs=1000", "--json", "result", "--html", "page", "a.log"];
        let mut command = compare();
        command.current_dir(folder.path()).args(names);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let has_rows = || {
            fs::metadata(&result).is_ok_and(|result| result.len() > 0)
                && json(&result)["workloads"][0]["rows"][0].is_object()
        };
        until("there is a run", has_rows);
        match change {
            "truncate" => File::options().write(true).open(&log).unwrap().set_len(3).unwrap(),
            _ => fs::remove_file(&log).unwrap(),
        }
        let output = child.wait_with_output().unwrap();
        assert_refused(&output, "a.log", "has changed meanwhile");
        let said = printed(output, 2);
        assert!(said.contains("files: 1 file of your own"), "{said}");
        assert!(!said.contains("wrong"), "{said}");
        assert_eq!(said.lines().last(), Some("page: page"), "{said}");
        assert_eq!(json(&result)["interrupted"], true);
        let page = fs::read_to_string(folder.path().join("page")).unwrap();
        assert!(page.starts_with("<!DOCTYPE html>"), "{page:.60}");
    }
}

#[test]
fn more_sources_than_may_be_open_are_refused_before_the_work() {
    let mut command = compare_after("ulimit -n 64");
    let output = command.args(["--workload=backlog", "--sources=100"]).output().unwrap();
    assert_refused(&output, "at most 64 files may be open at once", "ulimit -n");
}
