use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::mem;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use fastrand::Rng;

use crate::backlog::Text;
use crate::worker::Worker;
use crate::{monotonic_nanos, name_path, source_path};
use checker::tag::{self, STAMP_BYTES, TAG_BYTES};

/// Files that grow while they are merged. Each line is one write(2), and carries the
/// time of that write; some lines come in two pieces, if that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    /// How many files.
    pub files: usize,
    /// How many lines each file gets in a second; 0 for files at rest.
    pub lines_per_second: u32,
    /// How many bytes a line has, newline included: 38 at least, for tag, stamp and
    /// newline. A line in two pieces has 21 fewer.
    pub line_bytes: RangeInclusive<usize>,
    /// One line in so many of a file comes in two pieces, the second when the next line
    /// of that file is due; 0 for none. Such a line has no stamp: it cannot be seen
    /// before its newline, and that delay is not the merge's.
    pub one_in_pieces: u32,
    /// For how long lines are written.
    pub duration: Duration,
}

impl Live {
    /// Says whether nothing is written: files at rest.
    pub fn is_idle(&self) -> bool {
        self.lines_per_second == 0
    }

    /// Makes the empty files in `folder`, so that a merge can open them.
    ///
    /// The folder is made if it is missing, and files of the same names are
    /// emptied. Nothing is written before [`LiveSources::start`].
    ///
    /// # Errors
    ///
    /// The folder cannot be made or a file not opened; the path is named.
    pub fn create(&self, folder: &Path, seed: u64) -> io::Result<LiveSources> {
        std::fs::create_dir_all(folder).map_err(name_path("cannot make the folder", folder))?;
        let paths: Vec<_> = (0..self.files).map(|index| source_path(folder, index)).collect();
        let files = paths.iter().map(|path| {
            File::create(path)
                .and_then(|_| OpenOptions::new().append(true).open(path))
                .map_err(name_path("cannot create", path))
        });
        Ok(LiveSources {
            files: files.collect::<io::Result<_>>()?,
            paths,
            live: self.clone(),
            seed,
        })
    }
}

/// The files of a [`Live`] workload, still empty.
#[derive(Debug)]
pub struct LiveSources {
    live: Live,
    paths: Vec<PathBuf>,
    files: Vec<File>,
    seed: u64,
}

impl LiveSources {
    /// Returns the paths of the files, in order.
    pub fn paths(&self) -> &[PathBuf] {
        &self.paths
    }

    /// Starts one thread that writes to all files.
    ///
    /// The thread keeps to a schedule that is fixed at the start. The files take turns,
    /// line by line. A late thread catches up, so the number of lines depends on rate
    /// and duration alone. While no line is due, the thread sleeps, for 1 to 20 ms at a
    /// time. A failed write ends the thread, and is the error of [`Worker::join`].
    /// Dropping the [`Worker`] ends the thread after the line at hand, and waits for
    /// it.
    ///
    /// # Errors
    ///
    /// The system refuses the thread.
    pub fn start(self) -> io::Result<Worker<Written>> {
        Worker::start("live-writers", |stop| self.write_lines(stop))
    }

    fn write_lines(mut self, stop: &AtomicBool) -> io::Result<Written> {
        /// The shortest sleep.
        const TICK: Duration = Duration::from_millis(1);
        /// The longest sleep: how late the thread may notice a stop.
        const NAP: Duration = Duration::from_millis(20);
        let mut written = Written { lines: 0, bytes: 0, latest: Duration::ZERO };
        let rate = self.files.len() as u128 * u128::from(self.live.lines_per_second);
        let lines = self.live.duration.as_nanos().saturating_mul(rate) / 1_000_000_000;
        let lines = u64::try_from(lines).unwrap_or(u64::MAX);
        let text = Text::new(self.seed);
        let mut rng = Rng::with_seed(self.seed);
        let mut line = Vec::new();
        // By file, the end of a line whose first piece is written.
        let mut ends = vec![Vec::new(); self.files.len()];
        let start = Instant::now();
        while written.lines < lines && !stop.load(Ordering::Acquire) {
            let due = u128::from(written.lines) * 1_000_000_000 / rate;
            let due = Duration::from_nanos(u64::try_from(due).unwrap_or(u64::MAX));
            let now = start.elapsed();
            if now < due {
                thread::sleep((due - now).clamp(TICK, NAP));
                continue;
            }
            written.latest = written.latest.max(now - due);
            let source = (written.lines % self.files.len() as u64) as usize;
            let number = written.lines / self.files.len() as u64 + 1;
            let bytes = rng.usize(self.live.line_bytes.clone());
            let payload = text.pick(&mut rng, bytes.saturating_sub(TAG_BYTES + STAMP_BYTES + 1));
            let every = u64::from(self.live.one_in_pieces);
            // Shifted by file: a first piece in one meets whole lines in the others.
            let turn = number + 7 * source as u64;
            let in_pieces = every > 0 && turn.is_multiple_of(every);
            let stamp = (!in_pieces).then(monotonic_nanos);
            line.clear();
            tag::write(&mut line, source, number, stamp, payload);
            written.lines += 1;
            written.bytes += line.len() as u64;
            self.write(source, &mem::take(&mut ends[source]))?;
            if in_pieces {
                ends[source] = line.split_off(line.len() / 2);
            }
            self.write(source, &line)?;
        }
        // Also after a stop: no line is left half.
        for (source, end) in ends.iter().enumerate() {
            self.write(source, end)?;
        }
        Ok(written)
    }

    /// Appends to one file, without a buffer: in one write(2), unless a write is short.
    fn write(&mut self, source: usize, bytes: &[u8]) -> io::Result<()> {
        self.files[source].write_all(bytes).map_err(name_path("cannot write", &self.paths[source]))
    }
}

/// What the thread of [`LiveSources::start`] has written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// How many lines, all files together.
    pub lines: u64,
    /// How many bytes, all files together.
    pub bytes: u64,
    /// The largest delay of a line behind the schedule. More than a few milliseconds
    /// says that the machine had no time for the writers.
    pub latest: Duration,
}
