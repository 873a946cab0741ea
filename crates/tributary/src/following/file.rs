//! Whole lines of one file, by inode: what its name is, or was, does not
//! matter here.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use bytes::BytesMut;
use memchr::{memchr, memchr_iter, memrchr};
use rustix::fs::OFlags;

use crate::Start;
use crate::following::entry::ReadTo;
use crate::following::identity::{Before, FileId, Position};
use crate::following::reading::{before, first_byte, is_freed, last_lines, line_begins, read_at};
use crate::waking::watch::FileWatch;

pub(crate) mod at_once;

/// Opens the regular file at `path` for reading.
///
/// # Errors
///
/// `InvalidInput` with the words "a directory", "a pipe" and so on, if the path
/// leads to something else.
pub(crate) fn open(path: &Path) -> io::Result<(File, FileId)> {
    // Asked before the opening, since to open a device may do something, and once more
    // afterwards, since the name may lead to another file by then.
    regular(&fs::metadata(path)?)?;
    // Opened without waiting: a pipe without a writer would hang us here, and
    // for a regular file the flag means nothing.
    let nonblock = OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(nonblock).open(path)?;
    let metadata = file.metadata()?;
    regular(&metadata)?;
    if metadata.len() == 0 && read_at(&file, &mut [0], 0)? > 0 && file.metadata()?.len() == 0 {
        // As in /proc: its lines are made while it is read, other ones each time.
        let what = "a file that has bytes and tells no size";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
    }
    Ok((file, FileId::of(&metadata)))
}

/// Descriptors that are held while sources are opened, so that sources do not take all: an
/// output, a checkpoint, the notifications and an event loop need some, too.
pub(crate) struct Spare {
    _held: Vec<File>,
}

impl Spare {
    const MANY: usize = 16;

    /// Takes them.
    ///
    /// # Errors
    ///
    /// `EMFILE`, if there are no more so many.
    pub(crate) fn hold() -> io::Result<Spare> {
        let one = File::open("/")?;
        let held = (1..Spare::MANY).map(|_| one.try_clone()).collect::<io::Result<Vec<_>>>()?;
        Ok(Spare { _held: held })
    }
}

/// Fails with the kind of a file that is not a regular one.
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
    /// The beginning of a line, without a newline, that was read and not handed out. Of
    /// a line that is too long, only the part that will be handed out.
    partial: BytesMut,
    /// Where `partial` begins in the file.
    line: u64,
    /// The offset up to which another file has the half line, too.
    elsewhere: Option<u64>,
    /// Whether lines were split off the memory of `partial` since the last rest.
    split: bool,
    /// What the file looked like when it was last measured.
    stamp: Option<Stamp>,
    /// Where this round of reading ends: the size that was measured last.
    round_end: u64,
    /// Whether a read has found the end of the file at `offset`, whatever size
    /// is in `stamp`.
    ended: bool,
    /// Up to where only NULs were found behind `offset`: space that a writer
    /// has reserved.
    reserved: u64,
    /// Up to where NULs belong to a line, since the line goes on behind them.
    written: u64,
    /// Whether bytes before `offset` were freed since the last read.
    freed: bool,
    /// When it was last seen to grow, or to lose its name.
    pub(crate) grew: Instant,
    /// Where a checkpoint is kept: the bytes before the lines that were not handed out
    /// yet. For a line that is too long, the bytes before its rest.
    settled: Option<Box<Before>>,
    /// Whether another log reads this file. It is then only held open, so that its
    /// inode is not given to another file.
    pub(crate) anothers: bool,
    /// Whether the file was new, and is read from its start.
    pub(crate) fresh: bool,
    /// The offset and the bytes before it, shared with the table of files.
    pub(crate) read: Arc<ReadTo>,
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

    /// What a write changes, and a rename does not.
    fn written(self) -> (u64, (i64, i64)) {
        (self.size, self.modified)
    }
}

