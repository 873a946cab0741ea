//! A look at a file that never waits: it reads the bytes in memory, and leaves
//! everything but reading on to [`measure`](LogFile::measure) and
//! [`read`](LogFile::read).

use memchr::memrchr;

use super::LogFile;
use crate::following::identity::{Before, FileId};
use crate::following::reading::read_at_once;

/// A read that may not wait ends before the first page that is not in memory. A page
/// has so many bytes, or a multiple.
const PAGE: u64 = 4096;

/// What a look that never waits has found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum AtOnce {
    /// The number of bytes, the half line before them included, and whether the file,
    /// or the last round, ends with them.
    Bytes(usize, bool),
    /// Nothing: the file, or the last round, ends here.
    End,
    /// A line that is longer than the room.
    Long,
    /// The look would have to wait, or to do more than read on.
    Waits,
}

/// Whole lines that were taken.
#[derive(Debug)]
pub(crate) struct Taken {
    /// Their length in bytes.
    pub(crate) length: usize,
    pub(crate) file: FileId,
    /// Where they begin and end in the file.
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) before: Option<Box<Before>>,
}

impl LogFile {
    /// Copies the half line into `room` and reads on behind it; with `last`, no
    /// further than the last round. Nothing is taken yet.
    pub(crate) fn look_at_once(&self, room: &mut [u8], max_line: u64, last: bool) -> AtOnce {
        let kept = self.partial.len();
        let reserves = self.reserved > 0 || self.written > self.offset || self.freed;
        if reserves || self.is_cut() {
            return AtOnce::Waits;
        }
        let left = if last { self.unread() } else { u64::MAX };
        if left == 0 {
            return AtOnce::End;
        }
        let mut next = [0];
        let fits = room.len() > kept;
        // Without room, one byte is read: it tells whether there is something.
        let (half, free) =
            if fits { room.split_at_mut(kept) } else { (&mut [][..], &mut next[..]) };
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(free.len());
        let Ok(read) = read_at_once(&self.file, &mut free[..most], self.offset) else {
            return AtOnce::Waits;
        };
        // Asked after the read, as in `fill`.
        if !self.is_as_read_at_once() {
            return AtOnce::Waits;
        }
        let found = &free[..read];
        match found.last() {
            None if last => return AtOnce::Waits,
            None => return AtOnce::End,
            // It may be space that a writer has reserved.
            Some(0) => return AtOnce::Waits,
            Some(_) => {}
        }
        if !fits || (read == free.len() && memrchr(b'\n', found).is_none()) {
            return AtOnce::Long;
        }
        if (kept + read) as u64 > max_line {
            return AtOnce::Waits;
        }
        half.copy_from_slice(&self.partial);
        let end = self.offset + read as u64;
        let is_end =
            if last { read as u64 == left } else { read < most && !end.is_multiple_of(PAGE) };
        AtOnce::Bytes(kept + read, is_end)
    }

    /// Takes bytes that were found at once, the half line before them included: a half
    /// line at their end is kept.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Option<Taken> {
        let kept = self.partial.len();
        let found = &bytes[kept..];
        self.offset = self.read.push(found);
        let Some(newline) = memrchr(b'\n', found) else {
            self.partial.extend_from_slice(found);
            return None;
        };
        let (lines, half) = bytes.split_at(kept + newline + 1);
        self.partial.clear();
        self.partial.extend_from_slice(half);
        let end = self.offset - half.len() as u64;
        let start = std::mem::replace(&mut self.line, end);
        if let Some(settled) = &mut self.settled {
            settled.push(lines);
        }
        let (length, file, before) = (lines.len(), self.id, self.settled.clone());
        Some(Taken { length, file, start, end, before })
    }

    /// Returns where the line begins that is read next.
    pub(crate) fn line(&self) -> u64 {
        self.line
    }

    /// Tells whether there is a line that has begun and not ended.
    pub(crate) fn has_half_line(&self) -> bool {
        !self.partial.is_empty()
    }

    /// Tells, without a wait, whether the bytes before the offset are those that were
    /// read; false if that cannot be told.
    fn is_as_read_at_once(&self) -> bool {
        let mut now = [0; Before::MOST];
        let now = &mut now[..self.read.known()];
        let from = self.offset - now.len() as u64;
        now.is_empty()
            || (read_at_once(&self.file, now, from).is_ok_and(|read| read == now.len())
                && self.read.is_behind(now))
    }
}
