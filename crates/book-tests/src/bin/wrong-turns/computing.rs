//! A wrong turn: the pool computes until it is full, and what else needs it waits.

use std::fs;
use std::io;
use std::path::Path;

use crossbeam_channel::{Receiver, unbounded};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::spawn_blocking;

/// As small as it takes to show it. The default is 512 threads, and more workers than
/// there are cores compute no faster.
const WORKERS: usize = 2;

/// Hashes each line that comes.
fn work(lines: &Receiver<String>, hashes: &UnboundedSender<u32>) {
    for line in lines {
        let hash = |hash: u32, byte| hash.wrapping_mul(31).wrapping_add(u32::from(byte));
        let _ = hashes.send(line.bytes().fold(7, hash));
    }
}

async fn hash(log: &Path) -> io::Result<()> {
    let ((line, lines), (hash, mut hashes)) = (unbounded(), unbounded_channel());
    for _ in 0..WORKERS {
        let (lines, hash) = (lines.clone(), hash.clone());
        spawn_blocking(move || work(&lines, &hash));
    }
    drop(hash);
    say("the log is read");
    for text in tokio::fs::read_to_string(log).await?.lines() {
        line.send(text.to_owned()).map_err(io::Error::other)?;
    }
    drop(line);
    let mut hashed = 0;
    while hashes.recv().await.is_some() {
        hashed += 1;
    }
    say(&format!("{hashed} lines are hashed"));
    Ok(())
}

#[expect(clippy::print_stdout, reason = "an example speaks")]
fn say(what: &str) {
    println!("{what}");
}

pub(crate) fn main() -> io::Result<()> {
    let folder = tempfile::tempdir()?;
    let log = folder.path().join("a.log");
    fs::write(&log, "one\ntwo\nthree\n")?;
    tokio_loop::run(WORKERS, None, hash(&log))?.answer
}
