//! How far a merge has come, for those who ask while it runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::SourceReport;
use crate::following::files::Files;
use crate::following::identity::FileId;
use crate::lines::Origin;

/// Tells how far a merge has come, while it runs: from any thread, at any time.
///
/// Take it from the plan ([`Plan::progress`](crate::Plan::progress)) before the
/// plan is given away. A line counts from the moment that it is in the output.
#[derive(Debug, Clone)]
pub struct Progress {
    tally: Arc<Tally>,
    files: Arc<Files>,
}

/// How far one source has come.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SourceProgress {
    /// The path of the source, as it was given.
    pub path: PathBuf,
    /// Its lines that are in the output.
    pub lines: u64,
    /// Their bytes, as they are in its files: no marks, and no newline that a
    /// file did not have.
    pub bytes: u64,
    /// How many of its lines were longer than
    /// [`max_line`](crate::Options::max_line) and were cut.
    pub cut: u64,
    /// How many bytes its file has that are not in the output yet; `None` while
    /// there is no such file, and of a log whose lines come from a stream. What is left
    /// in a file that was rotated away is not counted, nor is a line that has begun and
    /// not ended, nor a chunk that is read in this moment.
    pub lag: Option<u64>,
    /// Whether a pattern had found the log and it is gone. Such logs are summed up if
    /// they joined while the merge ran; `path` is then the pattern.
    pub gone: bool,
}

impl Progress {
    pub(crate) fn new(tally: Arc<Tally>, files: Arc<Files>) -> Progress {
        Progress { tally, files }
    }

    /// Returns how far each log has come, in the order of the plan; logs that joined by
    /// a pattern come in the order in which they joined. Logs that a pattern had found
    /// and that are gone are summed up under the pattern.
    ///
    /// # Blocking
    ///
    /// Asks the file system for the size of each file.
    pub fn sources(&self) -> Vec<SourceProgress> {
        let progress = self.tally.all().into_iter().map(|(path, counts)| {
            // Asked without a lock: `stat` may hang on a network file system.
            let named = fs::metadata(&*path).ok().filter(|_| !counts.gone && !counts.foreign);
            let lag = named.map(|file| {
                // Another file since the last look: none of it has been read.
                let read = self.files.read(FileId::of(&file)).unwrap_or(0);
                file.len().saturating_sub(read) + (counts.handed_out - counts.bytes)
            });
            let Counts { lines, bytes, cut, gone, .. } = counts;
            SourceProgress { path: path.to_path_buf(), lines, bytes, cut, lag, gone }
        });
        progress.collect()
    }

    /// Returns how many files are followed, including those that have lost their name
    /// and are still read.
    pub fn files(&self) -> usize {
        self.files.followed()
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

    /// Begins to count for a log whose lines come from a stream.
    pub(crate) fn add_foreign(&self, path: &Arc<Path>) -> Arc<Counters> {
        let counters = self.add(path);
        counters.counts().foreign = true;
        counters
    }

    /// Counts no more for a log that has given nothing.
    pub(crate) fn remove(&self, gone: &Arc<Counters>) {
        self.lock().retain(|counters| !Arc::ptr_eq(counters, gone));
    }

    /// Adds the counts of a log that is gone to those of its pattern.
    pub(crate) fn leave(&self, gone: &Arc<Counters>, pattern: &Arc<Path>) {
        // In one step, so that nobody who asks meanwhile counts it twice.
        let mut all = self.lock();
        all.retain(|counters| !Arc::ptr_eq(counters, gone));
        let is_sum = |counters: &&Arc<Counters>| Arc::ptr_eq(&counters.path, pattern);
        let sum = all.iter().find(is_sum).map(Arc::clone).unwrap_or_else(|| {
            let sum = Counters { path: Arc::clone(pattern), counts: Mutex::default() };
            all.push(Arc::new(sum));
            Arc::clone(&all[all.len() - 1])
        });
        let (gone, mut sum) = (*gone.counts(), sum.counts());
        sum.gone = true;
        sum.lines += gone.lines;
        sum.bytes += gone.bytes;
        sum.handed_out += gone.handed_out;
        sum.cut += gone.cut;
        sum.written += gone.written;
    }

    /// Returns what each log has in the output.
    pub(crate) fn reports(&self) -> Vec<SourceReport> {
        let report = |(path, counts): (Arc<Path>, Counts)| {
            let Counts { lines, written: bytes, .. } = counts;
            SourceReport { path: path.to_path_buf(), lines, bytes }
        };
        self.all().into_iter().map(report).collect()
    }

    /// Returns what is counted of each log, as of one moment.
    fn all(&self) -> Vec<(Arc<Path>, Counts)> {
        let all = self.lock();
        all.iter().map(|log| (Arc::clone(&log.path), *log.counts())).collect()
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
    /// Bytes of its files that were handed out.
    handed_out: u64,
    /// Lines, and bytes of its files, that are in the output.
    lines: u64,
    bytes: u64,
    /// Bytes of the output, with the marks.
    written: u64,
    /// Lines that were too long.
    cut: u64,
    /// Whether the log is gone, or this is the sum of logs that are.
    gone: bool,
    /// Whether its lines come from a stream, and are of no file here.
    foreign: bool,
}

impl Counters {
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Counts bytes of its files that are handed out.
    pub(crate) fn read(&self, bytes: u64) {
        self.counts().handed_out += bytes;
    }

    /// Counts a line that was cut; returns how many there are.
    pub(crate) fn cut(&self) -> u64 {
        let mut counts = self.counts();
        counts.cut += 1;
        counts.cut
    }

    /// Notes that the log is gone.
    pub(crate) fn leave(&self) {
        self.counts().gone = true;
    }

    /// Counts lines that are in the output.
    pub(crate) fn written(&self, lines: &Origin) {
        let mut counts = self.counts();
        counts.lines += lines.count;
        counts.bytes += lines.read;
        counts.written += lines.bytes as u64;
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
