//! Complete files: how long does it take until all is merged?

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::mpsc::sync_channel;
use std::thread;

use anyhow::{Context, ensure};
use checker::check_tagged;
use workload::Backlog;

use crate::child::Running;
use crate::contender::Contender;
use crate::rounds::{Figures, take_turns};

/// Files of equal size, against `cat` and the floor.
#[expect(clippy::print_stdout, reason = "a command prints")]
pub(crate) fn against_cat(
    folder: &Path,
    files: usize,
    bytes: u64,
    stages: &[Contender],
    rounds: usize,
) -> anyhow::Result<()> {
    println!("{files} complete files of {} KiB, merged once", bytes >> 10);
    let sources = make(folder, files, bytes)?;
    let contenders = [&[Contender::cat(), Contender::floor()?], stages].concat();
    take_turns(&contenders, rounds, |who| merge(who, &sources, &folder.join("merged")))
}

/// Each line with the name of its file before it, against `cat`, which writes no names.
#[expect(clippy::print_stdout, reason = "a command prints")]
pub(crate) fn prefix(folder: &Path, stages: &[Contender], rounds: usize) -> anyhow::Result<()> {
    println!("8 complete files of 65536 KiB, with the name of its file before each line");
    let sources = make(folder, 8, 64 << 20)?;
    let flags = ["--prefix", "name"].map(OsString::from);
    let mut contenders = vec![Contender::cat()];
    contenders.extend(stages.iter().map(|stage| stage.with(&flags, ", --prefix name")));
    let (merged, bare) = (folder.join("merged"), folder.join("bare"));
    take_turns(&contenders, rounds, |who| {
        let figures = run(who, &sources, &merged)?;
        if who.must_be_right {
            strip_names(&merged, &bare)?;
            check(who, &sources, &bare)?;
        } else {
            check(who, &sources, &merged)?;
        }
        Ok(figures)
    })
}

/// Each stage with a checkpoint, against the same stage without.
#[expect(clippy::print_stdout, reason = "a command prints")]
pub(crate) fn checkpoint(folder: &Path, stages: &[Contender], rounds: usize) -> anyhow::Result<()> {
    println!("8 complete files of 65536 KiB, with a checkpoint");
    let sources = make(folder, 8, 64 << 20)?;
    let state = folder.join("state");
    let flags = ["--checkpoint".into(), state.clone().into_os_string()];
    for stage in stages {
        let contenders = [stage.clone(), stage.with(&flags, ", --checkpoint")];
        take_turns(&contenders, rounds, |who| {
            let _ = fs::remove_file(&state);
            merge(who, &sources, &folder.join("merged"))
        })?;
    }
    Ok(())
}

/// The same bytes from more and more files, against `cat`, which also takes longer for
/// more files.
#[expect(clippy::print_stdout, reason = "a command prints")]
pub(crate) fn growth(folder: &Path, stages: &[Contender], rounds: usize) -> anyhow::Result<()> {
    for files in [8, 64, 512, 4_096] {
        println!("64 MiB from {files} files");
        let folder = folder.join(files.to_string());
        let sources = make(&folder, files, (64 << 20) / files as u64)?;
        let contenders = [&[Contender::cat()], stages].concat();
        take_turns(&contenders, rounds, |who| merge(who, &sources, &folder.join("merged")))?;
    }
    Ok(())
}

/// Copies the named files to stdout, in order. One thread reads, one writes, and three
/// buffers go round between them. It checks nothing, so it costs what the two copies of
/// each byte cost.
pub(crate) fn floor(sources: Vec<OsString>) -> io::Result<()> {
    const BUFFERS: usize = 3;
    const BYTES: usize = 1 << 20;
    let (full, to_write) = sync_channel::<(Vec<u8>, usize)>(BUFFERS);
    let (empty, to_read) = sync_channel(BUFFERS);
    for _ in 0..BUFFERS {
        let _ = empty.send(vec![0; BYTES]);
    }
    let writer = thread::spawn(move || -> io::Result<()> {
        let mut output = io::stdout().lock();
        for (buffer, length) in to_write {
            output.write_all(&buffer[..length])?;
            let _ = empty.send(buffer);
        }
        output.flush()
    });
    let mut batch = (to_read.recv().expect("the buffers are there"), 0);
    'sources: for source in sources {
        let mut file = File::open(source)?;
        loop {
            let (buffer, length) = &mut batch;
            let read = file.read(&mut buffer[*length..])?;
            *length += read;
            if read == 0 {
                break;
            }
            if *length == BYTES {
                // The writer has failed, and says so when it is joined.
                let Ok(next) = to_read.recv() else { break 'sources };
                let _ = full.send(mem::replace(&mut batch, (next, 0)));
            }
        }
    }
    let _ = full.send(batch);
    drop(full);
    writer.join().expect("the writer does not panic")
}

fn make(folder: &Path, files: usize, bytes: u64) -> anyhow::Result<Vec<PathBuf>> {
    Ok(Backlog { files, bytes }.make(folder, benches::SEED)?)
}

fn merge(who: &Contender, sources: &[PathBuf], merged: &Path) -> anyhow::Result<Figures> {
    let figures = run(who, sources, merged)?;
    check(who, sources, merged)?;
    Ok(figures)
}

/// Runs a contender into a new file, and returns its time and its CPU time in seconds.
fn run(who: &Contender, sources: &[PathBuf], merged: &Path) -> anyhow::Result<Figures> {
    let _ = fs::remove_file(merged);
    let took = Running::start(&mut who.command(sources, merged)?)?.wait()?;
    let seconds = [("time, s", took.wall), ("CPU, s", took.cpu)];
    Ok(seconds.map(|(name, time)| (name, time.as_secs_f64())).into())
}

fn check(who: &Contender, sources: &[PathBuf], merged: &Path) -> anyhow::Result<()> {
    let verdict = check_tagged(sources, merged)?;
    ensure!(verdict.is_right(), "{} has merged wrongly: {verdict}", who.name);
    Ok(())
}

/// Copies the lines without the names before them.
fn strip_names(merged: &Path, bare: &Path) -> anyhow::Result<()> {
    let bytes = fs::read(merged)?;
    let mut out = BufWriter::new(File::create(bare)?);
    for line in bytes.split_inclusive(|&byte| byte == b'\n') {
        let name = line.windows(2).position(|two| two == b": ");
        let name = name.with_context(|| format!("{}: a line has no name", merged.display()))?;
        out.write_all(&line[name + 2..])?;
    }
    Ok(out.flush()?)
}
