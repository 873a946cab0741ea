//! A name that is looked up while the name server is silent.

use std::fs::{self, File};
use std::process::Stdio;

use system_tests::{program, unshare};
use testkit::{Folder, Running, until};

/// Looks up a name in namespaces of its own, whose name server is silent until the
/// look-up was told.
#[track_caller]
fn assert_look_up_is_told(workers: &str, subject: &str) {
    let folder = Folder::of([
        ("resolv.conf", "nameserver 127.0.0.1\noptions timeout:30 attempts:1\n"),
        ("nsswitch.conf", "hosts: dns\n"),
    ]);
    let ip = program("ip", "iproute2");
    let script = format!(
        "mount --bind resolv.conf /etc/resolv.conf || exit 97
         mount --bind nsswitch.conf /etc/nsswitch.conf || exit 97
         {} link set lo up || exit 97
         exec \"$0\" {workers}",
        ip.get_program().display()
    );
    let path = env!("CARGO_BIN_EXE_look-up");
    let mut command = unshare(&["user", "mnt", "net"], &script, path, folder.folder());
    let stdout = File::create(folder.path("stdout")).unwrap();
    let mut running = Running::start(&folder, command.stdin(Stdio::piped()).stdout(stdout));
    let told = |subject: &str, doing: &str| {
        let said = fs::read_to_string(folder.path("stdout")).unwrap();
        said.lines().any(|line| line.contains(subject) && line.contains(doing))
    };
    until("the look-up is told", || {
        let ended = running.child.try_wait().unwrap();
        assert!(ended.is_none(), "{ended:?}: {}", running.said());
        told(subject, ": it waits for a descriptor: a name look-up does that")
    });
    // The name server speaks now.
    drop(running.child.stdin.take());
    let ended = running.end().with(0);
    let over = "`look_up` of service.example blocked it, in task ";
    assert!(told(over, ": it waited for a descriptor: a name look-up does that"), "{ended:?}");
}

#[test]
fn a_name_that_is_looked_up_is_told_on_many_workers() {
    assert_look_up_is_told("4", "worker ");
}

#[test]
fn a_name_that_is_looked_up_is_told_on_one_thread() {
    assert_look_up_is_told("1", "the event loop ");
}
