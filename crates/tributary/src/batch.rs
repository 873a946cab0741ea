//! Lines of many sources in one piece.

use std::slice;

use crate::Lines;
use crate::lines::Origin;

/// Whole lines of many sources, one behind the other: what
/// [`Output::append_batch`](crate::Output::append_batch) writes at once.
///
/// [`Source::look_into`](crate::Source::look_into) reads into a batch, and
/// [`push`](Batch::push) copies the lines of [`read_lines`](crate::Source::read_lines).
/// A batch takes its memory once: clear it after the write, and fill it again.
#[derive(Debug)]
pub struct Batch {
    /// The first `filled` bytes are lines; the rest is room, initialised once.
    bytes: Vec<u8>,
    filled: usize,
    origins: Vec<Origin>,
    /// The room of an empty batch, in bytes.
    size: usize,
    /// Lines that have no marks yet.
    unmarked: Vec<u8>,
}

impl Batch {
    /// Makes an empty batch with room for `size` bytes.
    pub fn new(size: usize) -> Batch {
        let (bytes, origins, unmarked) = (vec![0; size], Vec::new(), Vec::new());
        Batch { bytes, filled: 0, origins, size, unmarked }
    }

    /// Adds lines. Where there is no room for them, the batch grows until it is
    /// cleared.
    pub fn push(&mut self, lines: Lines) {
        self.reserve(lines.bytes.len());
        self.room()[..lines.bytes.len()].copy_from_slice(&lines.bytes);
        self.take(lines.origin);
    }

    /// Tells whether the batch has no lines.
    pub fn is_empty(&self) -> bool {
        self.filled == 0
    }

    /// Tells whether the batch should be written: little room is left.
    pub fn is_full(&self) -> bool {
        self.filled > self.size - self.size / 16
    }

    /// Forgets the lines, and keeps the memory.
    pub fn clear(&mut self) {
        self.filled = 0;
        self.origins.clear();
        // A long line may have made the batch grow.
        self.bytes.truncate(self.size);
        self.bytes.shrink_to(self.size);
    }

    /// Returns the lines.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.filled]
    }

    /// Returns where the lines come from, in order.
    pub(crate) fn origins(&self) -> &[Origin] {
        &self.origins
    }

    /// Returns the room behind the lines.
    pub(crate) fn room(&mut self) -> &mut [u8] {
        &mut self.bytes[self.filled..]
    }

    /// Makes room for `bytes` more bytes.
    pub(crate) fn reserve(&mut self, bytes: usize) {
        let needed = self.filled + bytes;
        if self.bytes.len() < needed {
            self.bytes.resize(needed, 0);
        }
    }

    /// Counts the first bytes of the room as lines.
    pub(crate) fn take(&mut self, origin: Origin) {
        self.filled += origin.bytes;
        self.origins.push(origin);
    }

    /// Lends memory for `bytes` bytes of lines without marks.
    pub(crate) fn lend(&mut self, bytes: usize) -> Vec<u8> {
        let mut lent = std::mem::take(&mut self.unmarked);
        lent.resize(bytes.max(lent.len()), 0);
        lent
    }

    /// Takes back the memory that was lent.
    pub(crate) fn give_back(&mut self, lent: Vec<u8>) {
        self.unmarked = lent;
    }
}

impl Lines {
    /// Returns where the lines come from.
    pub(crate) fn origins(&self) -> &[Origin] {
        slice::from_ref(&self.origin)
    }
}
