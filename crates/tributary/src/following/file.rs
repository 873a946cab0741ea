//! Whole lines of one file, by inode: what its name is, or was, does not
//! matter here.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::Instant;

use bytes::BytesMut;
use memchr::{memchr, memrchr, memrchr_iter};
use rustix::fs::OFlags;

use crate::following::identity::{Before, FileId, Position};
use crate::waking::notify::FileWatch;

/// Opens the file at `path` for reading, if it is a regular one.
///
/// The answer is an error of the kind `InvalidInput` with the kind of file in
/// words, if it is none.
pub(crate) fn open(path: &Path) -> io::Result<(File, FileId)> {
    // Asked before it is opened, since opening a device may do something, and
    // once more afterwards, since the name may have changed hands.
    regular(&std::fs::metadata(path)?)?;
    // Opened without waiting: a pipe without a writer would hang us here, and
    // for a regular file the flag means nothing.
    let nonblock = OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(nonblock).open(path)?;
    let metadata = file.metadata()?;
    regular(&metadata)?;
    Ok((file, FileId::of(&metadata)))
}

/// Says what a file is that is not a regular one.
fn regular(metadata: &Metadata) -> io::Result<()> {
    let kind = metadata.file_type();
    let what = if kind.is_file() {
        return Ok(());
    } else if kind.is_dir() {
        "a directory"
    } else if kind.is_fifo() {
        "a pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    };
    Err(io::Error::new(io::ErrorKind::InvalidInput, what))
}

/// One open log file, and how far it has been read.
#[derive(Debug)]
pub(crate) struct LogFile {
    file: File,
    id: FileId,
    /// How many bytes have been read.
    offset: u64,
    /// What stands before `offset`.
    before: Before,
    /// What was read and not handed out: the beginning of a line, no newline
    /// in it.
    partial: BytesMut,
    /// Whether lines were split off the memory of `partial` since the last rest.
    split: bool,
    /// What the file looked like when it was last noted.
    stamp: Option<Stamp>,
    /// Where the round of reading that was begun with the last note ends.
    noted: u64,
    /// When it was last seen to grow, or to lose its name.
    pub(crate) grew: Instant,
    /// What stands before the lines that were not handed out yet, if a
    /// checkpoint wants to know.
    settled: Option<Box<Before>>,
    /// Whether another source reads this file: it is then only held, so that
    /// its inode is not given away.
    pub(crate) anothers: bool,
    pub(crate) watch: Option<FileWatch>,
}

/// What changes when a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    fn of(metadata: &Metadata) -> Stamp {
        Stamp {
            size: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// Some whole lines, where they come from, and where they begin and end there.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) bytes: BytesMut,
    pub(crate) file: FileId,
    pub(crate) start: u64,
    pub(crate) end: u64,
    /// What stands before `end`, if a checkpoint wants to know.
    pub(crate) before: Option<Box<Before>>,
}

/// What a note found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Noted {
    /// All has been read.
    Same,
    /// There are bytes to read.
    More,
    /// The bytes before the offset are not those that were read. `unread` is
    /// how many were known and not read yet.
    Rewritten { unread: u64 },
}

/// What a read found.
#[derive(Debug)]
pub(crate) enum Found {
    Lines(Piece),
    Nothing,
    Rewritten,
}

impl LogFile {
    pub(crate) fn new(file: File, id: FileId) -> LogFile {
        LogFile {
            file,
            id,
            offset: 0,
            before: Before::default(),
            partial: BytesMut::new(),
            split: false,
            stamp: None,
            noted: 0,
            grew: Instant::now(),
            settled: None,
            anothers: false,
            watch: None,
        }
    }

    pub(crate) fn id(&self) -> FileId {
        self.id
    }

    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// Returns how far the file has been read, half lines included.
    pub(crate) fn position(&self) -> Position {
        Position { file: self.id, offset: self.offset, before: self.before.clone() }
    }

    /// Returns which file this is, and how far it has been read.
    pub(crate) fn place(&self) -> (FileId, u64) {
        (self.id, self.offset)
    }

