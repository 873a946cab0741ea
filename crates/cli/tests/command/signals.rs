//! How a merge is ended from outside.

use std::env;
use std::fs;
use std::io::{ErrorKind, PipeReader, Write};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use rustix::fs::{Mode, OFlags, fcntl_setfl, open};
use rustix::process::{Signal, setsid};
use testkit::{Folder, Running, make_fifo, until};

use crate::blocked::{Blocked, fill};
use crate::process::{follow, shell, tributary};
use crate::terminal::open_terminal;

#[test]
fn each_signal_that_ends_a_merge_drains_it_first() {
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        let folder = Folder::of([("a.log", "begin\n")]);
        let merge = follow(&folder, &["a.log", "--wake", "poll", "--interval", "1h"]);
        until("it has begun", || folder.read("stdout") == "begin\n");
        folder.append("a.log", &"a line of the log\n".repeat(200_000));
        folder.append("a.log", "half a line");
        merge.signal(signal);
        merge.end().with(0);
        assert_eq!(folder.read("stdout"), folder.read("a.log") + "\n");
    }
}

/// Starts a merge into `fifo`, which nobody reads.
fn blocked(folder: &Folder, flags: &[&str]) -> Blocked {
    fill(folder);
    Blocked::start(folder, "fifo", flags)
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let folder = Folder::new();
    let blocked = blocked(&folder, &["-v", "-F"]);
    blocked.merge.signal(Signal::INT);
    blocked.until_said("a second signal ends at once");
    blocked.merge.signal(Signal::TERM);
    blocked.merge.end().with(130);
}

