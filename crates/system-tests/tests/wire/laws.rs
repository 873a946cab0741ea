//! What every merge promises, on the way to a stream and back.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_nats::jetstream::stream;
use checker::{check_tagged, check_untagged};
use rustix::process::Signal;
use workload::{Backlog, Live};

use crate::between::Between;
use crate::server::STREAM;
use crate::{Scene, names};

#[track_caller]
fn is_right(sources: &[PathBuf], merged: &Path) {
    let verdict = check_tagged(sources, merged).unwrap();
    assert!(verdict.is_right(), "{verdict}");
}

#[test]
fn what_is_shipped_comes_back_once_whole_and_in_order() {
    let scene = Scene::new();
    let sources = Backlog { files: 20, bytes: 700_000 }.make(scene.folder.folder(), 1).unwrap();
    scene.ship(&names(&sources)).end().with(0);
    scene.read(&[]).end().with(0);
    is_right(&sources, &scene.folder.path("merged"));
}

#[test]
fn bytes_are_bytes_and_a_last_line_gets_its_newline() {
    let scene = Scene::new();
    let lines = b"\0nul\r\n\xff\xfe no text\n\n  \nwithout its end";
    fs::write(scene.folder.path("odd.log"), lines).unwrap();
    fs::write(scene.folder.path("empty.log"), "").unwrap();
    scene.ship(&["odd.log", "empty.log"]).end().with(0);
    scene.merged();
    let merged = fs::read(scene.folder.path("merged")).unwrap();
    assert_eq!(merged, [lines, b"\n".as_slice()].concat());
}

#[test]
fn every_name_of_a_log_is_a_subject_of_its_own() {
    let scene = Scene::new();
    let names: [&[u8]; 7] = [b"a.b", b"a%2Eb", b"a b", b"*", b">", b"\xff", "ü".as_bytes()];
    let logs = names.map(|name| scene.folder.path("").join(OsStr::from_bytes(name)));
    for (number, log) in logs.iter().enumerate() {
        fs::write(log, format!("{number}\n")).unwrap();
    }
    let list: Vec<u8> = names.iter().flat_map(|name| [name, b"\0".as_slice()].concat()).collect();
    fs::write(scene.folder.path("list"), list).unwrap();
    let said = scene.ship(&["--files-from", "list"]).end().with(0).stderr;
    // If two logs had one subject, a warning would tell of two machines.
    assert_eq!((scene.nats.subjects(), &*said), (names.len() as u64, ""));
    let merged = scene.merged();
    let verdict = check_untagged(&logs, &scene.folder.path("merged")).unwrap();
    assert!(verdict.is_right(), "{verdict}: {merged:?}");
}

#[test]
fn what_is_written_comes_out_while_both_follow() {
    let scene = Scene::new();
    let live = Live {
        files: 5,
        lines_per_second: 400,
        line_bytes: 50..=200,
        one_in_pieces: 7,
        duration: Duration::from_secs(1),
    };
    let logs = live.create(scene.folder.folder(), 1).unwrap();
    let sources = logs.paths().to_vec();
    let ship = scene.ship(&[&["-F"], &*names(&sources)].concat());
    scene.nats.until_made();
    let read = scene.read(&["-F"]);
    let written = logs.start().unwrap().join().unwrap();
    scene.until_merged(written.bytes as usize);
    ship.terminate().with(0);
    read.terminate().with(0);
    is_right(&sources, &scene.folder.path("merged"));
}

#[test]
fn a_stop_drains_what_was_written_before_it() {
    let scene = Scene::new();
    scene.folder.append("app.log", "first\n");
    let mut ship = scene.ship(&["-F", "app.log"]);
    scene.until_shipped(&mut ship, 1);
    // A paused server answers nothing, so all lines are drained after the stop.
    scene.nats.pause();
    let lines: String = (0..5_000).map(|number| format!("line {number}\n")).collect();
    scene.folder.append("app.log", &lines);
    ship.signal(Signal::TERM);
    scene.nats.go_on();
    ship.end().with(0);
    assert_eq!(scene.merged(), format!("first\n{lines}"));
}

