//! Growing files: how late does a line come, and what does it cost?

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use checker::check_tagged;
use workload::{Live, OutputReader, Written};

use crate::child::{Running, Took};
use crate::contender::Contender;
use crate::rounds::{Figures, take_turns};

/// How long after the last write a contender may take to have every byte in the output.
const PATIENCE: Duration = Duration::from_secs(60);

/// Fifty files of a hundred lines a second, against `tail -f`.
#[expect(clippy::print_stdout, reason = "a command prints")]
pub(crate) fn live(folder: &Path, stages: &[Contender], rounds: usize) -> anyhow::Result<()> {
    println!("50 files of 100 lines a second, followed for 10 s");
    let live = Live {
        files: 50,
        lines_per_second: 100,
        line_bytes: 40..=400,
        one_in_pieces: 0,
        duration: Duration::from_secs(10),
    };
    let quick = ["--latency", "0"].map(Into::into);
    let mut contenders = [&[Contender::tail()], stages].concat();
    contenders.extend(stages.iter().map(|stage| stage.with(&quick, ", --latency 0")));
    take_turns(&contenders, rounds, |who| {
        let output = fresh_output(folder);
        let sources = live.create(&folder.join("live"), benches::SEED)?;
        let paths = sources.paths().to_vec();
        let running = Running::start(&mut follow(who, &paths, &output)?)?;
        let watch = OutputReader::of_file(&output)?;
        let written = sources.start()?.join()?;
        let (took, _) = catch_up(running, &written, &output)?;
        check(who, &paths, &output)?;
        let mut latencies = watch.finish()?;
        // Without the first second, in which the contender starts.
        latencies.drain(..latencies.len() / 10);
        latencies.sort_unstable();
        let at = |percent: usize| latencies[(latencies.len() - 1) * percent / 100] as f64 / 1e6;
        Ok(Figures::from([
            ("p50, ms", at(50)),
            ("p99, ms", at(99)),
            ("CPU a line, us", cpu_a_line(took, &written)),
        ]))
    })
}

/// A million lines for twenty files, as fast as one thread can write them, against
/// `tail -f`.
#[expect(clippy::print_stdout, reason = "a command prints")]
pub(crate) fn saturated(folder: &Path, stages: &[Contender], rounds: usize) -> anyhow::Result<()> {
    println!("20 files that get 1,000,000 lines as fast as possible, followed");
    let live = Live {
        files: 20,
        // More than any machine writes: the writer never waits for a line to be due.
        lines_per_second: 1_000_000,
        line_bytes: 40..=400,
        one_in_pieces: 0,
        duration: Duration::from_millis(50),
    };
    let contenders = [&[Contender::tail()], stages].concat();
    take_turns(&contenders, rounds, |who| {
        let output = fresh_output(folder);
        let sources = live.create(&folder.join("live"), benches::SEED)?;
        let paths = sources.paths().to_vec();
        let running = Running::start(&mut follow(who, &paths, &output)?)?;
        let started = Instant::now();
        let written = sources.start()?.join()?;
        let writing = started.elapsed();
        let (took, behind) = catch_up(running, &written, &output)?;
        check(who, &paths, &output)?;
        Ok(Figures::from([
            ("behind at the end, ms", behind.as_secs_f64() * 1e3),
            ("CPU a line, us", cpu_a_line(took, &written)),
            ("time of a write, us", writing.as_secs_f64() * 1e6 / written.lines as f64),
        ]))
    })
}

fn fresh_output(folder: &Path) -> PathBuf {
    let output = folder.join("merged");
    let _ = fs::remove_file(&output);
    output
}

/// Returns the command that follows. `tail -f` needs no flag for it.
fn follow(
    who: &Contender,
    sources: &[PathBuf],
    output: &Path,
) -> anyhow::Result<std::process::Command> {
    let follow = ["--follow".into()];
    if who.must_be_right {
        who.with(&follow, "").command(sources, output)
    } else {
        who.command(sources, output)
    }
}

/// Waits until the output has every byte, and ends the contender. Returns what it took,
/// and how long after the last write the output was complete.
fn catch_up(
    mut running: Running,
    written: &Written,
    output: &Path,
) -> anyhow::Result<(Took, Duration)> {
    let stopped = Instant::now();
    while fs::metadata(output).map_or(0, |output| output.len()) < written.bytes {
        running.check()?;
        if stopped.elapsed() > PATIENCE {
            bail!("a contender has not caught up within {PATIENCE:?}");
        }
        thread::sleep(Duration::from_millis(1));
    }
    let behind = stopped.elapsed();
    Ok((running.terminate()?, behind))
}

#[expect(clippy::print_stdout, reason = "a command prints")]
fn check(who: &Contender, sources: &[PathBuf], output: &Path) -> anyhow::Result<()> {
    let verdict = check_tagged(sources, output)?;
    if !verdict.is_right() {
        ensure!(!who.must_be_right, "{} has merged wrongly: {verdict}", who.name);
        println!("    (in one run {} got {} lines wrong)", who.name, verdict.wrong());
    }
    Ok(())
}

fn cpu_a_line(took: Took, written: &Written) -> f64 {
    took.cpu.as_secs_f64() * 1e6 / written.lines as f64
}
