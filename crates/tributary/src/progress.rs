//! How far a merge has come, asked from outside while it runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::following::identity::FileId;
use crate::following::log::Common;

/// Tells how far a merge has come, while it runs: from any thread, at any time.
///
/// Take it from the plan ([`Plan::progress`](crate::Plan::progress)) before the
/// plan is given away. A line counts from the moment that its source has handed
/// it out; what is handed out and not yet written is at most a chunk a source.
#[derive(Debug, Clone)]
pub struct Progress {
    common: Arc<Common>,
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
    /// How many bytes its file has that were not read yet; `None` while there
    /// is no such file. What is left in a file that was rotated away is not
    /// counted.
    pub lag: Option<u64>,
}

impl Progress {
    pub(crate) fn new(common: Arc<Common>) -> Progress {
        Progress { common }
    }

    /// Returns how far each log has come, in the order of the plan; those that
    /// joined by a pattern in the order in which they did.
    ///
    /// # Blocking
    ///
    /// Asks the file system for the size of each file.
    pub fn sources(&self) -> Vec<SourceProgress> {
        // Not asked under the lock: `stat` may hang where a network does.
        let all = self.common.counters.lock().unwrap_or_else(PoisonError::into_inner).clone();
        all.iter().map(|counters| counters.progress()).collect()
    }
}

/// What a source counts for those who ask.
#[derive(Debug)]
pub(crate) struct Counters {
    path: Arc<Path>,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    lines: u64,
    bytes: u64,
    /// The file that has the name, and how far it has been read.
    place: Option<(FileId, u64)>,
}

impl Counters {
    pub(crate) fn new(path: Arc<Path>) -> Counters {
        Counters { path, counts: Mutex::default() }
    }

    /// Counts lines that are handed out.
    pub(crate) fn count(&self, lines: u64, bytes: u64) {
        let mut counts = self.counts();
        counts.lines += lines;
        counts.bytes += bytes;
    }

    /// Notes how far the file that has the name has been read.
    pub(crate) fn place(&self, place: Option<(FileId, u64)>) {
        self.counts().place = place;
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn progress(&self) -> SourceProgress {
        // Asked before the lock is taken: the source is not to wait for a disk.
        let named = fs::metadata(&self.path).ok().map(|file| (FileId::of(&file), file.len()));
        let counts = self.counts();
        let read = |id| match counts.place {
            Some((file, offset)) if file == id => offset,
            // Another file since the last look: none of it has been read.
            _ => 0,
        };
        SourceProgress {
            path: self.path.to_path_buf(),
            lines: counts.lines,
            bytes: counts.bytes,
            lag: named.map(|(id, size)| size.saturating_sub(read(id))),
        }
    }
}
