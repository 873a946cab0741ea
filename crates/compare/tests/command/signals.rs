//! How the command ends before its time, and what it leaves then.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, getpgid, kill_process, kill_process_group};

use crate::common::{compare, json, shown, two_logs};

/// Waits until the first table of a child is there, and returns the rest of what
/// it says and what it has said.
fn until_the_first_table(child: &mut Child) -> (BufReader<ChildStdout>, String) {
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut said = String::new();
    while !said.contains("stage1-threads ") {
        assert_ne!(stdout.read_line(&mut said).unwrap(), 0, "{said}");
    }
    (stdout, said)
}

#[test]
fn an_interrupt_keeps_the_rows_and_removes_the_files() {
    let (folder, temporary) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let result = folder.path().join("result.json");
    let sizes = ["--sources=2", "--bytes=2000", "--duration=600", "--stages=1", "--runs=1"];
    let mut child = compare()
        .args(["--workload", "backlog,live", "--json"])
        .arg(&result)
        .args(sizes)
        .env("TMPDIR", temporary.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // What runs then would take ten minutes.
    let (mut stdout, mut said) = until_the_first_table(&mut child);
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    stdout.read_to_string(&mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{said}");

    assert!(said.contains("seen: On backlog, stage1-threads took "), "{said}");
    let result = json(&result);
    assert_eq!(result["interrupted"], true);
    let workloads = result["workloads"].as_array().unwrap();
    let names: Vec<_> = workloads.iter().map(|workload| &workload["workload"]).collect();
    // Of `live`, nobody has come to an end.
    assert_eq!(names, ["backlog"]);
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 0, "temporary files are left");
}

/// Says whether a process with these arguments runs in the group that `leader`
/// leads.
#[cfg(target_os = "linux")]
fn runs_in_the_group_of(leader: &Child, arguments: &str) -> bool {
    fs::read_dir("/proc").unwrap().any(|process| {
        let process = process.unwrap();
        // One that has ended meanwhile has none.
        let command_line = fs::read(process.path().join("cmdline")).unwrap_or_default();
        let pid = process.file_name().to_str().and_then(|pid| Pid::from_raw(pid.parse().ok()?));
        String::from_utf8_lossy(&command_line).contains(arguments)
            && getpgid(pid).ok() == Some(Pid::from_child(leader))
    })
}

#[test]
#[cfg(target_os = "linux")]
fn an_interrupt_of_all_processes_breaks_no_law() {
    let folder = tempfile::tempdir().unwrap();
    let result = folder.path().join("result.json");
    let sizes = ["--quick", "--stages=4", "--sources=2", "--bytes=2000", "--duration=0.1"];
    let child = compare()
        .args(sizes)
        .args(["--json", shown(&result)])
        .process_group(0)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // This one takes seconds, and it is among the first.
    let law = ["law", "stage4-tasks", "an_idle_source_is_looked_at_while_the_output_blocks"];
    until(|| runs_in_the_group_of(&child, &law.join("\0")), "no law is ever tried");
    // As a terminal sends it: to all processes of the group.
    kill_process_group(Pid::from_child(&child), Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(130), "{said}");
    let result = json(&result);
    let verdicts = result["verdicts"].as_array().unwrap();
    let laws: Vec<_> =
        verdicts.iter().flat_map(|stage| stage["laws"].as_array().unwrap()).collect();
    assert!(laws.iter().all(|law| law["outcome"] != "wrong"), "{laws:?}");
    assert!(!said.contains("wrong"), "{said}");
}

#[test]
fn a_kill_in_the_middle_loses_no_run() {
    let (folder, temporary) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let [result, page] = ["result.json", "page.html"].map(|name| folder.path().join(name));
    let sizes = ["--sources=2", "--bytes=2000", "--duration=600", "--stages=1", "--runs=2"];
    let mut child = compare()
        .args(["--workload", "backlog,live"])
        .args(["--json", shown(&result), "--html", shown(&page)])
        .args(sizes)
        .env("TMPDIR", temporary.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // What runs then would take ten minutes. Held: a closed pipe ends it, too.
    let _said = until_the_first_table(&mut child);
    child.kill().unwrap();
    child.wait().unwrap();

    let result = json(&result);
    assert_eq!(result["interrupted"], true);
    let rows = result["workloads"][0]["rows"].as_array().unwrap();
    let runs: Vec<_> = rows.iter().map(|row| row["time_seconds"]["runs"].clone()).collect();
    assert!(
        runs.len() == 2 && runs.iter().all(|runs| runs.as_array().unwrap().len() == 2),
        "{rows:?}"
    );
    // The row, with the short name that a table has.
    assert!(fs::read_to_string(page).unwrap().contains(">1 threads</th>"));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "half a file is left behind");
}

#[test]
#[cfg(target_os = "linux")]
fn what_is_ignored_at_the_start_stays_ignored() {
    let folder = two_logs();
    let ignoring = "trap '' HUP; exec \"$0\" \"$@\"";
    let sizes = ["--sources=2", "--bytes=2000", "--duration=1", "--stages=1", "--runs=1"];
    let mut child = Command::new("sh")
        .env("CARGO_TARGET_DIR", env!("CARGO_TARGET_TMPDIR"))
        .args(["-c", ignoring, env!("CARGO_BIN_EXE_compare"), "--workload=backlog,live"])
        .args(sizes)
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut stdout, mut said) = until_the_first_table(&mut child);
    kill_process(Pid::from_child(&child), Signal::HUP).unwrap();
    stdout.read_to_string(&mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{said}");
}

#[test]
fn the_second_signal_ends_it_at_once_and_names_what_is_left_behind() {
    let (folder, temporary) = (two_logs(), tempfile::tempdir().unwrap());
    let fifo = folder.path().join("fifo");
    workload::make_fifo(&fifo).unwrap();
    // Nobody takes anything out of this pipe, and there is no room for the page
    // in it, so the end takes for ever.
    let mut full = File::options().read(true).write(true).open(&fifo).unwrap();
    full.write_all(&[b'.'; 60_000]).unwrap();
    let mut child = compare()
        .args(["--stages=1", "--runs=1", "--html", shown(&fifo)])
        .arg(folder.path().join("a.log"))
        .env("TMPDIR", temporary.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let _said = until_the_first_table(&mut child);
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    stderr.read_line(&mut said).unwrap();
    assert_eq!(said, "stopping; a second signal ends at once\n");
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    stderr.read_to_string(&mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{said}");
    let left: Vec<_> = fs::read_dir(temporary.path()).unwrap().collect();
    let [Ok(left)] = &left[..] else { panic!("{left:?}") };
    let named = format!("{}: this folder is left behind, remove it\n", left.path().display());
    assert!(said.ends_with(&named), "{said}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_kill_leaves_no_tail_behind() {
    let temporary = tempfile::tempdir().unwrap();
    let mut child = compare()
        .args(["--workload=live", "--against=tail", "--stages=1", "--sources=2", "--duration=600"])
        .env("TMPDIR", temporary.path())
        .process_group(0)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let tail = "tail\0-q";
    until(|| runs_in_the_group_of(&child, tail), "tail is never run");
    child.kill().unwrap();
    // Until then it is there, for `tail`. As long as `tail` is, no other group
    // has its number.
    child.wait().unwrap();
    until(|| !runs_in_the_group_of(&child, tail), "tail is left behind");
}

#[test]
fn a_law_ends_with_who_has_asked() {
    let folder = tempfile::tempdir().unwrap();
    let verdict = folder.path().join("verdict");
    // This one takes seconds.
    let law = "an_idle_source_is_looked_at_while_the_output_blocks";
    let mut child = compare()
        .args(["law", "4", law, "--within=20", "--attended", "--verdict", shown(&verdict)])
        .env("TMPDIR", folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    drop(child.stdin.take());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(!verdict.exists());
}

/// Waits until something is so.
fn until(mut is_so: impl FnMut() -> bool, what: &str) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{what}");
        thread::sleep(Duration::from_millis(2));
    }
}
