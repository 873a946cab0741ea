//! A writer thread: what is lost when nobody waits for it, and in which order
//! it is taken down.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process;
use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle};

use super::{BOUND, blocks_the_loop, comes, does_not_come};
use crate::process::{child, role};

/// Starts a thread that writes lines through a buffer. It ends when the last
/// sender is gone, and returns what the last flush said.
fn start(file: &Path) -> (Sender<&'static str>, JoinHandle<io::Result<()>>) {
    let (requests, inbox) = channel::<&str>();
    let mut file = BufWriter::new(OpenOptions::new().append(true).open(file).unwrap());
    let thread = thread::spawn(move || {
        for line in inbox {
            file.write_all(line.as_bytes())?;
        }
        file.flush()
    });
    (requests, thread)
}

/// What the child exits with at its end.
const WRITTEN: i32 = 42;

/// What the child does: it hands over a line and ends, with or without a join.
fn write_and_end(role: &str) -> ! {
    let (how, file) = role.split_once(' ').unwrap();
    let (requests, writer) = start(Path::new(file));
    requests.send("one\n").unwrap();
    if how == "joined" {
        drop(requests);
        writer.join().unwrap().unwrap();
    }
    // A return from `main` ends the other threads in the same way.
    process::exit(WRITTEN);
}

#[test]
fn what_a_writer_holds_back_is_lost_when_nobody_joins_it() {
    if let Some(role) = role() {
        write_and_end(&role);
    }
    let test = "facts::writer::what_a_writer_holds_back_is_lost_when_nobody_joins_it";
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("merged.log");
    for (how, expected) in [("left", ""), ("joined", "one\n")] {
        File::create(&file).unwrap();
        let ended = child(test, &format!("{how} {}", file.display()));
        assert!(ended.ends_with(&format!("(exit code {WRITTEN})\n")), "{ended}");
        assert_eq!(fs::read_to_string(&file).unwrap(), expected, "{how}");
    }
}

#[test]
fn a_join_before_the_last_sender_is_gone_waits_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("merged.log");
    File::create(&file).unwrap();
    let (requests, writer) = start(&file);
    requests.send("one\n").unwrap();
    let (end, ended) = channel();
    let joins = thread::spawn(move || end.send(writer.join().unwrap()));
    does_not_come(&ended, "the writer ends while somebody could still send");
    drop(requests);
    comes(&ended, "the writer ends with its last sender").unwrap();
    joins.join().unwrap().unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), "one\n");
}

#[test]
fn the_error_of_the_last_flush_is_what_the_join_returns() {
    let (requests, writer) = start(Path::new("/dev/full"));
    requests.send("one\n").unwrap();
    drop(requests);
    let ended = writer.join().unwrap();
    assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::StorageFull);
}

/// An output that joins its writer when it is dropped.
struct JoinsOnDrop(Option<JoinHandle<()>>);

impl Drop for JoinsOnDrop {
    fn drop(&mut self) {
        // There is no `.await` in here, so the thread that drops has to wait.
        self.0.take().unwrap().join().unwrap();
    }
}

#[test]
fn a_join_in_drop_blocks_the_loop() {
    let (go_on, gate) = channel();
    let writer = thread::spawn(move || gate.recv_timeout(BOUND).unwrap());
    let output = JoinsOnDrop(Some(writer));
    blocks_the_loop(move || drop(output), move || go_on.send(()).unwrap());
}