#[test]
fn an_end_that_takes_a_while_says_what_it_waits_for() {
    // All at once, since each waits two seconds for its explanation.
    let stopping = [
        (&["-F"][..], " MiB are still to be merged into fifo"),
        (&["-F", "--stage", "tasks"], " MiB are still to be merged into fifo"),
    ]
    .map(|(flags, what)| {
        let folder = Folder::new();
        let blocked = blocked(&folder, flags);
        blocked.merge.signal(Signal::INT);
        (folder, blocked, what)
    });
    for (_folder, blocked, what) in stopping {
        blocked.until_said("\n");
        blocked.merge.signal(Signal::INT);
        let said = blocked.merge.end().with(130).stderr;
        assert!(said.starts_with("warning: still stopping: "), "{said}");
        assert!(said.ends_with(&format!("{what}; a second signal ends at once\n")), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}

#[test]
fn without_follow_the_first_signal_cuts_it_short() {
    for signal in [Signal::INT, Signal::HUP] {
        let folder = Folder::new();
        let blocked = blocked(&folder, &["-v"]);
        blocked.merge.signal(signal);
        blocked.until_said("a second signal ends at once");
        let (ended, merged) = blocked.read();
        ended.with(130);
        // Not all lines are merged, and none is torn.
        assert!(merged.len() < 5_000_000 && merged.ends_with("\nline\n"), "{}", merged.len());
    }
}

#[test]
fn without_follow_one_signal_is_enough_although_the_output_blocks() {
    let folder = Folder::new();
    let blocked = blocked(&folder, &[]);
    blocked.merge.signal(Signal::TERM);
    let said = blocked.merge.end().with(130).stderr;
    assert_eq!(said, "warning: fifo has not yet taken what was read; ended all the same\n");
}

#[cfg(target_os = "linux")]
#[test]
fn a_merge_that_still_waits_for_its_output_says_so_and_can_be_ended() {
    for follow in [false, true] {
        waits_for_its_output(follow);
    }
}

#[cfg(target_os = "linux")]
fn waits_for_its_output(follow: bool) {
    let folder = Folder::of([("a.log", "line\n")]);
    make_fifo(&folder.path("fifo"));
    let args = [if follow { &["-F"][..] } else { &[] }, &["a.log", "-o", "fifo"]].concat();
    let merge = Running::start(&folder, &mut tributary(&folder, &args));
    let status = format!("/proc/{}/status", merge.child.id());
    until("it takes SIGINT", || {
        let status = fs::read_to_string(&status).unwrap();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
        u64::from_str_radix(caught.trim(), 16).unwrap() & 1 << (Signal::INT.as_raw() - 1) != 0
    });
    merge.signal(Signal::INT);
    let what = "fifo is not open yet; a FIFO waits for its reader";
    if !follow {
        let said = merge.end().with(130).stderr;
        assert_eq!(said, format!("warning: {what}; ended all the same\n"));
        return;
    }
    until("it is explained", || merge.said().contains("still stopping"));
    merge.signal(Signal::INT);
    let said = merge.end().with(130).stderr;
    assert_eq!(said, format!("warning: still stopping: {what}; a second signal ends at once\n"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_merge_that_was_told_to_ignore_the_end_of_its_terminal_does() {
    let folder = Folder::of([("a.log", "one\n")]);
    let line = "trap '' HUP; exec tributary -F a.log -o out";
    let merge = Running::start(&folder, &mut shell(&folder, line));
    until("it has begun", || folder.read("out") == "one\n");
    merge.signal(Signal::HUP);
    folder.append("a.log", "two\n");
    until("it goes on", || folder.read("out") == "one\ntwo\n");
    merge.terminate().with(0);
}

/// Rotates the output after each of three lines, and tells the merge by SIGHUP.
#[cfg(target_os = "linux")]
fn rotated_with_sighup(folder: &Folder, merge: &Running) {
    for number in 1..=3 {
        let (line, rotated) = (format!("{number}\n"), format!("out.{number}"));
        folder.append("a.log", &line);
        until("the line is merged", || folder.read("out") == line);
        fs::rename(folder.path("out"), folder.path(&rotated)).unwrap();
        let before = turns(merge);
        merge.signal(Signal::HUP);
        // The next line goes to the new file only if the signal is heard first.
        until("the signal is heard", || turns(merge) > before);
        assert_eq!(folder.read(&rotated), line);
    }
}

/// How often the thread that takes the signals has gone to sleep.
#[cfg(target_os = "linux")]
fn turns(merge: &Running) -> u64 {
    let folder = format!("/proc/{}/task", merge.child.id());
    let mut status = None;
    until("the thread has its name", || {
        let threads = fs::read_dir(&folder).unwrap();
        let all = threads.map(|thread| fs::read_to_string(thread.unwrap().path().join("status")));
        status = all.flatten().find(|it| it.starts_with("Name:\tsignals\n"));
        status.is_some()
    });
    let status = status.unwrap();
    let turns = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    turns.unwrap().trim().parse().unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn sighup_has_the_output_opened_by_its_name() {
    let folder = Folder::of([("a.log", "")]);
    let merge = follow(&folder, &["a.log", "-o", "out", "--checkpoint", "state"]);
    rotated_with_sighup(&folder, &merge);
    assert_eq!(merge.terminate().with(0).stderr, "");
}

/// No test by itself: the next one runs it in a process of its own, which gives up its
/// terminal and takes a new one.
#[test]
fn a_merge_on_a_terminal() {
    let Some(terminal) = env::var_os("A_TERMINAL") else { return };
    setsid().unwrap();
    // The first terminal that is opened controls the session.
    let _terminal = open(terminal, OFlags::RDWR, Mode::empty()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_tributary"));
    panic!("{}", command.args(["-F", "a.log", "-o", "out"]).exec());
}

#[cfg(target_os = "linux")]
#[test]
fn a_merge_ends_with_its_terminal_and_not_with_a_sighup_before() {
    let folder = Folder::of([("a.log", "")]);
    let (controller, name) = open_terminal();
    let mut command = Command::new(env::current_exe().unwrap());
    command
        .args(["--exact", "signals::a_merge_on_a_terminal"])
        .env("A_TERMINAL", name.to_str().unwrap());
    command.current_dir(folder.folder()).stdin(Stdio::null()).stdout(Stdio::null());
    let merge = Running::start(&folder, &mut command);
    rotated_with_sighup(&folder, &merge);
    drop(controller);
    merge.end().with(0);
}

/// A pipe that is full and that nobody reads.
fn full_pipe() -> (PipeReader, Stdio) {
    let (reader, mut writer) = std::io::pipe().unwrap();
    fcntl_setfl(&writer, OFlags::NONBLOCK).unwrap();
    let full = loop {
        if let Err(cause) = writer.write_all(&[b'x'; 4096]) {
            break cause;
        }
    };
    assert_eq!(full.kind(), ErrorKind::WouldBlock);
    fcntl_setfl(&writer, OFlags::empty()).unwrap();
    (reader, writer.into())
}

#[test]
fn a_stderr_that_nobody_reads_keeps_no_signal_from_being_heard() {
    for args in [&["-F"][..], &["-F", "-v", "--stage", "threads"]] {
        let folder = Folder::of([("a.log", "one\n")]);
        let (_reader, stderr) = full_pipe();
        let args = [args, &["a.log", "-o", "out"]].concat();
        let merge = Running::start_before(stderr, &mut tributary(&folder, &args));
        until("it has begun", || folder.read("out") == "one\n");
        merge.signal(Signal::USR1);
        merge.signal(Signal::USR1);
        // Of two signals that are pending, the one with the smaller number is taken first.
        merge.terminate().with(0);
    }
}