    /// Goes on where somebody else stood, if those are still the bytes there.
    pub(crate) fn resume(&mut self, position: &Position) -> io::Result<bool> {
        let fits = stands_before(&self.file, position.offset, &position.before)?;
        if fits {
            self.begin_at(position.offset, position.before.clone());
        }
        Ok(fits)
    }

    /// Begins behind the lines that are there, but for the last `lines`.
    pub(crate) fn skip_to_last(&mut self, lines: u64) -> io::Result<()> {
        let offset = last_lines(&self.file, lines)?;
        let mut bytes = [0; Before::MOST];
        let length = offset.min(Before::MOST as u64);
        let read = &mut bytes[..length as usize];
        self.file.read_exact_at(read, offset - length)?;
        let mut before = Before::default();
        before.push(read);
        self.begin_at(offset, before);
        Ok(())
    }

    fn begin_at(&mut self, offset: u64, before: Before) {
        self.offset = offset;
        if let Some(settled) = &mut self.settled {
            **settled = before.clone();
        }
        self.before = before;
    }

    /// Has the pieces say what stands before their ends.
    pub(crate) fn settle(&mut self) {
        self.settled = Some(Box::new(self.before.clone()));
    }

    /// Takes another descriptor of the same file.
    pub(crate) fn reopened(&mut self, file: File) {
        self.file = file;
        self.stamp = None;
        self.watch = None;
    }

    /// Notes how long the file is now: the reads that follow go so far.
    pub(crate) fn note(&mut self) -> io::Result<Noted> {
        let stamp = Stamp::of(&self.file.metadata()?);
        if self.stamp != Some(stamp) {
            // Something was written, or just might have been: behind the
            // offset, or over what we know.
            let known = self.stamp.map_or(0, |stamp| stamp.size);
            if stamp.size < self.offset || !stands_before(&self.file, self.offset, &self.before)? {
                return Ok(Noted::Rewritten { unread: known.saturating_sub(self.offset) });
            }
            if stamp.size != known {
                self.grew = Instant::now();
            }
            self.stamp = Some(stamp);
        }
        self.noted = stamp.size;
        Ok(if self.offset < self.noted { Noted::More } else { Noted::Same })
    }

    /// Reads whole lines, up to `chunk` bytes (one longer line whole), and not
    /// behind what was noted.
    pub(crate) fn read(&mut self, chunk: usize) -> io::Result<Found> {
        while self.offset < self.noted {
            let kept = self.partial.len();
            match self.fill(chunk, self.noted)? {
                Filled::More => {}
                Filled::End => self.noted = self.offset,
                Filled::Rewritten => return Ok(Found::Rewritten),
            }
            if let Some(newline) = memrchr(b'\n', &self.partial[kept..]) {
                return Ok(Found::Lines(self.split_off(kept + newline + 1)));
            }
        }
        Ok(Found::Nothing)
    }

    /// Returns how many bytes are known to be there and have not been read.
    pub(crate) fn unread(&self) -> u64 {
        self.noted.saturating_sub(self.offset)
    }

    /// Hands out the line that the end of the run has cut: to its newline if
    /// that is already there, with a newline of ours if it is not, unless
    /// another run will find it (`keep`).
    pub(crate) fn last_line(&mut self, chunk: usize, keep: bool) -> io::Result<Option<Piece>> {
        if self.partial.is_empty() {
            return Ok(None);
        }
        let size = self.file.metadata()?.len();
        while self.offset < size {
            let kept = self.partial.len();
            let Filled::More = self.fill(chunk, size)? else { break };
            if let Some(newline) = memchr(b'\n', &self.partial[kept..]) {
                let line = self.split_off(kept + newline + 1);
                // What is behind it was written after the stop.
                self.partial.clear();
                return Ok(Some(line));
            }
        }
        Ok(if keep { None } else { self.end_line() })
    }

