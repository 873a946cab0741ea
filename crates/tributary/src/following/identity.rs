//! How a file is known again, whatever its name is now.

use std::char::TryFromCharError;
use std::fmt;
use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::following::path::{from_text, to_text};
use crate::following::reading::before;

/// Names a file, whatever its path: device and inode.
///
/// It is unambiguous while the file is open: an inode number is given to
/// another file only when nobody holds the old one any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct FileId {
    pub(crate) device: u64,
    pub(crate) inode: u64,
}

impl FileId {
    /// The id of no file.
    pub(crate) const NONE: FileId = FileId { device: 0, inode: 0 };

    pub(crate) fn of(metadata: &Metadata) -> FileId {
        FileId { device: metadata.dev(), inode: metadata.ino() }
    }

    /// Returns the file to which a path leads; `None` if there is none.
    pub(crate) fn at(path: &Path) -> Option<FileId> {
        fs::metadata(path).ok().map(|it| FileId::of(&it))
    }
}

/// A moment, in nanoseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Time(u64);

impl Time {
    pub(crate) fn now() -> Time {
        SystemTime::now().into()
    }

    /// Returns when a file was made, where the file system knows.
    pub(crate) fn of_birth(metadata: &Metadata) -> Option<Time> {
        metadata.created().ok().map(Time::from)
    }

    pub(crate) fn is_longer_ago_than(self, duration: Duration) -> bool {
        Duration::from_nanos(Time::now().0.saturating_sub(self.0)) > duration
    }
}

impl From<SystemTime> for Time {
    fn from(time: SystemTime) -> Time {
        let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Time(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
    }
}

impl From<Time> for SystemTime {
    fn from(time: Time) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_nanos(time.0)
    }
}

/// Tells whether a file was made at `born`, as far as that is known: a new file may
/// have the inode of a deleted one.
pub(crate) fn has_birth(metadata: &Metadata, born: Option<Time>) -> bool {
    born.is_none() || Time::of_birth(metadata).is_none_or(|now| Some(now) == born)
}

/// The bytes before an offset, up to 256: what tells a file that has grown
/// from one that was written anew.
///
/// On the heap, and empty there until the file is read: ten thousand sources have one
/// each.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub(crate) struct Before(Vec<u8>);

impl Before {
    pub(crate) const MOST: usize = 256;

    /// Adds the bytes that were read next.
    pub(crate) fn push(&mut self, read: &[u8]) {
        let taken = &read[read.len().saturating_sub(Before::MOST)..];
        let over = (self.0.len() + taken.len()).saturating_sub(Before::MOST);
        self.0.drain(..over);
        self.0.reserve_exact(taken.len());
        self.0.extend_from_slice(taken);
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Before {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Before({})", self.as_bytes().escape_ascii())
    }
}

impl From<Before> for String {
    fn from(before: Before) -> String {
        to_text(&before.0)
    }
}

impl TryFrom<String> for Before {
    type Error = TryFromCharError;

    fn try_from(text: String) -> Result<Before, TryFromCharError> {
        let mut before = Before::default();
        before.push(&from_text(&text)?);
        Ok(before)
    }
}

/// How far a file has been read: the file, an offset in bytes, and the bytes before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Position {
    #[serde(flatten)]
    pub(crate) file: FileId,
    pub(crate) offset: u64,
    pub(crate) before: Before,
}

/// A position without its bytes: enough to check whether a file was read up to this
/// offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fingerprint {
    pub(crate) offset: u64,
    /// How many bytes before the offset are summed up in `hash`.
    pub(crate) length: u64,
    pub(crate) hash: u64,
}

impl Default for Fingerprint {
    /// The fingerprint of a file of which nothing was read.
    fn default() -> Fingerprint {
        Fingerprint::of(0, &Before::default())
    }
}

impl Fingerprint {
    pub(crate) fn of(offset: u64, before: &Before) -> Fingerprint {
        let bytes = before.as_bytes();
        Fingerprint { offset, length: bytes.len() as u64, hash: hash(bytes) }
    }
}

/// FNV-1a, 64 bits: it stands in checkpoints, and people get used to the colours that
/// it chooses. It must never change, as std's hashes may.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    let taken = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, taken)
}

impl Position {
    /// Returns the position at an offset of a file that is there.
    pub(crate) fn in_file(file: &File, offset: u64) -> io::Result<Position> {
        let id = FileId::of(&file.metadata()?);
        Ok(Position { file: id, offset, before: before(file, offset, Before::MOST)? })
    }

    /// Returns the position of a file of which nothing was read.
    pub(crate) fn start(file: FileId) -> Position {
        Position { file, offset: 0, before: Before::default() }
    }

    pub(crate) fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(self.offset, &self.before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_last_bytes_however_they_came() {
        let all: Vec<u8> = (0..1000).map(|i| (i % 251) as u8).collect();
        for step in [1, 7, 100, 255, 256, 257, 600] {
            let mut before = Before::default();
            let mut seen = 0;
            for part in all.chunks(step) {
                before.push(part);
                seen += part.len();
                assert_eq!(before.as_bytes(), &all[seen.saturating_sub(256)..seen], "step {step}");
            }
        }
    }
}
