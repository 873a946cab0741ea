//! Notifications that run out: the limits of a user namespace are lowered, and
//! the files are followed all the same.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use system_tests::{line, lost, program, stage};
use testkit::until;

const LOGS: usize = 10;
const ROUNDS: u64 = 5;

/// Starts `follow` in a user namespace of its own, with this limit lowered in
/// there. The limits of the system stay as they are.
fn follow_with(limit: &str, value: u32, output: &Path, logs: &[PathBuf]) -> Child {
    let outside = fs::read_link("/proc/self/ns/user").unwrap();
    // Written only if the namespace is another one.
    let script = format!(
        "test \"$(readlink /proc/self/ns/user)\" != '{}' || exit 99
         echo {value} > /proc/sys/user/{limit} || exit 98
         exec \"$0\" \"$@\"",
        outside.display()
    );
    let mut child = program("unshare", "util-linux");
    child.args(["--user", "--map-root-user", "sh", "-c"]).arg(script);
    child.arg(env!("CARGO_BIN_EXE_follow")).arg(stage(5).name).arg(output).args(logs);
    child.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn append(log: &Path, text: &str) {
    let mut file = OpenOptions::new().append(true).create(true).open(log).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

/// Writes to ten logs, and rotates them; nothing may be lost, and each line
/// has to come out before the next is written. Returns what was said.
fn nothing_is_lost(limit: &str, value: u32) -> String {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("the-output");
    // A folder each, so that each needs a watch for its name, too.
    let logs: Vec<_> = (0..LOGS).map(|log| folder.path().join(log.to_string())).collect();
    logs.iter().for_each(|log| fs::create_dir(log).unwrap());
    let logs: Vec<_> = logs.iter().map(|log| log.join("app.log")).collect();
    logs.iter().for_each(|log| drop(File::create(log).unwrap()));

    let mut child = follow_with(limit, value, &output, &logs);
    let mut number = 0;
    let merged = || fs::read(&output).unwrap_or_default();
    let mut expected = 0;
    for round in 0..ROUNDS {
        for log in &logs {
            number += 1;
            append(log, &line(number));
            expected += line(number).len();
            until("the line is merged", || {
                let ended = child.try_wait().unwrap();
                assert!(ended.is_none(), "ended: {ended:?}; can a user make namespaces here?");
                merged().len() >= expected
            });
            if round % 2 == 1 {
                fs::rename(log, log.with_extension("log.1")).unwrap();
            }
        }
    }
    drop(child.stdin.take());
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(child.wait().unwrap().success(), "{said}");
    assert_eq!(lost(&merged(), number), []);
    said
}

#[test]
fn exhausted_watches_lose_nothing_and_are_said_once() {
    let said = nothing_is_lost("max_inotify_watches", 3);
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains("/app.log: cannot be notified of changes"), "{said}");
    assert!(said.contains("raise it with `sysctl user.max_inotify_watches=NUMBER`"), "{said}");
}

#[test]
fn exhausted_instances_lose_nothing_and_are_said_once() {
    let said = nothing_is_lost("max_inotify_instances", 0);
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains("all sources are polled every 20ms"), "{said}");
    assert!(said.contains("raise it with `sysctl user.max_inotify_instances=NUMBER`"), "{said}");
}

#[test]
fn without_a_limit_nothing_is_said() {
    let said = nothing_is_lost("max_inotify_watches", 1000);
    assert_eq!(said, "");
}
