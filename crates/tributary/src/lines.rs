//! A chunk of whole lines of one source.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use memchr::memchr_iter;

use crate::following::identity::{Before, FileId};
use crate::progress::Counters;

/// Whole lines of one source, each with its newline: the unit of a merge.
///
/// A chunk is split off the source's buffer without a copy. Drop it once it is written:
/// the source then uses the memory for its next chunk.
#[derive(Debug)]
pub struct Lines {
    pub(crate) bytes: Bytes,
    pub(crate) origin: Origin,
}

/// Where whole lines of one file come from. The table of files notes it when the lines
/// are in the output.
#[derive(Debug)]
pub(crate) struct Origin {
    pub(crate) count: u64,
    /// Their length in bytes, with their marks.
    pub(crate) bytes: usize,
    /// Their length in the file, in bytes.
    pub(crate) read: u64,
    pub(crate) source: usize,
    /// The counters of their log.
    pub(crate) counters: Arc<Counters>,
    pub(crate) file: FileId,
    pub(crate) end: u64,
    pub(crate) before: Option<Box<Before>>,
}

impl Origin {
    /// The origin of lines that come from a stream and are in no file here.
    pub(crate) fn foreign(lines: &[u8], counters: &Arc<Counters>) -> Origin {
        let count = memchr_iter(b'\n', lines).count() as u64;
        let (bytes, read, file) = (lines.len(), lines.len() as u64, FileId::NONE);
        let counters = Arc::clone(counters);
        Origin { count, bytes, read, source: 0, counters, file, end: read, before: None }
    }
}

impl Lines {
    /// Returns the bytes: at least one line, the last byte a newline.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns how many lines there are.
    pub fn count(&self) -> u64 {
        self.origin.count
    }

    /// Returns the place of the source in [`Plan::sources`](crate::Plan), from 0.
    pub fn source(&self) -> usize {
        self.origin.source
    }

    /// Returns the path of the source, as it was given.
    pub fn path(&self) -> &Path {
        self.origin.counters.path()
    }

    /// Returns the device and the inode of the file that the lines were read from.
    pub fn device_and_inode(&self) -> (u64, u64) {
        (self.origin.file.device, self.origin.file.inode)
    }

    /// Returns the offset of the first line in its file, in bytes.
    pub fn begin(&self) -> u64 {
        self.origin.end - self.origin.read
    }

    /// Returns the offset behind the last line in its file, in bytes.
    ///
    /// A newline that the file did not have (its last line was cut short) is
    /// not counted.
    pub fn end(&self) -> u64 {
        self.origin.end
    }
}
