//! Half a line, then another log's line, then the other half: what `tail` makes
//! of it, and what a merge makes of it.
//!
//! Nothing is left to chance: each piece is written once the one before it has
//! come out.

#![expect(clippy::print_stdout, reason = "it is there to print")]

use std::fs::{self, OpenOptions};
use std::io::{Read as _, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Context;
use tributary::{Options, Plan, Read};

fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let [a, b, merged] = ["a", "b", "merged"].map(|name| folder.path().join(name));

    println!("tail -q -f a b:\n\n{}", by_tail(&a, &b)?);
    println!("tributary:\n\n{}", by_merge(&a, &b, &merged)?.trim_end());
    Ok(())
}

/// Writes half a line of `a`, a line of `b`, and the rest of the line of `a`;
/// `seen` is called after each, and comes back when it is read.
fn write(a: &Path, b: &Path, mut seen: impl FnMut() -> anyhow::Result<()>) -> anyhow::Result<()> {
    let open = |log| OpenOptions::new().append(true).open(log);
    let (mut a, mut b) = (open(a)?, open(b)?);
    a.write_all(b"a: somebody was seen at ")?;
    seen()?;
    b.write_all(b"b: the door is open\n")?;
    seen()?;
    a.write_all(b"the window\n")?;
    seen()
}

fn by_tail(a: &Path, b: &Path) -> anyhow::Result<String> {
    // It has to find the files when it starts.
    fs::write(a, "")?;
    fs::write(b, "")?;
    let mut tail = Command::new("tail")
        .args(["-q", "-f"])
        .args([a, b])
        .stdout(Stdio::piped())
        .spawn()
        .context("tail")?;
    let mut out = tail.stdout.take().context("its output is ours")?;
    let mut torn = String::new();
    write(a, b, || {
        let mut piece = [0; 100];
        let read = out.read(&mut piece)?;
        torn += &String::from_utf8_lossy(&piece[..read]);
        Ok(())
    })?;
    tail.kill()?;
    tail.wait()?;
    Ok(torn)
}

/// One look at each log after each piece: what every stage does, without the
/// threads and the tasks.
fn by_merge(a: &Path, b: &Path, merged: &Path) -> anyhow::Result<String> {
    fs::write(a, "")?;
    fs::write(b, "")?;
    let options = Options { follow: true, ..Options::default() };
    let mut plan = Plan::open([a, b], merged, options)?;
    write(a, b, || {
        for source in &mut plan.sources {
            if let Read::Lines(lines) = source.read_lines()? {
                plan.output.append(&lines)?;
            }
        }
        Ok(())
    })?;
    plan.output.finish()?;
    Ok(fs::read_to_string(merged)?)
}
