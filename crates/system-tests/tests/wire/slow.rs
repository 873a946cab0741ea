//! A server or an output that does not go on is back-pressure, and not memory.

use std::fs::{self, File};
use std::io::Read;

use testkit::{Running, open_fifo, until};
use workload::Backlog;

use crate::{Scene, names};

/// Returns the most memory that a merge has had, in MiB; `None` once it has ended.
fn peak(merge: &Running) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", merge.child.id())).ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    peak.split_whitespace().next()?.parse().ok().map(|kib: u64| kib / 1024)
}

/// Waits until a merge has used no processor for two hundred looks.
fn until_still(merge: &Running) {
    let stat = format!("/proc/{}/stat", merge.child.id());
    let (mut used, mut still) = (Vec::new(), 0);
    until("the merge stands still", || {
        let text = fs::read_to_string(&stat).unwrap();
        // Behind the name: fields 14 and 15, in user and in kernel mode.
        let fields = text.rsplit(") ").next().unwrap().split(' ').skip(11).take(2);
        let now: Vec<_> = fields.map(str::to_owned).collect();
        still = if now == used { still + 1 } else { 0 };
        used = now;
        still > 200
    });
}

#[test]
fn two_thousand_sources_and_a_paused_server_stay_under_96_mib() {
    let scene = Scene::new();
    // 125 MiB in all: more than the merge may hold.
    let backlog = Backlog { files: 2_000, bytes: 64 * 1024 };
    backlog.make(&scene.folder.path("logs"), 1).unwrap();
    let mut ship = scene.ship(&["--watch", "logs/*.log"]);
    scene.until_shipped(&mut ship, 1);
    scene.nats.pause();
    until_still(&ship);
    let mut most = peak(&ship).unwrap();
    scene.nats.go_on();
    until("all is shipped", || {
        most = peak(&ship).unwrap_or(0).max(most);
        ship.child.try_wait().unwrap().is_some()
    });
    ship.end().with(0);
    assert!(most < 96, "{most} MiB");
    assert_eq!(scene.merged().len(), 2_000 * 64 * 1024);
}

/// Ships 20 logs of so many bytes, and reads them into a FIFO until nobody takes more.
fn blocked(bytes: u64) -> (Scene, File, Running) {
    let scene = Scene::new();
    let sources = Backlog { files: 20, bytes }.make(&scene.folder.path("logs"), 1).unwrap();
    scene.ship(&names(&sources)).end().with(0);
    let mut fifo = open_fifo(&scene.folder.path("merged"));
    let read = scene.read(&[]);
    until("something comes out", || fifo.read(&mut [0]).is_ok_and(|read| read > 0));
    until_still(&read);
    (scene, fifo, read)
}

#[test]
fn an_output_that_blocks_keeps_the_stream_on_the_server() {
    // 120 MiB in large messages: more than the merge may hold.
    let (_scene, _fifo, read) = blocked(6 * 1024 * 1024);
    let most = peak(&read).unwrap();
    assert!(most < 96, "{most} MiB");
}

#[test]
fn the_last_messages_may_be_deleted_before_they_are_sent_to_the_reader() {
    // More than the server sends ahead.
    let (scene, mut fifo, read) = blocked(2 * 1024 * 1024);
    assert!(scene.nats.delete_what_is_not_sent() > 0);
    std::thread::spawn(move || fifo.read_to_end(&mut Vec::new()));
    read.end().with(0);
}

#[test]
fn a_message_of_any_size_that_the_server_takes_is_read() {
    let scene = Scene::of("max_payload: 32MB");
    let line = "x".repeat(20 * 1024 * 1024) + "\n";
    scene.folder.append("app.log", &line);
    scene.ship(&["app.log"]).end().with(0);
    assert!(scene.merged() == line);
}
