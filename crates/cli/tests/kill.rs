//! Exactly once, across `kill -9`: the command is killed at random moments,
//! under load, while its logs and its output are rotated, and started again
//! with the same checkpoint. In the end every line is in the outputs once.
//!
//! `KILLS=100 cargo test --release -p tributary-cli --test kill` is the long run; the
//! default is short. `SEED=…` draws the same moments again.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;

use rustix::process::Signal;
use stages::{STAGES, Stage};
use testkit::rotating::{check, log, rotate, wait_for_all, while_written};
use testkit::{Folder, Running, until};

const LOGS: usize = 3;
/// A growth of fewer bytes is not waited for.
const SOME: u64 = 1000;

#[test]
fn every_line_is_there_once_however_often_a_stage_is_killed() {
    let number = |name| std::env::var(name).ok().map(|it| it.parse::<u64>().expect(name));
    let kills = number("KILLS").unwrap_or(6);
    let seed = number("SEED").unwrap_or_else(|| fastrand::u64(..1 << 32));
    // All stages at once, since each waits most of the time.
    let ended = thread::scope(|scope| {
        let start =
            |stage: &'static Stage| (stage, scope.spawn(move || killed(stage, kills, seed)));
        let running: Vec<_> = STAGES.iter().map(start).collect();
        running.into_iter().map(|(stage, killed)| (stage, killed.join())).collect::<Vec<_>>()
    });
    for (stage, killed) in ended {
        let name = stage.name;
        assert!(killed.is_ok(), "{name} with SEED={seed}; what is wrong stands above");
    }
}

fn killed(stage: &Stage, kills: u64, seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    // Where rotated names are sources, too, the order of two files is open.
    let patterns = random.bool();
    let folder = Folder::new();
    let outputs = Outputs(folder.path("merged"));
    let start = |by_pattern: bool, extra: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tributary"));
        command.args(["--follow", "--stage", stage.name, "--output"]).arg(&outputs.0);
        command.arg("--checkpoint").arg(folder.path("checkpoint")).args(extra);
        if by_pattern {
            command.arg("--watch").arg(folder.path("log*/app.log*"));
        } else {
            command.args((0..LOGS).map(|index| log(&folder, index)));
        }
        Running::start(&folder, command.stdin(Stdio::null()))
    };

    let is_known = |index| outputs.has_a_line_of(index);
    let written = while_written(&folder, LOGS, seed, is_known, || {
        for kill in 0..kills {
            let extra: &[&str] = if kill % 2 == 0 { &[] } else { &["--wake", "poll"] };
            let mut merge = start(patterns && random.bool(), extra);
            // A kill meets the merge at its start, or well under way, or just after a
            // checkpoint. A signal is sent once something is written: then it listens.
            let signalled = kill % 3 == 2;
            let more = random.u64(if signalled { SOME } else { 0 }..200_000);
            grows(&mut merge, &outputs, more);
            if signalled {
                // As logrotate does: first the name, then the signal.
                outputs.rotate();
                if random.bool() {
                    merge.signal(Signal::HUP);
                    grows(&mut merge, &outputs, random.u64(0..50_000));
                }
            }
            drop(merge);
        }
    });

    let mut merge = start(patterns, &["--durability", "flush"]);
    wait_for_all(&written, || {
        assert!(merge.child.try_wait().unwrap().is_none(), "it ended by itself: {}", merge.said());
        outputs.lines().len()
    });
    merge.terminate().with(0);

    if let Err(wrong) = check(&outputs.lines(), &written, patterns) {
        let kept = std::env::var_os("KEEP").map(|_| folder.keep());
        panic!("{wrong}, after {kills} kills; kept: {kept:?}");
    }
}

/// The output and its rotated files, of which `merged.1` is the oldest.
struct Outputs(PathBuf);

impl Outputs {
    fn rotate(&self) {
        if self.0.exists() {
            rotate(&self.0, self.all().count() as u64);
        }
    }

    /// Returns the paths of all of them, the oldest first.
    fn all(&self) -> impl Iterator<Item = PathBuf> {
        let rotated = (1..).map(|number| self.0.with_extension(number.to_string()));
        rotated.take_while(|path| path.exists()).chain([self.0.clone()])
    }

    fn length(&self) -> u64 {
        self.all().map(|path| fs::metadata(path).map_or(0, |file| file.len())).sum()
    }

    fn lines(&self) -> Vec<String> {
        let text: String =
            self.all().map(|path| fs::read_to_string(path).unwrap_or_default()).collect();
        text.lines().map(str::to_owned).collect()
    }

    fn has_a_line_of(&self, index: usize) -> bool {
        let begin = format!("{index} ");
        self.lines().iter().any(|line| line.starts_with(&begin))
    }
}

/// Waits until the outputs have `more` bytes more; not at all for fewer than [`SOME`].
fn grows(merge: &mut Running, outputs: &Outputs, more: u64) {
    let begun = outputs.length();
    until("more is merged", || {
        assert!(merge.child.try_wait().unwrap().is_none(), "it ended by itself: {}", merge.said());
        outputs.length() >= begun + more || more < SOME
    });
}
