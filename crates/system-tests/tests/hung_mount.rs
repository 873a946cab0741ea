//! A mount whose server does not answer: it holds up its own source, and no
//! other one, nor lines whose metrics lie there.

use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use stages::{STAGES, Stage};
use system_tests::{line, lost, program};
use testkit::until;

/// The server of a FUSE mount, or what hangs on it, by its process.
struct Server(String);

impl Server {
    fn signal(&self, signal: &str) {
        let status = program("kill", "procps").args([signal, &self.0]).status().unwrap();
        assert!(status.success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Also when the test fails: a process that hangs on it would stay.
        let mut kill = program("kill", "procps");
        let _ = kill.args(["-KILL", &self.0]).stderr(Stdio::null()).status();
    }
}

/// Starts a stage as [`mounted`] does, which merges a log of the mount, too.
fn follow(stage: &Stage, folder: &Path) -> Child {
    let follow = env!("CARGO_BIN_EXE_follow");
    mounted(folder, &[follow, stage.name, "the-output", "here.log", "mount/away.log"])
}

/// Starts a command in namespaces of its own, where `real` is mounted on
/// `mount`. The server writes its process down.
fn mounted(folder: &Path, command: &[&str]) -> Child {
    let outside = fs::read_link("/proc/self/ns/mnt").unwrap();
    let bindfs = program("bindfs", "bindfs");
    // Mounted only if the namespace is another one.
    let script = format!(
        "test \"$(readlink /proc/self/ns/mnt)\" != '{}' || exit 99
         cd \"$0\" || exit 98
         '{}' -f real mount &
         echo $! > server
         until grep -q \" $0/mount \" /proc/self/mountinfo; do
             kill -0 $! || exit 97
         done
         \"$@\"
         ended=$?; umount mount; exit $ended",
        outside.display(),
        bindfs.get_program().display()
    );
    let mut child = program("unshare", "util-linux");
    child.args(["--user", "--map-root-user", "--mount", "sh", "-c"]).arg(script);
    child.arg(folder).args(command);
    child.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[test]
fn a_mount_that_does_not_answer_holds_up_no_other_source() {
    // All at once: each waits for most of the time.
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
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("real")).unwrap();
    fs::create_dir(at("mount")).unwrap();
    let mut number = 0;
    let mut append = |log: PathBuf| {
        number += 1;
        let mut file = OpenOptions::new().append(true).create(true).open(log).unwrap();
        file.write_all(line(number).as_bytes()).unwrap();
        number
    };
    let merged = || fs::read_to_string(at("the-output")).unwrap_or_default();
    append(at("here.log"));
    fs::write(at("real/away.log"), "").unwrap();

    let mut child = follow(stage, folder.path());
    let has = |number: u64| merged().contains(&line(number));
    until("the first line is merged", || {
        let ended = child.try_wait().unwrap();
        assert!(ended.is_none(), "ended: {ended:?}; can a user make namespaces here?");
        has(1)
    });
    // One after the other, since the numbers say in which order they came.
    let away = append(at("real/away.log"));
    until("a line of the mount is merged", || has(away));
    let server = Server(fs::read_to_string(at("server")).unwrap().trim_end().to_owned());
    server.signal("-STOP");
    let stopped = Instant::now();
    // Longer than it takes until the mount is asked, and asked in vain.
    for round in 1.. {
        let number = append(at("here.log"));
        until("a line of the other source is merged", || has(number));
        if round % 10 == 0 {
            fs::rename(at("here.log"), at("here.log.1")).unwrap();
        }
        if stopped.elapsed() > Duration::from_secs(3) {
            break;
        }
    }
    let late = append(at("real/away.log"));
    assert!(!has(late), "the mount has answered");
    server.signal("-CONT");
    until("the mount answers again", || has(late));

    drop(child.stdin.take());
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(child.wait().unwrap().success(), "{said}");
    assert_eq!(lost(merged().as_bytes(), late), []);
    assert_eq!(said, "");
}

#[test]
fn metrics_on_a_mount_that_does_not_answer_hold_up_no_line() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("real")).unwrap();
    fs::create_dir(at("mount")).unwrap();
    let append = |number: u64| {
        let file = OpenOptions::new().append(true).create(true).open(at("here.log"));
        file.unwrap().write_all(line(number).as_bytes()).unwrap();
    };
    append(1);
    let tributary = env!("CARGO_BIN_EXE_tributary");
    let merge = "echo $$ > merge; exec \"$0\" -F here.log -o merged --metrics mount/t.prom";
    let mut child = mounted(folder.path(), &["sh", "-c", merge, tributary]);
    let metrics = || fs::read_to_string(at("real/t.prom")).unwrap_or_default();
    until("the first metrics are there", || {
        let ended = child.try_wait().unwrap();
        assert!(ended.is_none(), "ended: {ended:?}; can a user make namespaces here?");
        !metrics().is_empty()
    });
    let process = |name| Server(fs::read_to_string(at(name)).unwrap().trim_end().to_owned());
    let (server, merge) = (process("server"), process("merge"));
    server.signal("-STOP");
    let before = metrics();
    for number in 2..=20 {
        merge.signal("-USR1");
        append(number);
        let merged = || fs::read_to_string(at("merged")).unwrap_or_default();
        until("the line is merged", || merged().contains(&line(number)));
    }
    assert_eq!(metrics(), before, "the mount has answered");
    // Nor do they hold up the end.
    merge.signal("-TERM");
    let process = format!("/proc/{}/comm", merge.0);
    until("the merge has ended", || {
        !fs::read_to_string(&process).is_ok_and(|name| name.starts_with("tributary"))
    });
    server.signal("-CONT");
    assert!(child.wait().unwrap().success());
    assert_eq!(lost(&fs::read(at("merged")).unwrap(), 20), []);
}
