//! The writer has left the machine: lines that are shipped into a stream of NATS and read
//! back are held to what every merge promises, with real servers.
//!
//! Some tests take two servers, if there are two: the one in `PATH`, and Debian's.

mod between;
mod errors;
mod fence;
mod kills;
mod laws;
mod logins;
mod server;
mod slow;
mod typed;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use testkit::{Folder, Running, until};

use crate::server::Nats;

/// The command.
const TRIBUTARY: &str = env!("CARGO_BIN_EXE_tributary");

/// Returns sources as arguments.
fn names(sources: &[PathBuf]) -> Vec<&str> {
    sources.iter().map(|source| source.to_str().unwrap()).collect()
}

#[track_caller]
fn is_alive(merges: &mut [Running]) {
    for merge in merges {
        assert!(merge.child.try_wait().unwrap().is_none(), "it ended by itself: {}", merge.said());
    }
}

/// A folder of logs, and a server that their lines go to.
struct Scene {
    folder: Folder,
    nats: Nats,
}

impl Scene {
    /// Starts a server that has these lines, too, in its configuration.
    fn of(config: &str) -> Scene {
        Scene { folder: Folder::new(), nats: Nats::start(config) }
    }

    fn new() -> Scene {
        Scene::of("")
    }

    /// Starts a merge into the stream. Its logs are named as seen from the folder.
    fn ship(&self, flags: &[&str]) -> Running {
        self.run(&[&["--output", &self.nats.url()], flags].concat())
    }

    /// Starts a merge from the stream into the file `merged`.
    fn read(&self, flags: &[&str]) -> Running {
        self.run(&[&["--from", &self.nats.url(), "--output", "merged"], flags].concat())
    }

    /// Starts the command in the folder.
    fn run(&self, flags: &[&str]) -> Running {
        let mut command = Command::new(TRIBUTARY);
        command.args(flags).current_dir(self.folder.folder());
        Running::start(&self.folder, command.stdin(Stdio::null()))
    }

    /// Reads what the stream holds by now; returns the merged lines.
    #[track_caller]
    fn merged(&self) -> String {
        self.read(&[]).end().with(0);
        self.folder.read("merged")
    }

    /// Waits until the stream holds so many messages; fails if the merge ends before.
    #[track_caller]
    fn until_shipped(&self, ship: &mut Running, messages: u64) {
        until("the messages are in the stream", || {
            is_alive(std::slice::from_mut(ship));
            self.nats.messages() >= messages
        });
    }

    /// Waits until `merged` has so many bytes.
    #[track_caller]
    fn until_merged(&self, bytes: usize) {
        let merged = self.folder.path("merged");
        until("the lines are read back", || {
            fs::metadata(&merged).is_ok_and(|it| it.len() >= bytes as u64)
        });
    }
}
