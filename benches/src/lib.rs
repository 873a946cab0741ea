//! What the benches share: their settings, and files to read.
//!
//! The bench targets are beside this folder, a question each: `read.rs`, `write.rs`,
//! `ladder.rs`, `stages.rs`, `check.rs`, `span.rs`. `cargo bench -p benches` runs them
//! all in less than four minutes after the build. `against/` and `computing.rs` are
//! examples.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use criterion::Criterion;
use tempfile::TempDir;
use tributary::{Options, Plan, Wake};
use workload::Backlog;

/// The seed of every workload here.
pub const SEED: u64 = 62;

/// The output of a bench that does not measure the disk.
pub const NOWHERE: &str = "/dev/null";

/// Returns criterion's settings: half a second to warm up and two to measure, so that
/// all questions take less than four minutes. Raises the limit of open files.
pub fn settings() -> Criterion {
    // The bench of many sources opens more files than the usual soft limit. If the
    // limit cannot be raised, the open fails and says so.
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
}

/// Files to merge, in a folder that is removed on drop.
#[derive(Debug)]
pub struct Files {
    folder: TempDir,
    /// The paths of the files, in order.
    pub paths: Vec<PathBuf>,
}

impl Files {
    /// Makes `files` files of `bytes` bytes each, with lines of 20 to 400 bytes.
    ///
    /// # Panics
    ///
    /// Panics if the temporary folder cannot be written.
    pub fn backlog(files: usize, bytes: u64) -> Files {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let made = Backlog { files, bytes }.make(folder.path(), SEED);
        Files { paths: made.expect("the files can be made"), folder }
    }

    /// Makes one file of `lines` lines, each of `length` bytes with its newline.
    ///
    /// # Panics
    ///
    /// Panics if the temporary folder cannot be written.
    pub fn even(lines: usize, length: usize) -> Files {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("even.log");
        let mut line = vec![b'x'; length - 1];
        line.push(b'\n');
        let written = File::create(&path).and_then(|mut file| file.write_all(&line.repeat(lines)));
        written.expect("the file can be written");
        Files { paths: vec![path], folder }
    }

    /// Adds empty files until there are `files`.
    ///
    /// # Panics
    ///
    /// Panics if the temporary folder cannot be written.
    pub fn with_empty_ones(mut self, files: usize) -> Files {
        while self.paths.len() < files {
            let path = self.folder.path().join(format!("empty-{:05}.log", self.paths.len()));
            File::create(&path).expect("the file can be made");
            self.paths.push(path);
        }
        self
    }

    /// Opens a plan that merges the files into `output` and does not follow.
    ///
    /// # Panics
    ///
    /// Panics if a file cannot be opened.
    pub fn plan(&self, output: impl AsRef<Path>) -> Plan {
        let output = output.as_ref().to_owned();
        Plan::open(&self.paths, output, Options::default()).expect("the files can be opened")
    }

    /// Counts the lines of all files, by reading them as sources of a plan.
    ///
    /// # Panics
    ///
    /// Panics if a file cannot be read.
    pub fn count_lines(&self) -> u64 {
        let plan = self.plan(NOWHERE);
        plan.sources.into_iter().map(|mut source| drain(&mut source)).sum()
    }
}

/// A file that grows, and a plan that follows it.
#[derive(Debug)]
pub struct Growing {
    /// Every read looks at the file, even if nothing has changed. The output is
    /// [`NOWHERE`].
    pub plan: Plan,
    log: File,
    line: Vec<u8>,
    _files: Files,
}

impl Growing {
    /// Makes an empty file that gets lines of `length` bytes each, with its newline.
    ///
    /// # Panics
    ///
    /// Panics if the temporary folder cannot be written.
    pub fn new(length: usize) -> Growing {
        let files = Files::even(0, length);
        let log = OpenOptions::new().append(true).open(&files.paths[0]);
        let options = Options { follow: true, wake: Wake::Poll, ..Options::default() };
        let plan = Plan::open(&files.paths, NOWHERE, options).expect("the file can be opened");
        let mut line = vec![b'x'; length - 1];
        line.push(b'\n');
        Growing { plan, log: log.expect("the file can be written"), line, _files: files }
    }

    /// Appends `lines` lines, in one write.
    ///
    /// # Panics
    ///
    /// Panics if the file cannot be written.
    pub fn write(&mut self, lines: usize) {
        self.log.write_all(&self.line.repeat(lines)).expect("the file can be written");
    }
}

/// Reads a source to its end and returns how many lines it had.
///
/// # Panics
///
/// Panics if the file cannot be read.
pub fn drain(source: &mut tributary::Source) -> u64 {
    let mut lines = 0;
    loop {
        match source.read_lines().expect("the file can be read") {
            tributary::Read::Lines(chunk) => lines += chunk.count(),
            tributary::Read::NoNewData => unreachable!("this plan does not follow"),
            tributary::Read::Closed => return lines,
        }
    }
}
