//! Measures how many lines the checker can judge in a second of one core: the
//! time of the processor is what counts, so that other work on the machine
//! changes little.
//!
//! `cargo run --release -p workload --example check-speed`
#![allow(clippy::print_stdout)]

use std::fs::File;
use std::io::{BufWriter, Write};
use std::time::Duration;

use checker::{CheckError, Verdict, check_tagged, check_untagged};
use rustix::time::{ClockId, clock_gettime};
use workload::Backlog;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let sources = Backlog { files: 8, bytes: 64 * 1024 * 1024 }.make(folder.path(), 42)?;

    // A thousand lines of each source in turn: chunks, as a merge writes them.
    let merged = folder.path().join("merged.log");
    let mut output = BufWriter::new(File::create(&merged)?);
    let contents: Vec<_> = sources.iter().map(std::fs::read).collect::<Result<_, _>>()?;
    let mut lines: Vec<_> = contents
        .iter()
        .map(|bytes| bytes.split_inclusive(|&byte| byte == b'\n').peekable())
        .collect();
    while lines.iter_mut().any(|source| source.peek().is_some()) {
        for source in &mut lines {
            source.take(1_000).try_for_each(|line| output.write_all(line))?;
        }
    }
    output.into_inner()?;

    report("tagged", || check_tagged(&sources, &merged))?;
    report("untagged", || check_untagged(&sources, &merged))?;
    Ok(())
}

/// Runs a check five times and prints the median and the range.
fn report(name: &str, check: impl Fn() -> Result<Verdict, CheckError>) -> Result<(), CheckError> {
    let mut rates = Vec::new();
    for _ in 0..5 {
        let start = clock_gettime(ClockId::ThreadCPUTime);
        let verdict = check()?;
        let took = Duration::try_from(clock_gettime(ClockId::ThreadCPUTime) - start);
        assert!(verdict.is_right(), "{verdict}");
        rates.push(verdict.lines() as f64 / took.expect("time passes").as_secs_f64() / 1e6);
    }
    rates.sort_by(f64::total_cmp);
    let [low, .., high] = rates[..] else { unreachable!("five rates") };
    println!("{name}: {:.1} million lines a second ({low:.1} to {high:.1})", rates[2]);
    Ok(())
}