/// Some whole lines, where they come from, and where they begin and end there.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) bytes: BytesMut,
    pub(crate) file: FileId,
    pub(crate) start: u64,
    pub(crate) end: u64,
    /// Whether the last line was too long, and was cut.
    pub(crate) cut: bool,
    /// The bytes before `end`, where a checkpoint is kept.
    pub(crate) before: Option<Box<Before>>,
}

/// What a look at a file found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// All has been read.
    End,
    /// There are bytes to read, or there were.
    More,
    /// The bytes before the offset are not those that were read.
    Rewritten,
}

/// What a read found.
#[derive(Debug)]
pub(crate) enum Found {
    Lines(Piece),
    Nothing,
    Rewritten,
}

impl LogFile {
    /// Makes a file of which nothing was read. If `checkpointed`, its pieces carry the
    /// bytes before their ends.
    pub(crate) fn new(file: File, id: FileId, checkpointed: bool) -> LogFile {
        LogFile {
            file,
            id,
            offset: 0,
            partial: BytesMut::new(),
            line: 0,
            elsewhere: None,
            split: false,
            stamp: None,
            round_end: 0,
            ended: false,
            reserved: 0,
            written: 0,
            freed: false,
            grew: Instant::now(),
            settled: checkpointed.then(Box::default),
            anothers: false,
            fresh: false,
            read: Arc::default(),
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
        Position { file: self.id, offset: self.offset, before: self.read.before() }
    }

    /// Returns how far whole lines have been read.
    pub(crate) fn whole_lines(&self) -> io::Result<Position> {
        Position::in_file(&self.file, self.line)
    }

    /// Tells whether the file is new and nothing was read yet; true at most once.
    pub(crate) fn take_fresh(&mut self) -> bool {
        std::mem::take(&mut self.fresh) && self.offset == 0
    }

    /// Returns where the file lies now, if the kernel tells.
    pub(crate) fn lies(&self) -> Option<PathBuf> {
        let path = fs::read_link(format!("/proc/self/fd/{}", self.file.as_raw_fd())).ok()?;
        (FileId::at(&path) == Some(self.id)).then_some(path)
    }

    /// Tells whether the file has no name any more.
    pub(crate) fn is_deleted(&self) -> bool {
        self.file.metadata().is_ok_and(|metadata| metadata.nlink() == 0)
    }

    /// Leaves the half line to another file that has it, too. If its rest comes here all
    /// the same, the line is handed out whole.
    pub(crate) fn leave_half_line(&mut self) {
        self.elsewhere = Some(self.offset);
    }

    /// Leaves the half line to whoever reads on: from where it begins.
    pub(crate) fn unread_half_line(&mut self) -> io::Result<()> {
        let position = self.whole_lines()?;
        self.partial.clear();
        self.begin_at(position);
        self.stamp = None;
        Ok(())
    }

    /// Moves to where the first read of a file begins that is there already.
    pub(crate) fn skip_to(&mut self, start: Start) -> io::Result<()> {
        let offset = match start {
            Start::Beginning => 0,
            Start::End => last_lines(&self.file, 0)?,
            Start::LastLines(lines) => last_lines(&self.file, lines)?,
            Start::FromLine(line) => line_begins(&self.file, line)?,
        };
        self.begin_at(Position::in_file(&self.file, offset)?);
        Ok(())
    }

    /// Begins to read, or goes on, at a position.
    pub(crate) fn begin_at(&mut self, Position { offset, before, .. }: Position) {
        (self.offset, self.line, self.elsewhere) = (offset, offset, None);
        if let Some(settled) = &mut self.settled {
            **settled = before.clone();
        }
        self.read.set(offset, before);
    }

    /// Takes another descriptor of the same file.
    pub(crate) fn reopened(&mut self, file: File) {
        self.file = file;
        self.stamp = None;
        self.watch = None;
    }

    /// Measures the file: the reads of this round go as far as its present size.
    pub(crate) fn measure(&mut self) -> io::Result<Look> {
        let stamp = self.stamp_now()?;
        if self.stamp != Some(stamp) {
            // Something was written, or may have been: behind the offset, or over the
            // bytes that we have read.
            if stamp.size < self.offset || !self.is_as_read()? {
                return Ok(Look::Rewritten);
            }
            if self.stamp.map(Stamp::written) != Some(stamp.written()) {
                self.grew = Instant::now();
            }
            self.stamp = Some(stamp);
            self.reserved = self.reserved.min(stamp.size);
            self.ended = false;
        } else if self.reserved > self.offset {
            // A clock that ticks every few milliseconds may have missed what
            // was written into reserved space.
            let mut next = [0];
            self.ended &= read_at(&self.file, &mut next, self.offset)? == 0 || next == [0];
        }
        self.round_end = if self.ended { self.offset } else { stamp.size };
        Ok(if self.offset < self.round_end { Look::More } else { Look::End })
    }

    fn stamp_now(&self) -> io::Result<Stamp> {
        self.file.metadata().map(|metadata| Stamp::of(&metadata))
    }

    /// Tells whether the bytes before the offset are those that were read.
    fn is_as_read(&mut self) -> io::Result<bool> {
        let now = before(&self.file, self.offset, self.read.known())?;
        if self.read.is_behind(now.as_bytes()) && !self.freed {
            return Ok(true);
        }
        // Checked once more at each look, while there are NULs: a writer may fill the
        // freed space.
        self.freed = is_freed(&self.file, self.offset, &self.read.before(), &now)?;
        if self.freed {
            self.read.set(self.offset, now);
        }
        Ok(self.freed)
    }

    /// Reads whole lines, up to `chunk` bytes (one longer line whole, up to
    /// `max_line`), and not behind the end of the round.
    pub(crate) fn read(&mut self, chunk: usize, max_line: u64) -> io::Result<Found> {
        while self.offset < self.round_end {
            let kept = self.partial.len();
            match self.fill(chunk, max_line, self.round_end)? {
                Look::More => {}
                Look::End => self.round_end = self.offset,
                Look::Rewritten => return Ok(Found::Rewritten),
            }
            if let Some(newline) = memrchr(b'\n', &self.partial[kept..]) {
                let lines = self.split_off(kept + newline + 1, max_line);
                // The half line behind them may be too long already.
                self.drop_rest(0, max_line);
                return Ok(Found::Lines(lines));
            }
            self.drop_rest(kept, max_line);
        }
        Ok(Found::Nothing)
    }

    /// Returns how many bytes are known to be there and have not been read.
    pub(crate) fn unread(&self) -> u64 {
        self.round_end.saturating_sub(self.offset)
    }

    /// Hands out the line that the end of the run has cut: up to its newline if that is
    /// already there, otherwise with a newline of ours. If `checkpointed`, a line
    /// without its newline is left for the next run.
    pub(crate) fn last_line(
        &mut self,
        chunk: usize,
        max_line: u64,
        checkpointed: bool,
    ) -> io::Result<Option<Piece>> {
        if self.partial.is_empty() {
            return Ok(None);
        }
        let size = self.file.metadata()?.len();
        while self.offset < size {
            let kept = self.partial.len();
            let Look::More = self.fill(chunk, max_line, size)? else { break };
            if let Some(newline) = memchr(b'\n', &self.partial[kept..]) {
                let line = self.split_off(kept + newline + 1, max_line);
                // What is behind it was written after the stop.
                self.partial.clear();
                return Ok(Some(line));
            }
            self.drop_rest(kept, max_line);
        }
        Ok(if checkpointed { None } else { self.end_line() })
    }

    /// Gives a half line its newline, since the rest of it will not come; `None` if
    /// there is none, or another file has it.
    pub(crate) fn end_line(&mut self) -> Option<Piece> {
        if self.partial.is_empty() || self.elsewhere == Some(self.offset) {
            return None;
        }
        let cut = self.is_cut();
        let mut bytes = std::mem::take(&mut self.partial);
        let start = std::mem::replace(&mut self.line, self.offset);
        if let Some(settled) = &mut self.settled
            && !cut
        {
            settled.push(&bytes);
        }
        bytes.extend_from_slice(b"\n");
        let before = self.settled.clone();
        Some(Piece { bytes, file: self.id, start, end: self.offset, cut, before })
    }

    /// Goes back in a file that was rewritten: to the line that was changed, or to the
    /// start if that line is not known. Returns the new offset, and the half line that
    /// going to the start cuts off.
    pub(crate) fn restart(&mut self) -> io::Result<(u64, Option<Piece>)> {
        let changed = self.changed_line()?;
        let line = match changed {
            Some(_) => None,
            None => self.end_line(),
        };
        let offset = changed.unwrap_or(0);
        self.partial.clear();
        self.begin_at(Position::in_file(&self.file, offset)?);
        (self.stamp, self.round_end) = (None, 0);
        (self.reserved, self.written, self.freed) = (0, 0, false);
        Ok((offset, line))
    }

    /// Returns where the first changed line begins, if a line before it still stands
    /// and nothing was cut off.
    fn changed_line(&self) -> io::Result<Option<u64>> {
        // Half of the bytes have to be the same, and at least 16: log lines are alike,
        // and fewer bytes may match by chance.
        let old = self.read.before();
        let old = old.as_bytes();
        let new = before(&self.file, self.offset, old.len())?;
        let same = old.iter().zip(new.as_bytes()).take_while(|(old, new)| old == new).count();
        if same < (old.len() / 2).max(16) || self.stamp_now()?.size < self.offset {
            return Ok(None);
        }
        let from = self.offset - old.len() as u64;
        Ok(memrchr(b'\n', &old[..same]).map(|newline| from + newline as u64 + 1))
    }

    /// Gives the buffer back: a file at rest keeps its half line, no more.
    pub(crate) fn rest(&mut self) {
        // A line that merely grows keeps its buffer, at most twice its length.
        if self.split || self.partial.capacity() > 2 * self.partial.len() {
            self.partial = BytesMut::from(&self.partial[..]);
            self.split = false;
        }
    }

    /// Reads on, up to a chunk, and never behind `end` or the end of a line
    /// that is too long.
    fn fill(&mut self, chunk: usize, max_line: u64, end: u64) -> io::Result<Look> {
        // What is behind a line that is too long is read again.
        let few = usize::try_from(max_line.saturating_mul(16)).unwrap_or(usize::MAX);
        let chunk = chunk.min(few.max(4096));
        let kept = self.partial.len();
        // A line that is longer than a chunk doubles the buffer.
        let room = if kept < chunk { chunk - kept } else { kept };
        let there = usize::try_from(end - self.offset).unwrap_or(usize::MAX);
        self.partial.resize(kept + room.min(there), 0);
        let read = read_at(&self.file, &mut self.partial[kept..], self.offset);
        self.partial.truncate(kept + *read.as_ref().unwrap_or(&0));
        let read = read?;
        // The size promises a byte, and there is none: files of `/sys` have the size of
        // a page. The bytes before the offset may be made anew with each read.
        if read == 0 && self.stamp == Some(self.stamp_now()?) {
            self.ended = true;
            return Ok(Look::End);
        }
        // Asked behind the read: had the file been rewritten before it, these
        // bytes would come from the middle of other lines.
        if !self.is_as_read()? {
            self.partial.truncate(kept);
            return Ok(Look::Rewritten);
        }
        let taken = self.without_reserved(kept, end)?;
        let taken = self.up_to_long_line(kept, taken, max_line);
        self.partial.truncate(kept + taken);
        if taken > 0 {
            self.offset = self.read.push(&self.partial[kept..]);
            self.freed = false;
        }
        Ok(if taken > 0 { Look::More } else { Look::End })
    }

    /// Returns how many of the bytes read behind `kept` a writer has written. NULs up
    /// to the end of the file are reserved space or a hole.
    fn without_reserved(&mut self, kept: usize, end: u64) -> io::Result<usize> {
        let read = &self.partial[kept..];
        let known = usize::try_from(self.written.saturating_sub(self.offset)).unwrap_or(usize::MAX);
        let last = read.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        let taken = last.max(known.min(read.len()));
        if taken > 0 || read.is_empty() {
            return Ok(taken);
        }
        // What was found to be reserved is not read again and again.
        let behind = self.reserved.max(self.offset + read.len() as u64);
        Ok(match first_byte(&self.file, behind, end)? {
            Some(byte) => {
                self.written = byte;
                read.len()
            }
            None => {
                (self.reserved, self.ended) = (end, true);
                0
            }
        })
    }

    /// Returns how many of the `taken` bytes that were read behind `kept` lie before
    /// the end of the first line that is too long.
    fn up_to_long_line(&self, kept: usize, taken: usize, max_line: u64) -> usize {
        if max_line == u64::MAX {
            return taken;
        }
        let mut line = self.line;
        for newline in memchr_iter(b'\n', &self.partial[kept..kept + taken]) {
            let end = self.offset + newline as u64;
            if end - line > max_line {
                return newline + 1;
            }
            line = end + 1;
        }
        taken
    }

    /// Keeps of a half line no more than will be handed out. `kept` bytes of it
    /// were there before the last read.
    fn drop_rest(&mut self, kept: usize, max_line: u64) {
        if self.partial.len() as u64 <= max_line {
            return;
        }
        let settled_to = if self.is_cut() { kept } else { 0 };
        if let Some(settled) = &mut self.settled {
            settled.push(&self.partial[settled_to..]);
        }
        self.partial.truncate(max_line as usize);
    }

    /// Tells whether a rest of the half line was dropped.
    fn is_cut(&self) -> bool {
        self.offset - self.line > self.partial.len() as u64
    }

    /// Hands out the first `length` bytes of what was read: whole lines, of
    /// which only the last one may be too long.
    fn split_off(&mut self, length: usize, max_line: u64) -> Piece {
        self.split = true;
        let dropped = self.is_cut();
        let mut bytes = self.partial.split_to(length);
        let end = self.offset - self.partial.len() as u64;
        let start = std::mem::replace(&mut self.line, end);
        if let Some(settled) = &mut self.settled {
            let settled_to = if dropped { max_line as usize } else { 0 };
            settled.push(&bytes[settled_to..]);
        }
        let mut cut = false;
        if max_line < length as u64 {
            let line = memrchr(b'\n', &bytes[..length - 1]).map_or(0, |newline| newline + 1);
            let most = line + max_line as usize;
            cut = dropped || most < length - 1;
            if cut {
                bytes.truncate(most);
                bytes.extend_from_slice(b"\n");
            }
        }
        Piece { bytes, file: self.id, start, end, cut, before: self.settled.clone() }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt;

    use super::*;

    #[test]
    fn what_fills_reserved_space_within_one_tick_of_the_clock_is_seen() {
        let writer = tempfile::tempfile().unwrap();
        writer.set_len(4096).unwrap();
        let id = FileId::of(&writer.metadata().unwrap());
        let mut log = LogFile::new(writer.try_clone().unwrap(), id, false);
        assert_eq!(log.measure().unwrap(), Look::More);
        assert!(matches!(log.read(4096, u64::MAX).unwrap(), Found::Nothing));
        assert_eq!(log.measure().unwrap(), Look::End);
        writer.write_all_at(b"one\n", 0).unwrap();
        // The times are the same as before, then.
        log.stamp = Some(log.stamp_now().unwrap());
        assert_eq!(log.measure().unwrap(), Look::More);
        assert!(matches!(log.read(4096, u64::MAX).unwrap(), Found::Lines(_)));
    }
}
