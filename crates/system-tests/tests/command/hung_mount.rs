//! A mount whose server does not answer: it holds up the source on it, and no other
//! source. Metrics on it hold up no line.

use std::fs;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use stages::{STAGES, Stage};
use system_tests::{line, lost, program};
use testkit::{Folder, Running, until};

use crate::{append, runs, unshare};

/// The id of a process: the server of a FUSE mount, or a merge that hangs on it.
struct Process(String);

impl Process {
    /// Returns the process whose id is in this file.
    fn of(folder: &Folder, file: &str) -> Process {
        Process(folder.read(file).trim_end().to_owned())
    }

    fn signal(&self, signal: &str) {
        let status = program("kill", "procps").args([signal, &self.0]).status().unwrap();
        assert!(status.success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Also when the test fails: a process that hangs on the mount would stay.
        let mut kill = program("kill", "procps");
        let _ = kill.args(["-KILL", &self.0]).stderr(Stdio::null()).status();
    }
}

/// Starts a merge with these arguments in namespaces of its own, where `real` is
/// mounted on `mount`, and waits until `begun` holds. Returns the shell around the
/// merge, the server of the mount, and the merge.
fn mounted(folder: &Folder, args: &str, begun: impl Fn() -> bool) -> (Running, Process, Process) {
    fs::create_dir(folder.path("mount")).unwrap();
    let script = format!(
        "'{}' -f real mount & echo $! > server
         until grep -q \" $PWD/mount \" /proc/self/mountinfo; do kill -0 $! || exit 97; done
         \"$0\" -F -o merged {args} & echo $! > merge
         wait $!; ended=$?; umount mount; exit $ended",
        program("bindfs", "bindfs").get_program().display()
    );
    let mut shell = Running::start(folder, &mut unshare(true, &script, folder.folder()));
    until("the merge has begun", || {
        runs(&mut shell);
        begun()
    });
    (shell, Process::of(folder, "server"), Process::of(folder, "merge"))
}

#[test]
fn a_mount_that_does_not_answer_holds_up_no_other_source() {
    // All at once, since each waits most of the time.
    let ended = thread::scope(|scope| {
        let start = |stage: &'static Stage| (stage, scope.spawn(|| holds_up_no_other(stage)));
        let running: Vec<_> = STAGES.iter().map(start).collect();
        running.into_iter().map(|(stage, ended)| (stage, ended.join())).collect::<Vec<_>>()
    });
    for (stage, ended) in ended {
        assert!(ended.is_ok(), "{}; what is wrong stands above", stage.name);
    }
}

fn holds_up_no_other(stage: &Stage) {
    let folder = Folder::of([("real/away.log", ""), ("here.log", &line(1))]);
    let mut number = 1;
    let mut append = |log| {
        number += 1;
        append(folder.path(log), number);
        number
    };
    let has = |number| folder.read("merged").contains(&line(number));
    let args = format!("--stage {} --interval 20ms here.log mount/away.log", stage.number);
    let (shell, server, merge) = mounted(&folder, &args, || has(1));
    // One line after the other: at the end, the numbers must be in the order of the merge.
    let away = append("real/away.log");
    until("a line of the mount is merged", || has(away));
    server.signal("-STOP");
    let stopped = Instant::now();
    // Long enough that the merge asks the mount, and waits in vain.
    for round in 1.. {
        let number = append("here.log");
        until("a line of the other source is merged", || has(number));
        if round % 10 == 0 {
            folder.rename("here.log", "here.log.1");
        }
        if stopped.elapsed() > Duration::from_secs(3) {
            break;
        }
    }
    let late = append("real/away.log");
    assert!(!has(late), "the mount has answered");
    server.signal("-CONT");
    until("the mount answers again", || has(late));

    merge.signal("-TERM");
    assert_eq!(shell.end().with(0).stderr, "");
    assert_eq!(lost(folder.read("merged").as_bytes(), late), []);
}

#[test]
fn metrics_on_a_mount_that_does_not_answer_hold_up_no_line() {
    let folder = Folder::of([("here.log", &line(1))]);
    fs::create_dir(folder.path("real")).unwrap();
    let metrics = || folder.read("real/t.prom");
    let args = "--metrics mount/t.prom here.log";
    let (shell, server, merge) = mounted(&folder, args, || !metrics().is_empty());
    server.signal("-STOP");
    let before = metrics();
    for number in 2..=20 {
        merge.signal("-USR1");
        append(folder.path("here.log"), number);
        until("the line is merged", || folder.read("merged").contains(&line(number)));
    }
    assert_eq!(metrics(), before, "the mount has answered");
    // Such metrics do not hold up the end, either.
    merge.signal("-TERM");
    let process = format!("/proc/{}/comm", merge.0);
    until("the merge has ended", || {
        !fs::read_to_string(&process).is_ok_and(|name| name.starts_with("tributary"))
    });
    server.signal("-CONT");
    shell.end().with(0);
    assert_eq!(lost(folder.read("merged").as_bytes(), 20), []);
}
