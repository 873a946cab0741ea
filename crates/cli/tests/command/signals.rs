//! How a merge is ended from outside.

use std::fs::{self, File};
use std::process::{Command, Stdio};

use rustix::fs::{Mode, OFlags, open};
use rustix::process::Signal;

use crate::folder::Folder;
use crate::process::{Running, tributary, until};

#[test]
fn each_signal_that_ends_a_merge_drains_it_first() {
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        let folder = Folder::new();
        folder.append("a.log", "begin\n");
        let merge = Running::follow(&folder, &["a.log", "--wake", "poll", "--interval", "1h"]);
        until("it has begun", || folder.read("stdout") == "begin\n");
        folder.append("a.log", &"a line of the log\n".repeat(200_000));
        folder.append("a.log", "half a line");
        merge.signal(signal);
        merge.end().with(0);
        assert_eq!(folder.read("stdout"), folder.read("a.log") + "\n");
    }
}

/// A merge into a FIFO that is open and that nobody reads.
fn blocked(folder: &Folder, args: &[&str]) -> (Running, File) {
    blocked_and_quiet(folder, &[&["-v"], args].concat())
}

fn blocked_and_quiet(folder: &Folder, args: &[&str]) -> (Running, File) {
    folder.append("a.log", &"line\n".repeat(1_000_000));
    workload::make_fifo(&folder.path("fifo")).unwrap();
    let reader = open(folder.path("fifo"), OFlags::RDONLY | OFlags::NONBLOCK, Mode::empty());
    let reader = File::from(reader.unwrap());
    let args = [args, &["a.log", "-o", "fifo"]].concat();
    let merge = Running::start(folder, tributary(folder, &args).stdout(Stdio::null()));
    until("something is in the pipe", || {
        rustix::io::ioctl_fionread(&reader).is_ok_and(|there| there > 0)
    });
    (merge, reader)
}

#[test]
fn a_second_signal_ends_it_at_once() {
    for stage in ["threads", "mixed", "bottom-up", "tasks", "fully-async"] {
        let folder = Folder::new();
        let (merge, _reader) = blocked(&folder, &["-F", "--stage", stage]);
        merge.signal(Signal::INT);
        until("the first is taken", || merge.said().contains("a second signal ends at once"));
        merge.signal(Signal::TERM);
        merge.end().with(130);
    }
}

#[test]
fn an_end_that_takes_a_while_says_what_it_waits_for() {
    for (args, what) in [
        (&["-F"][..], " MiB are still to be merged into fifo"),
        (&["-F", "--stage", "tasks"], " MiB are still to be merged into fifo"),
        (&[], "fifo has not yet taken what was read"),
    ] {
        let folder = Folder::new();
        let (merge, _reader) = blocked_and_quiet(&folder, args);
        merge.signal(Signal::INT);
        until("it is explained", || merge.said().ends_with('\n'));
        merge.signal(Signal::INT);
        let said = merge.end().with(130).stderr;
        assert!(said.starts_with("warning: still stopping: "), "{said}");
        assert!(said.ends_with(&format!("{what}; a second signal ends at once\n")), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}

#[test]
fn without_follow_the_first_signal_cuts_it_short() {
    let folder = Folder::new();
    let (merge, mut reader) = blocked(&folder, &[]);
    merge.signal(Signal::INT);
    until("it is taken", || merge.said().contains("a second signal ends at once"));
    rustix::fs::fcntl_setfl(&reader, OFlags::empty()).unwrap();
    let mut merged = Vec::new();
    std::io::Read::read_to_end(&mut reader, &mut merged).unwrap();
    merge.end().with(130);
    // Not all of it, and no line is torn.
    assert!(merged.len() < 5_000_000 && merged.ends_with(b"\nline\n"), "{}", merged.len());
}

#[cfg(target_os = "linux")]
#[test]
fn a_merge_that_still_waits_for_its_output_says_so_and_can_be_ended() {
    let folder = Folder::new();
    folder.append("a.log", "line\n");
    workload::make_fifo(&folder.path("fifo")).unwrap();
    let merge = Running::start(&folder, &mut tributary(&folder, &["a.log", "-o", "fifo"]));
    let status = format!("/proc/{}/status", merge.child.id());
    until("it takes SIGINT", || {
        let status = fs::read_to_string(&status).unwrap();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
        u64::from_str_radix(caught.trim(), 16).unwrap() & 1 << (Signal::INT.as_raw() - 1) != 0
    });
    merge.signal(Signal::INT);
    until("it is explained", || merge.said().contains("still stopping"));
    merge.signal(Signal::INT);
    let said = merge.end().with(130).stderr;
    assert_eq!(
        said,
        "warning: still stopping: fifo is not open yet; a FIFO waits for its reader; \
         a second signal ends at once\n",
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_merge_that_was_told_to_ignore_the_end_of_its_terminal_does() {
    let folder = Folder::new();
    folder.append("a.log", "one\n");
    let line = format!("trap '' HUP; exec '{}' -F a.log -o out", env!("CARGO_BIN_EXE_tributary"));
    let mut command = Command::new("sh");
    let merge = Running::start(&folder, command.args(["-c", &line]).current_dir(folder.folder()));
    until("it has begun", || folder.read("out") == "one\n");
    merge.signal(Signal::HUP);
    folder.append("a.log", "two\n");
    until("it goes on", || folder.read("out") == "one\ntwo\n");
    merge.terminate().with(0);
}