#[test]
fn with_checkpoints_both_go_on_where_they_have_ended() {
    let scene = Scene::new();
    let twice = |lines: &str| {
        scene.folder.append("app.log", lines);
        scene.ship(&["--checkpoint", "shipped", "app.log"]).end().with(0);
        scene.read(&["--checkpoint", "read"]).end().with(0);
        scene.folder.read("merged")
    };
    assert_eq!(twice("one\n"), "one\n");
    assert_eq!(twice("two\n"), "one\ntwo\n");
    assert_eq!(scene.nats.messages(), 2);
    // Nothing is new, so nothing is sent.
    assert_eq!(twice(""), "one\ntwo\n");
    assert_eq!(scene.nats.messages(), 2);
}

#[test]
fn without_its_checkpoint_a_merge_sends_what_is_new_and_nothing_else() {
    let scene = Scene::new();
    // So many messages that they are asked for in several turns.
    scene.nats.make(stream::Config { max_message_size: 2048, ..Default::default() });
    let lines: String = (0..40_000).map(|number| format!("line {number}\n")).collect();
    scene.folder.append("app.log", &lines);
    scene.ship(&["app.log"]).end().with(0);
    let messages = scene.nats.messages();
    assert!(messages > 400, "{messages}");
    scene.folder.append("app.log", "new\n");
    scene.ship(&["app.log"]).end().with(0);
    // No consumer is left: each log may need one, and a server bounds their number.
    assert_eq!((scene.nats.messages(), scene.nats.consumers()), (messages + 1, 0));
    assert_eq!(scene.merged(), lines + "new\n");
}

#[test]
fn a_log_of_many_messages_is_asked_for_over_a_connection_that_is_often_lost() {
    let scene = Scene::new();
    scene.nats.make(stream::Config::default());
    scene.folder.append("app.log", "one\n");
    let log = fs::canonicalize(scene.folder.path("app.log")).unwrap();
    let subject = format!("log.h.{}", log.to_str().unwrap().replace('.', "%2E"));
    scene.nats.fill(&subject, 30_000);
    // Half of what is to be said of these messages, at least.
    let between = Between::open(scene.nats.address());
    between.cut_after(3_000_000);
    let url = format!("nats://{}/{STREAM}", between.address());
    let ship = scene.run(&["--output", &url, "--host-name", "h", "--patience", "30s", "app.log"]);
    ship.end().with(0);
    assert_eq!(scene.nats.messages(), 30_001);
}

#[test]
fn three_hosts_ship_into_one_stream_and_one_reader_has_all_of_it() {
    let scene = Scene::new();
    let sources = Backlog { files: 6, bytes: 300_000 }.make(scene.folder.folder(), 1).unwrap();
    let ships = [0, 1, 2].map(|host| {
        let sources = names(&sources[2 * host..2 * host + 2]);
        scene.ship(&[&["--host-name", ["web.1", "web.2", "db"][host]], &*sources].concat())
    });
    for ship in ships {
        ship.end().with(0);
    }
    scene.merged();
    is_right(&sources, &scene.folder.path("merged"));
}

#[test]
fn the_same_file_on_three_hosts_arrives_three_times() {
    let scene = Scene::new();
    scene.folder.append("app.log", "the same line\n");
    for host in ["a", "b", "c"] {
        scene.ship(&["--host-name", host, "app.log"]).end().with(0);
    }
    assert_eq!(scene.merged(), "the same line\n".repeat(3));
}

#[test]
fn a_file_that_is_truncated_and_has_the_same_lines_again_is_sent_again() {
    let scene = Scene::new();
    let log = scene.folder.path("app.log");
    fs::write(&log, "started\n").unwrap();
    let mut ship = scene.ship(&["-F", "app.log"]);
    for (messages, lines) in [(1, ""), (2, "at\n"), (3, "started\n")] {
        if !lines.is_empty() {
            fs::write(&log, lines).unwrap();
        }
        scene.until_shipped(&mut ship, messages);
    }
    ship.terminate().with(0);
    assert_eq!(scene.merged(), "started\nat\nstarted\n");
}
