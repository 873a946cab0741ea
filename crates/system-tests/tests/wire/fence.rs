//! Why a chunk arrives once: an answer that is lost, and a message that comes late.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::thread;
use std::time::Duration;

use async_nats::jetstream::stream;
use testkit::{Folder, Running, until};

use crate::Scene;
use crate::between::Between;
use crate::server::{Nats, STREAM};

/// The shorter of the two times for which a server here remembers the id of a message.
const WINDOW: Duration = Duration::from_millis(100);

/// Ships a line over a connection that can be held up; then `second` ships another one, and
/// disturbs it on the way; then a third one is shipped. Each is there once, with every
/// server, whether it still remembers the id or not.
fn is_there_once(second: impl Fn(&Scene, &Between, &[&str], Running) -> Running + Sync) {
    thread::scope(|scope| {
        for program in Nats::programs() {
            for duplicate_window in [Duration::from_secs(120), WINDOW] {
                let (program, second) = (program.clone(), &second);
                scope.spawn(move || {
                    let nats = Nats::start_program(&program, "");
                    nats.make(stream::Config { duplicate_window, ..Default::default() });
                    let scene = Scene { folder: Folder::new(), nats };
                    let between = Between::open(scene.nats.address());
                    let url = format!("nats://{}/{STREAM}", between.address());
                    let flags = ["-F", "--output", &url, "--checkpoint", "shipped", "app.log"];
                    scene.folder.append("app.log", "one\n");
                    let mut ship = scene.run(&flags);
                    scene.until_shipped(&mut ship, 1);
                    // Otherwise, its answer may be held back with that of the second.
                    until("the answer is in the checkpoint", || {
                        let checkpoint = fs::read_to_string(scene.folder.path("shipped"));
                        checkpoint.is_ok_and(|it| it.contains("\"sequence\":1"))
                    });
                    let mut ship = second(&scene, &between, &flags, ship);
                    scene.folder.append("app.log", "three\n");
                    scene.until_shipped(&mut ship, 3);
                    ship.terminate().with(0);
                    assert_eq!(scene.merged(), "one\ntwo\nthree\n");
                });
            }
        }
    });
}

#[test]
fn a_chunk_whose_answer_was_lost_is_there_once() {
    is_there_once(|scene, between, _, mut ship| {
        between.hold_answers();
        scene.folder.append("app.log", "two\n");
        scene.until_shipped(&mut ship, 2);
        // The time in which the server forgets the id: nothing is waited for.
        thread::sleep(5 * WINDOW);
        between.cut();
        ship
    });
}

#[test]
fn what_a_killed_merge_has_sent_and_comes_late_is_there_once() {
    is_there_once(|scene, between, flags, killed| {
        between.hold_requests();
        scene.folder.append("app.log", "two\n");
        between.until_held();
        drop(killed);
        let mut ship = scene.run(flags);
        scene.until_shipped(&mut ship, 2);
        thread::sleep(5 * WINDOW);
        // The late message is on the wire before the third, so it is refused first.
        between.let_through();
        ship
    });
}

#[test]
fn a_chunk_that_is_met_in_part_is_met_to_its_end_by_the_next_merge() {
    let scene = Scene::new();
    let lines: String = (0..20_000).map(|number| format!("line {number}\n")).collect();
    scene.folder.append("app.log", &lines);
    scene.ship(&["app.log"]).end().with(0);
    assert_eq!(scene.nats.messages(), 1);
    // With so many sources a chunk is shorter than this message.
    let names: Vec<_> = (0..128).map(|number| format!("{number}.log")).collect();
    names.iter().for_each(|name| scene.folder.append(name, ""));
    let between = Between::open(scene.nats.address());
    between.hold_requests_for_lines_after(1);
    let url = format!("nats://{}/{STREAM}", between.address());
    let flags = ["--output", &url, "--checkpoint", "shipped", "app.log"];
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let killed = scene.run(&[&flags, &*names].concat());
    until("the first chunk is in the checkpoint", || {
        let checkpoint = fs::read_to_string(scene.folder.path("shipped")).unwrap_or_default();
        checkpoint.split("\"offset\":").skip(1).any(|it| !it.starts_with('0'))
    });
    drop(killed);
    scene.ship(&["--checkpoint", "shipped", "app.log"]).end().with(0);
    assert_eq!(scene.nats.messages(), 1);
    assert!(scene.merged() == lines);
}

#[test]
fn other_lines_where_a_message_was_deleted_are_sent() {
    for program in Nats::programs() {
        let nats = Nats::start_program(&program, "");
        let scene = Scene { folder: Folder::new(), nats };
        let log = scene.folder.path("app.log");
        fs::write(&log, "one\n").unwrap();
        let mut ship = scene.ship(&["-F", "app.log"]);
        // Truncated each time. The last lines are as long as the first, and before both of
        // them the subject is empty.
        for (sequence, lines) in [(1, "x\n"), (2, "two\n")] {
            scene.until_shipped(&mut ship, 1);
            scene.nats.delete_message(sequence);
            fs::write(&log, lines).unwrap();
        }
        scene.until_shipped(&mut ship, 1);
        ship.terminate().with(0);
        assert_eq!(scene.merged(), "two\n");
    }
}

#[test]
fn a_new_file_of_a_pattern_with_the_lines_and_the_inode_of_an_old_one_is_sent() {
    let scene = Scene::new();
    let log = scene.folder.path("app.log");
    fs::write(&log, "started\n").unwrap();
    let inode = fs::metadata(&log).unwrap().ino();
    let mut ship = scene.ship(&["-F", "--watch", "*.log", "--quiet-after", "1ms"]);
    scene.until_shipped(&mut ship, 1);
    fs::remove_file(&log).unwrap();
    let open = format!("/proc/{}/fd", ship.child.id());
    let is_log = |it: fs::DirEntry| {
        fs::read_link(it.path()).is_ok_and(|it| it.to_string_lossy().contains("app.log"))
    };
    until("the file is let go", || !fs::read_dir(&open).unwrap().flatten().any(is_log));
    // Its inode is free now. Some file systems give it again soon; with others, this is a file
    // like any other.
    let new = |number| {
        let new = scene.folder.path(&format!("new.{number}"));
        fs::write(&new, "started\n").unwrap();
        (fs::metadata(&new).unwrap().ino() == inode, new)
    };
    let news: Vec<_> = (0..1_000).map(new).collect();
    let (_, new) = news.iter().find(|(has_inode, _)| *has_inode).unwrap_or(&news[0]);
    fs::rename(new, &log).unwrap();
    scene.until_shipped(&mut ship, 2);
    ship.terminate().with(0);
    assert_eq!(scene.merged(), "started\nstarted\n");
}
