//! What a merge costs at rest, and while its output is slow.

use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use testkit::make_fifo;
use workload::{Backlog, Live};

use crate::child::Running;
use crate::contender::Contender;

/// Ten thousand followed files at rest, against `tail -f`; then one line each for a
/// hundred of them.
#[expect(clippy::print_stdout, reason = "a command prints")]
pub(crate) fn idle(folder: &Path, stages: &[Contender]) -> anyhow::Result<()> {
    const FILES: usize = 10_000;
    const REST: Duration = Duration::from_secs(10);
    println!("{FILES} followed files that are open and watched, at rest for {} s", REST.as_secs());
    let live = Live {
        files: FILES,
        lines_per_second: 0,
        line_bytes: 40..=40,
        one_in_pieces: 0,
        duration: Duration::ZERO,
    };
    for who in [&[Contender::tail()], stages].concat() {
        let paths = live.create(&folder.join("idle"), benches::SEED)?.paths().to_vec();
        let output = folder.join("merged");
        let who = if who.must_be_right { who.with(&["--follow".into()], "") } else { who };
        let mut running = Running::start(&mut who.command(&paths, &output)?)?;
        let mut bytes = 0;
        let mut tell = |index: usize, running: &mut Running| -> anyhow::Result<Duration> {
            let line = b"a line of a file that was at rest\n";
            let written = Instant::now();
            OpenOptions::new().append(true).open(&paths[index])?.write_all(line)?;
            bytes += line.len() as u64;
            while fs::metadata(&output).map_or(0, |output| output.len()) < bytes {
                running.check()?;
                if written.elapsed() > Duration::from_secs(60) {
                    bail!("{}: a line does not come", who.name);
                }
                thread::sleep(Duration::from_micros(100));
            }
            Ok(written.elapsed())
        };
        // Once the last file has given a line, all are open. Once no thread runs any
        // more, all are watched, and the rest may begin.
        tell(FILES - 1, &mut running)?;
        let before = until_still(&running)?;
        thread::sleep(REST);
        let status = running.status()?;
        let mut late = Vec::new();
        for index in (0..FILES).step_by(FILES / 100) {
            late.push(tell(index, &mut running)?);
        }
        late.sort();
        running.terminate()?;
        println!("  {}", who.name);
        println!("    CPU {:.3} ms", status.cpu.saturating_sub(before).as_secs_f64() * 1e3);
        println!("    peak memory {:.1} MiB", status.peak_memory as f64 / 1048576.0);
        println!("    threads {}", status.threads);
        println!(
            "    a line is out after {:.2} ms, at worst {:.2} ms",
            late[late.len() / 2].as_secs_f64() * 1e3,
            late[late.len() - 1].as_secs_f64() * 1e3
        );
    }
    Ok(())
}

/// Waits until a contender does nothing any more, and returns its CPU time so far.
/// Gives up after a minute.
fn until_still(running: &Running) -> anyhow::Result<Duration> {
    const STILL: Duration = Duration::from_secs(2);
    let begun = Instant::now();
    loop {
        let before = running.status()?.cpu;
        thread::sleep(STILL);
        if running.status()?.cpu == before {
            return Ok(before);
        }
        ensure!(begun.elapsed() < Duration::from_secs(60), "it does not come to rest");
    }
}

/// A gibibyte of complete files, into an output that takes a mebibyte a second.
#[expect(clippy::print_stdout, reason = "a command prints")]
pub(crate) fn memory(folder: &Path, stages: &[Contender]) -> anyhow::Result<()> {
    const SECONDS: u64 = 20;
    println!("1 GiB from 16 files, into a FIFO that takes 1 MiB a second, for {SECONDS} s");
    let sources = Backlog { files: 16, bytes: 64 << 20 }.make(folder, benches::SEED)?;
    let fifo = folder.join("fifo");
    make_fifo(&fifo);
    for who in stages {
        let running = Running::start(&mut who.command(&sources, &fifo)?)?;
        let mut reader = fs::File::open(&fifo)?;
        let started = Instant::now();
        let mut piece = vec![0; 64 << 10];
        let mut taken = 0_u64;
        while started.elapsed() < Duration::from_secs(SECONDS) {
            let due = Duration::from_secs_f64(taken as f64 / f64::from(1 << 20));
            thread::sleep(due.saturating_sub(started.elapsed()));
            let read = reader.read(&mut piece)?;
            ensure!(read > 0, "{} has ended with lines left", who.name);
            taken += read as u64;
        }
        let status = running.status()?;
        println!("  {}", who.name);
        println!("    peak memory {:.1} MiB", status.peak_memory as f64 / 1048576.0);
        println!("    threads {}", status.threads);
        // Killed: the whole gibibyte would take a quarter of an hour.
        drop(running);
    }
    Ok(())
}
