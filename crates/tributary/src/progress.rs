//! How far a merge has come, for those who ask while it runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::SourceReport;
use crate::following::files::Files;
use crate::following::identity::FileId;

/// Tells how far a merge has come, while it runs: from any thread, at any time.
///
/// Take it from the plan ([`Plan::progress`](crate::Plan::progress)) before the
/// plan is given away. A line counts from the moment that its source has handed
/// it out; what is handed out and not yet written is at most a chunk a source.
#[derive(Debug, Clone)]
pub struct Progress {
    tally: Arc<Tally>,
    files: Arc<Files>,
}

/// How far one source has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceProgress {
    /// The path of the source, as it was given.
    pub path: PathBuf,
    /// Lines that it has handed out.
    pub lines: u64,
    /// Their bytes, as they are in its files: no marks, and no newline that a
    /// file did not have.
    pub bytes: u64,
    /// How many of the lines were longer than
    /// [`max_line`](crate::Options::max_line) and were cut.
    pub cut: u64,
    /// How many bytes its file has that were not read yet; `None` while there
    /// is no such file. What is left in a file that was rotated away is not
    /// counted.
    pub lag: Option<u64>,
}

impl Progress {
    pub(crate) fn new(tally: Arc<Tally>, files: Arc<Files>) -> Progress {
        Progress { tally, files }
    }

    /// Returns how far each log has come, in the order of the plan; those that
    /// joined by a pattern in the order in which they did. What logs gave that
    /// a pattern had found, and that are gone, is summed up under the pattern.
    ///
    /// # Blocking
    ///
    /// Asks the file system for the size of each file.
    pub fn sources(&self) -> Vec<SourceProgress> {
        // Not asked under a lock: `stat` may hang where a network does.
        let all = self.tally.all();
        let progress = all.iter().map(|counters| {
            let named = fs::metadata(&*counters.path).ok();
            let lag = named.map(|file| {
                // Another file since the last look: none of it has been read.
                let read = self.files.read(FileId::of(&file)).unwrap_or(0);
                file.len().saturating_sub(read)
            });
            let Counts { lines, bytes, cut, .. } = *counters.counts();
            SourceProgress { path: counters.path.to_path_buf(), lines, bytes, cut, lag }
        });
        progress.collect()
    }
}

/// The counters of all logs.
#[derive(Debug, Default)]
pub(crate) struct Tally(Mutex<Vec<Arc<Counters>>>);

impl Tally {
    /// Begins to count for a log.
    pub(crate) fn add(&self, path: &Arc<Path>) -> Arc<Counters> {
        let counters = Arc::new(Counters { path: Arc::clone(path), counts: Mutex::default() });
        self.lock().push(Arc::clone(&counters));
        counters
    }

    /// Counts no more for a log that has given nothing.
    pub(crate) fn remove(&self, gone: &Arc<Counters>) {
        self.lock().retain(|counters| !Arc::ptr_eq(counters, gone));
    }

    /// Counts what a log gave, and that is gone, with its pattern.
    pub(crate) fn leave(&self, gone: &Arc<Counters>, pattern: &Arc<Path>) {
        self.remove(gone);
        let same = |counters: &&Arc<Counters>| Arc::ptr_eq(&counters.path, pattern);
        let found = self.lock().iter().find(same).map(Arc::clone);
        let sum = found.unwrap_or_else(|| self.add(pattern));
        let (gone, mut sum) = (*gone.counts(), sum.counts());
        sum.lines += gone.lines;
        sum.bytes += gone.bytes;
        sum.cut += gone.cut;
        sum.written_lines += gone.written_lines;
        sum.written_bytes += gone.written_bytes;
    }

    /// Returns what each log has in the output.
    pub(crate) fn reports(&self) -> Vec<SourceReport> {
        let report = |counters: &Arc<Counters>| {
            let Counts { written_lines, written_bytes, .. } = *counters.counts();
            let path = counters.path.to_path_buf();
            SourceReport { path, lines: written_lines, bytes: written_bytes }
        };
        self.all().iter().map(report).collect()
    }

    fn all(&self) -> Vec<Arc<Counters>> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Counters>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is counted of a log.
#[derive(Debug)]
pub(crate) struct Counters {
    path: Arc<Path>,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Counts {
    /// What was handed out.
    lines: u64,
    bytes: u64,
    /// Lines of these that were too long.
    cut: u64,
    /// What is in the output.
    written_lines: u64,
    written_bytes: u64,
}

impl Counters {
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Counts lines that are handed out.
    pub(crate) fn read(&self, lines: u64, bytes: u64) {
        let mut counts = self.counts();
        counts.lines += lines;
        counts.bytes += bytes;
    }

    /// Counts a line that was cut; returns how many there are.
    pub(crate) fn cut(&self) -> u64 {
        let mut counts = self.counts();
        counts.cut += 1;
        counts.cut
    }

    /// Counts lines that are in the output.
    pub(crate) fn written(&self, lines: u64, bytes: u64) {
        let mut counts = self.counts();
        counts.written_lines += lines;
        counts.written_bytes += bytes;
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
