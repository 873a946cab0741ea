//! The entries of the table of files, which are the lines of a checkpoint.

use std::fs::Metadata;
use std::iter;
use std::os::unix::fs::MetadataExt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::following::alike::stands_in;
use crate::following::identity::{Before, FileId, Fingerprint, Position, Time, has_birth};
use crate::following::path::FullPath;
use crate::following::siblings::{self, Sibling};

/// How many truncations of a file are remembered.
const TRUNCATIONS: usize = 16;

/// A line of a checkpoint.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Line {
    /// The first line.
    Version(u32),
    /// The new state of a file.
    File(Entry),
    /// A file that is forgotten.
    Gone(FileId),
    /// A path that is followed; all files that it named before `at` are known.
    Home { path: FullPath, at: Time },
    /// A path that is followed no more.
    Left { path: FullPath },
    /// The end of a save.
    Output(SavedOutput),
}

/// The output at one moment.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SavedOutput {
    /// `None` for a stream, and in checkpoints of the version before.
    pub(crate) path: Option<FullPath>,
    #[serde(flatten)]
    pub(crate) id: FileId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) born: Option<Time>,
    pub(crate) length: u64,
    /// The stream that this is, or that its lines come from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) stream: Option<SavedStream>,
}

/// How far a stream on another machine is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SavedStream {
    pub(crate) name: String,
    /// When the stream was made, as its server says: another one may get its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) made: Option<String>,
    /// The sequence of the last message.
    pub(crate) sequence: u64,
}

impl SavedOutput {
    /// Tells whether this is the file. The device is not compared: a boot renumbers it.
    pub(crate) fn is(&self, metadata: &Metadata) -> bool {
        self.id.inode == metadata.ino() && has_birth(metadata, self.born)
    }
}

/// One file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// How far its lines are in the output.
    #[serde(flatten)]
    pub(crate) position: Position,
    /// When it was made, where the file system knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) born: Option<Time>,
    /// The path of the log that reads it, or has read it.
    pub(crate) home: FullPath,
    /// Where that path led to when the file was opened, if that is another path; or the
    /// path that the file had when it was let go, if that is in another folder.
    #[serde(rename = "place", default, skip_serializing_if = "Option::is_none")]
    pub(crate) target: Option<FullPath>,
    /// How many files were claimed before: the order of the files of a home.
    pub(crate) rank: u64,
    /// In a merge into a stream: the message with which the last lines arrived.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) sequence: u64,
    #[serde(flatten)]
    pub(crate) reader: Reader,
    /// Whether it was deleted when it was let go.
    #[serde(skip)]
    pub(crate) deleted: bool,
    /// How far it had been read at each truncation, the latest last: a copy made just
    /// before the truncation has these bytes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) truncations: Vec<Fingerprint>,
}

impl Entry {
    pub(crate) fn new(position: Position, born: Option<Time>, home: FullPath) -> Entry {
        Entry {
            position,
            born,
            home,
            target: None,
            rank: 0,
            sequence: 0,
            reader: Reader::Before,
            deleted: false,
            truncations: Vec::new(),
        }
    }

    pub(crate) fn id(&self) -> FileId {
        self.position.file
    }

    /// Returns the paths by which the file may be asked for.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &FullPath> {
        iter::once(&self.home).chain(&self.target)
    }

    /// Returns where the file was opened, through links, or was let go.
    pub(crate) fn target(&self) -> &FullPath {
        self.target.as_ref().unwrap_or(&self.home)
    }

    /// Finds the file in its folder, under whatever name it has now.
    pub(crate) fn find(&self) -> Option<Sibling> {
        let found = siblings::find(self.target().folder(), self.id()).ok()??;
        let metadata = found.file.metadata().ok()?;
        let same = has_birth(&metadata, self.born)
            && stands_in(&found.file, &metadata, &self.position).ok()?;
        same.then_some(found)
    }

    /// Tells whether a log of this merge reads the file.
    pub(crate) fn is_read(&self) -> bool {
        matches!(self.reader, Reader::Log(..))
    }

    /// Tells whether the file is a copy, and no longer than it was copied; or a former
    /// output, which is one for ever.
    pub(crate) fn is_copy(&self, metadata: &Metadata) -> bool {
        let is_longer = metadata.len() > self.position.offset;
        matches!(self.reader, Reader::Copy) && (self.is_former_output() || !is_longer)
    }

    /// Tells whether the file is an output of this merge, of before.
    pub(crate) fn is_former_output(&self) -> bool {
        matches!(self.reader, Reader::Copy) && self.position.offset == 0
    }

    /// Notes how far the file was read when it was truncated.
    pub(crate) fn truncated(&mut self, position: &Position) {
        let fingerprint = position.fingerprint();
        if position.offset > 0 && self.truncations.last() != Some(&fingerprint) {
            self.truncations.push(fingerprint);
            let old = self.truncations.len().saturating_sub(TRUNCATIONS);
            self.truncations.drain(..old);
        }
    }
}

fn is_zero(sequence: &u64) -> bool {
    *sequence == 0
}

/// Who reads a file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(from = "SavedReader", into = "SavedReader")]
pub(crate) enum Reader {
    /// A log of this merge, and how far it has read.
    Log(usize, Arc<ReadTo>),
    /// The log of its home read it when the checkpoint was written.
    Before,
    /// Nobody, since this time.
    LetGo(Time),
    /// Nobody: the file is a copy of another one, up to its position; or a former output.
    Copy,
}

/// What a checkpoint says of the reader of a file.
#[derive(Serialize, Deserialize)]
struct SavedReader {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    let_go: Option<Time>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    copy: bool,
}

impl From<SavedReader> for Reader {
    fn from(saved: SavedReader) -> Reader {
        match saved.let_go {
            _ if saved.copy => Reader::Copy,
            Some(since) => Reader::LetGo(since),
            None => Reader::Before,
        }
    }
}

impl From<Reader> for SavedReader {
    fn from(reader: Reader) -> SavedReader {
        let let_go = if let Reader::LetGo(since) = reader { Some(since) } else { None };
        SavedReader { let_go, copy: matches!(reader, Reader::Copy) }
    }
}

/// How far a log has read a file, half lines included: for the log, and for those who
/// ask the table.
#[derive(Debug, Default)]
pub(crate) struct ReadTo(Mutex<(u64, Before)>);

impl ReadTo {
    /// Says that the file has been read up to `offset`.
    pub(crate) fn set(&self, offset: u64, before: Before) {
        *self.lock() = (offset, before);
    }

    /// Adds the bytes that were read next. Returns the new offset.
    pub(crate) fn push(&self, read: &[u8]) -> u64 {
        let (offset, before) = &mut *self.lock();
        before.push(read);
        *offset += read.len() as u64;
        *offset
    }

    pub(crate) fn offset(&self) -> u64 {
        self.lock().0
    }

    /// Returns the bytes before the offset.
    pub(crate) fn before(&self) -> Before {
        self.lock().1.clone()
    }

    /// Tells whether `bytes` stand before the offset.
    pub(crate) fn is_behind(&self, bytes: &[u8]) -> bool {
        self.lock().1.as_bytes() == bytes
    }

    /// Returns how many bytes before the offset are known.
    pub(crate) fn known(&self) -> usize {
        self.lock().1.as_bytes().len()
    }

    pub(crate) fn fingerprint(&self) -> Fingerprint {
        let (offset, before) = &*self.lock();
        Fingerprint::of(*offset, before)
    }

    fn lock(&self) -> MutexGuard<'_, (u64, Before)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