    /// Gives a half line its newline, since the rest of it will not come.
    pub(crate) fn end_line(&mut self) -> Option<Piece> {
        if self.partial.is_empty() {
            return None;
        }
        let mut bytes = std::mem::take(&mut self.partial);
        let start = self.offset - bytes.len() as u64;
        if let Some(settled) = &mut self.settled {
            settled.push(&bytes);
        }
        bytes.extend_from_slice(b"\n");
        let before = self.settled.clone();
        Some(Piece { bytes, file: self.id, start, end: self.offset, before })
    }

    /// Goes back to the start of a file that was rewritten; answers with the
    /// half line that was cut off by that.
    pub(crate) fn restart(&mut self) -> Option<Piece> {
        let line = self.end_line();
        self.offset = 0;
        self.before = Before::default();
        if self.settled.is_some() {
            self.settle();
        }
        self.stamp = None;
        self.noted = 0;
        line
    }

    /// Gives the buffer back: a file at rest keeps its half line, no more.
    pub(crate) fn rest(&mut self) {
        // A line that merely grows keeps its buffer, at most twice its length.
        if self.split || self.partial.capacity() > 2 * self.partial.len() {
            self.partial = BytesMut::from(&self.partial[..]);
            self.split = false;
        }
    }

    /// Reads on, up to a chunk and never behind `end`.
    fn fill(&mut self, chunk: usize, end: u64) -> io::Result<Filled> {
        let kept = self.partial.len();
        // A line that is longer than a chunk doubles the buffer.
        let room = if kept < chunk { chunk - kept } else { kept };
        let there = usize::try_from(end - self.offset).unwrap_or(usize::MAX);
        self.partial.resize(kept + room.min(there), 0);
        let read = read_at(&self.file, &mut self.partial[kept..], self.offset);
        self.partial.truncate(kept + *read.as_ref().unwrap_or(&0));
        let read = read?;
        // Asked behind the read: had the file been rewritten before it, these
        // bytes would come from the middle of other lines.
        if !stands_before(&self.file, self.offset, &self.before)? {
            self.partial.truncate(kept);
            return Ok(Filled::Rewritten);
        }
        self.before.push(&self.partial[kept..]);
        self.offset += read as u64;
        Ok(if read > 0 { Filled::More } else { Filled::End })
    }

    /// Hands out the first `length` bytes of what was read: whole lines.
    fn split_off(&mut self, length: usize) -> Piece {
        self.split = true;
        let bytes = self.partial.split_to(length);
        if let Some(settled) = &mut self.settled {
            settled.push(&bytes);
        }
        let (end, before) = (self.offset - self.partial.len() as u64, self.settled.clone());
        Piece { bytes, file: self.id, start: end - length as u64, end, before }
    }
}

/// What came of an attempt to read on.
enum Filled {
    More,
    End,
    Rewritten,
}

/// Finds where the last `lines` lines of a file begin, each with its newline;
/// what stands behind the last newline is no line yet.
fn last_lines(file: &File, lines: u64) -> io::Result<u64> {
    const BLOCK: u64 = 64 * 1024;
    let mut bytes = vec![0; BLOCK as usize];
    let mut end = file.metadata()?.len();
    // One more newline than lines: that which ends the line before them.
    let mut left = lines + 1;
    while end > 0 {
        let begin = end.saturating_sub(BLOCK);
        let block = &mut bytes[..(end - begin) as usize];
        file.read_exact_at(block, begin)?;
        for newline in memrchr_iter(b'\n', block) {
            left -= 1;
            if left == 0 {
                return Ok(begin + newline as u64 + 1);
            }
        }
        end = begin;
    }
    Ok(0)
}

/// Tells whether `before` is what stands before `offset` in `file`.
fn stands_before(file: &File, offset: u64, before: &Before) -> io::Result<bool> {
    let mut now = [0; Before::MOST];
    let known = before.as_bytes();
    let mut read = 0;
    while read < known.len() {
        let from = offset - (known.len() - read) as u64;
        match read_at(file, &mut now[read..known.len()], from)? {
            0 => return Ok(false),
            more => read += more,
        }
    }
    Ok(now[..read] == *known)
}

/// Reads once; an interrupted read is no read.
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    loop {
        match file.read_at(buffer, offset) {
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}
