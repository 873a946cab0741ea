//! Measures how many lines the checker can judge in a second of one core: the
//! time of the processor is what counts, so that other work on the machine
//! changes little.
//!
//! `cargo run --release -p workload --example check-speed`
#![allow(clippy::print_stdout)]

use std::fs::File;
use std::io::{BufWriter, Write};
use std::time::{Duration, Instant};

use checker::{Verdict, check_tagged, check_untagged};
use rustix::time::{ClockId, clock_gettime};
use workload::Backlog;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let backlog = Backlog::default();
    let start = Instant::now();
    let sources = backlog.make(folder.path(), 42)?;
    let bytes = backlog.files as u64 * backlog.bytes;
    println!("made {} MiB in {:.2?}", bytes >> 20, start.elapsed());

    // A thousand lines of each source in turn: chunks, as a merge writes them.
    let merged = folder.path().join("merged.log");
    let mut output = BufWriter::new(File::create(&merged)?);
    let contents: Vec<_> = sources.iter().map(std::fs::read).collect::<Result<_, _>>()?;
    let mut lines: Vec<_> =
        contents.iter().map(|bytes| bytes.split_inclusive(|&byte| byte == b'\n')).collect();
    let mut before = 1;
    while before > 0 {
        before = 0;
        for source in &mut lines {
            for line in source.take(1_000) {
                output.write_all(line)?;
                before += 1;
            }
        }
    }
    output.into_inner()?;

    report("tagged", || Ok(check_tagged(&sources, &merged)?))?;
    report("untagged", || Ok(check_untagged(&sources, &merged)?))?;
    Ok(())
}

/// What this thread has used of the processor, in it and in the system.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

type Checked = Result<Verdict, Box<dyn std::error::Error>>;

/// Runs a check five times and prints the median and the range.
fn report(name: &str, check: impl Fn() -> Checked) -> Result<(), Box<dyn std::error::Error>> {
    let mut times = Vec::new();
    let mut lines = 0;
    for _ in 0..5 {
        let start = processor_time();
        let verdict = check()?;
        times.push(processor_time() - start);
        assert!(verdict.is_right(), "{verdict}");
        lines = verdict.lines();
    }
    times.sort();
    let rate = |time: Duration| lines as f64 / time.as_secs_f64() / 1e6;
    println!(
        "{name}: {lines} lines, {:.1} million lines a second ({:.1} to {:.1})",
        rate(times[2]),
        rate(times[4]),
        rate(times[0])
    );
    Ok(())
}
