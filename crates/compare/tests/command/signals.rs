//! How the command ends early, and what it leaves behind.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdout, Stdio};

use rustix::process::{Pid, Signal, getpgid, kill_process, kill_process_group};

use testkit::{make_fifo, until};

use crate::common::{compare, compare_after, json, list, printed, shown, some_instances};

/// Two workloads; the second takes ten minutes.
const LONG: [&str; 6] = [
    "--workload=backlog,live",
    "--sources=2",
    "--bytes=2000",
    "--duration=600",
    "--stages=1",
    "--runs=2",
];
/// A law that takes seconds, and is tried among the first.
const LAW: &str = "an_idle_source_is_looked_at_while_the_output_blocks";

/// Waits for the first table of a child. Returns the open pipe and what came from it so
/// far. The caller keeps the pipe, which has the rest.
fn until_the_first_table(child: &mut Child) -> (BufReader<ChildStdout>, String) {
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut said = String::new();
    while !said.contains("stage1-threads ") {
        assert_ne!(stdout.read_line(&mut said).unwrap(), 0, "{said}");
    }
    (stdout, said)
}

#[test]
fn whatever_ends_it_loses_no_run_that_had_ended() {
    for signal in [Signal::INT, Signal::TERM, Signal::KILL] {
        let (folder, temporary) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let [result, page] = ["result.json", "page.html"].map(|name| folder.path().join(name));
        let mut command = compare();
        command.args(LONG).args(["--json", shown(&result), "--html", shown(&page)]);
        command.env("TMPDIR", temporary.path()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let (mut stdout, mut said) = until_the_first_table(&mut child);
        kill_process(Pid::from_child(&child), signal).unwrap();
        stdout.read_to_string(&mut said).unwrap();
        let status = child.wait().unwrap();

        let result = json(&result);
        assert_eq!(result["interrupted"], true);
        // No run of `live` has ended.
        let [workload] = list(&result["workloads"]) else { panic!("{result}") };
        let rows = list(&workload["rows"]);
        assert_eq!(rows.len(), 2, "{rows:?}");
        assert!(rows.iter().all(|row| list(&row["time_seconds"]["runs"]).len() == 2), "{rows:?}");
        let left = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, 2, "half a file is left behind");
        if signal == Signal::KILL {
            continue;
        }
        assert_eq!(status.code(), Some(130), "{said}");
        assert!(said.contains("seen: On backlog, stage1-threads took "), "{said}");
        // The row of the stage, by its short name.
        assert!(fs::read_to_string(page).unwrap().contains(">1 threads</th>"));
        assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 0, "temporary files are left");
    }
}

/// Finds a process with these arguments and this `TMPDIR`.
#[cfg(target_os = "linux")]
fn process_with(arguments: &str, temporary: &Path) -> Option<Pid> {
    let temporary = format!("TMPDIR={}", temporary.display());
    fs::read_dir("/proc").unwrap().find_map(|process| {
        let process = process.unwrap();
        // The files of a process that has ended, or is another user's, cannot be read.
        let has = |file: &str, text: &str| {
            let said = fs::read(process.path().join(file)).unwrap_or_default();
            String::from_utf8_lossy(&said).contains(text)
        };
        let found = has("cmdline", arguments) && has("environ", &temporary);
        found.then(|| Pid::from_raw(process.file_name().to_str()?.parse().ok()?))?
    })
}

#[test]
#[cfg(target_os = "linux")]
fn an_interrupt_of_all_processes_breaks_no_law() {
    let _instances = some_instances();
    let (folder, temporary) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let result = folder.path().join("result.json");
    let sizes = ["--quick", "--stages=4", "--sources=2", "--bytes=2000", "--duration=0.1"];
    let mut command = compare();
    command.args(sizes).args(["--json", shown(&result)]).process_group(0);
    command.env("TMPDIR", temporary.path());
    let child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let law = ["law", "stage4-tasks", LAW].join("\0");
    let mut tried = None;
    until("a law is tried", || {
        tried = process_with(&law, temporary.path());
        tried.is_some()
    });
    // To the whole group, as a terminal sends it. A law in the group could be seen to
    // die of the signal before the command knows of it.
    assert_ne!(getpgid(tried).ok(), Some(Pid::from_child(&child)));
    kill_process_group(Pid::from_child(&child), Signal::INT).unwrap();
    let said = printed(child.wait_with_output().unwrap(), 130);
    let result = json(&result);
    let mut laws = list(&result["verdicts"]).iter().flat_map(|stage| list(&stage["laws"]));
    assert!(laws.all(|law| law["outcome"] != "wrong"), "{}", result["verdicts"]);
    assert!(!said.contains("wrong"), "{said}");
}

#[test]
#[cfg(target_os = "linux")]
fn what_is_ignored_at_the_start_stays_ignored() {
    let mut command = compare_after("trap '' HUP");
    command.args(LONG.map(|typed| typed.replace("600", "1")));
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let (mut stdout, mut said) = until_the_first_table(&mut child);
    kill_process(Pid::from_child(&child), Signal::HUP).unwrap();
    stdout.read_to_string(&mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{said}");
}

#[test]
fn the_second_signal_ends_it_at_once_and_names_what_is_left_behind() {
    let (folder, temporary) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let fifo = folder.path().join("fifo");
    make_fifo(&fifo);
    // Nobody reads this pipe, and it is full, so the first print blocks for ever.
    let mut full = File::options().read(true).write(true).open(&fifo).unwrap();
    full.write_all(&[b'.'; 65_536]).unwrap();
    let mut command = compare();
    command.args(LONG).env("TMPDIR", temporary.path()).stdout(full);
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let left = || fs::read_dir(temporary.path()).unwrap().next();
    until("it begins", || left().is_some());
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    stderr.read_line(&mut said).unwrap();
    assert_eq!(said, "stopping; a second signal ends at once\n");
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    stderr.read_to_string(&mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{said}");
    let left = left().expect("nobody removes it").unwrap().path();
    let named = format!("{}: this folder is left behind, remove it\n", left.display());
    assert!(said.ends_with(&named), "{said}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_kill_leaves_no_tail_behind() {
    let temporary = tempfile::tempdir().unwrap();
    let mut command = compare();
    command.args(["--workload=live", "--against=tail", "--stages=1", "--duration=600"]);
    command.env("TMPDIR", temporary.path()).stdout(Stdio::null());
    let mut child = command.spawn().unwrap();
    let tail = || process_with("tail\0-q", temporary.path());
    until("tail is run", || tail().is_some());
    child.kill().unwrap();
    // Until this wait, the dead process still exists for `tail --pid`.
    child.wait().unwrap();
    until("tail is gone", || tail().is_none());
}

#[test]
fn a_law_ends_with_who_has_asked() {
    let mut command = compare();
    command.args(["law", "4", LAW, "--within=20"]).stdin(Stdio::piped());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    drop(child.stdin.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(printed(output, 130), "", "there is an answer");
}
