//! Notifications that run out: the limits of a user namespace are lowered, and
//! the files are followed all the same.

use std::fs::{self, File};

use system_tests::{line, lost};
use testkit::{Folder, Running, until};

use crate::{append, runs, unshare};

const LOGS: usize = 10;
const ROUNDS: u64 = 5;

/// Writes to ten logs, and rotates them, with this limit lowered in a namespace. No
/// line may be lost, and each must be merged before the next is written. Returns what
/// the merge said.
fn nothing_is_lost(limit: &str, value: u32) -> String {
    let folder = Folder::new();
    // Each log has a folder of its own, so that it needs a watch for its name, too.
    let logs: Vec<_> = (0..LOGS).map(|log| folder.path(&log.to_string())).collect();
    logs.iter().for_each(|log| fs::create_dir(log).unwrap());
    let logs: Vec<_> = logs.iter().map(|log| log.join("app.log")).collect();
    logs.iter().for_each(|log| drop(File::create(log).unwrap()));

    let script = format!(
        "echo {value} > /proc/sys/user/{limit} || exit 98
         exec \"$0\" -F --interval 20ms -o merged */app.log"
    );
    let mut merge = Running::start(&folder, &mut unshare(false, &script, folder.folder()));
    let mut number = 0;
    let merged = || folder.read("merged").into_bytes();
    let mut expected = 0;
    for round in 0..ROUNDS {
        for log in &logs {
            number += 1;
            append(log.clone(), number);
            expected += line(number).len();
            until("the line is merged", || {
                runs(&mut merge);
                merged().len() >= expected
            });
            if round % 2 == 1 {
                fs::rename(log, log.with_extension("log.1")).unwrap();
            }
        }
    }
    let said = merge.terminate().with(0).stderr;
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
    assert_eq!(nothing_is_lost("max_inotify_watches", 1000), "");
}
