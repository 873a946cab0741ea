//! Exactly once, whatever is killed: one of three shippers into the stream, the server, or
//! the reader, at random moments, under load, while the logs are rotated.
//!
//! `just kill-wire` is the long run; the default is short. `SEED=…` draws the same
//! moments again.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use async_nats::jetstream::stream;
use testkit::rotating::{check, log, wait_for_all, while_written};
use testkit::{Folder, Running, until};

use crate::server::Nats;
use crate::{Scene, is_alive, names};

/// How many shippers there are, each with a host name of its own.
const HOSTS: usize = 3;
/// How many logs there are: two of the first host, one of each other.
const LOGS: usize = 4;
/// How long the server remembers the id of a message: shorter than a pause of it.
const WINDOW: Duration = Duration::from_millis(100);

#[test]
fn every_line_arrives_once_whatever_is_killed() {
    let number = |name| std::env::var(name).ok().map(|it| it.parse::<u64>().expect(name));
    let kills = number("KILLS").unwrap_or(6);
    let seed = number("SEED").unwrap_or_else(|| fastrand::u64(..1 << 32));
    // All servers at once, each with that short memory of ids, and with the memory of a
    // stream that the merge has made.
    thread::scope(|scope| {
        for program in Nats::programs() {
            for window in [None, Some(WINDOW)] {
                let program = program.clone();
                let name = format!("{} {window:?} SEED={seed}", program.display());
                let killed = move || killed(&program, window, kills, seed);
                thread::Builder::new().name(name).spawn_scoped(scope, killed).unwrap();
            }
        }
    });
}

fn killed(program: &Path, window: Option<Duration>, kills: u64, seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let scene = Scene { folder: Folder::new(), nats: Nats::start_program(program, "") };
    if let Some(window) = window {
        scene.nats.make(stream::Config { duplicate_window: window, ..Default::default() });
    }
    let merged = Merged(scene.folder.path("merged"));
    let is_known = |index| merged.lines().iter().any(|it| it.starts_with(&format!("{index} ")));
    let logs: Vec<_> = (0..LOGS).map(|index| log(&scene.folder, index)).collect();
    let ship = |host: usize| {
        let (name, checkpoint) = (format!("host{host}"), format!("shipped{host}"));
        let flags = ["-F", "--checkpoint", &checkpoint, "--host-name", &name];
        let logs: Vec<_> = logs.iter().skip(host).step_by(HOSTS).cloned().collect();
        scene.ship(&[&flags, &*names(&logs)].concat())
    };
    let read = || scene.read(&["-F", "--checkpoint", "read"]);

    // The shippers, and then the reader.
    let mut all: Vec<_> = (0..HOSTS).map(ship).collect();
    scene.nats.until_made();
    all.push(read());
    let written = while_written(&scene.folder, LOGS, seed, is_known, || {
        for _ in 0..kills {
            merged.grows(&mut all, random.u64(0..100_000));
            let host = random.usize(..HOSTS);
            match random.u8(0..5) {
                0 => restart(&mut all[host], || ship(host)),
                1 => restart(&mut all[HOSTS], read),
                2 => {
                    scene.nats.kill();
                    scene.nats.start_again();
                }
                // What the killed shipper has sent is still on its way: it arrives before
                // its successor asks, or after that.
                3 => {
                    scene.nats.pause();
                    restart(&mut all[host], || ship(host));
                    scene.nats.go_on();
                }
                // The pause itself, so long that the server forgets: nothing is waited for.
                _ => {
                    scene.nats.pause();
                    thread::sleep(2 * WINDOW);
                    if random.bool() {
                        restart(&mut all[host], || ship(host));
                    }
                    scene.nats.go_on();
                }
            }
        }
    });

    wait_for_all(&written, || {
        is_alive(&mut all);
        merged.lines().len()
    });
    for one in all {
        one.terminate().with(0);
    }
    if let Err(wrong) = check(&merged.lines(), &written, false) {
        let kept = std::env::var_os("KEEP").map(|_| scene.folder.keep());
        panic!("{wrong}, after {kills} kills; kept: {kept:?}");
    }
}

/// Kills a merge, and starts it again.
fn restart(merge: &mut Running, start: impl Fn() -> Running) {
    // Killed first: two at once would be two machines of one name.
    merge.child.kill().unwrap();
    merge.child.wait().unwrap();
    *merge = start();
}

/// The file that the stream is read into.
struct Merged(PathBuf);

impl Merged {
    fn lines(&self) -> Vec<String> {
        let text = fs::read_to_string(&self.0).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// Waits until the file has `more` bytes more.
    fn grows(&self, all: &mut [Running], more: u64) {
        let length = || fs::metadata(&self.0).map_or(0, |it| it.len());
        let begun = length();
        until("more is merged", || {
            is_alive(all);
            length() >= begun + more
        });
    }
}
