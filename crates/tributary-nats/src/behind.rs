//! What a stream has that the checkpoint does not speak of yet.
//!
//! A merge that was killed has sent more than its checkpoint says, and the next merge
//! reads those lines again. A file is cut back to its checkpoint; a stream cannot be.
//! So the next merge reads what its subjects hold behind the checkpoint, and takes from
//! its chunks what has arrived.
//!
//! Lines have arrived if a message has them at the same offset of the same file, byte
//! by byte. Inode and offset alone would not do: a file that is truncated is written
//! again at the same offsets.

use std::cmp::min;

use crate::message::Span;

/// The messages of one log behind its checkpoint, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Behind(Vec<Arrived>);

/// A message, or the rest of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Arrived {
    pub(crate) sequence: u64,
    /// Where its lines stand that were not met yet.
    pub(crate) span: Span,
    /// How many bytes of its lines were met.
    pub(crate) met: usize,
}

/// Lines that are to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chunk<'a> {
    pub(crate) lines: &'a [u8],
    pub(crate) span: Span,
}

impl<'a> Chunk<'a> {
    /// Returns the first bytes, which are whole lines, and the rest.
    pub(crate) fn split_at(self, bytes: usize) -> (Chunk<'a>, Chunk<'a>) {
        let (first, rest) = self.lines.split_at(bytes);
        // A line that was cut, or was given its newline, has other bytes than its file.
        // Both are at the end of a chunk.
        let middle = min(self.span.begin + bytes as u64, self.span.end);
        let middle = if rest.is_empty() { self.span.end } else { middle };
        let first = Chunk { lines: first, span: Span { end: middle, ..self.span } };
        (first, Chunk { lines: rest, span: Span { begin: middle, ..self.span } })
    }
}

impl Behind {
    /// Takes in the next message.
    pub(crate) fn push(&mut self, sequence: u64, span: Span) {
        self.0.push(Arrived { sequence, span, met: 0 });
    }

    /// Returns the message that may have the first lines of a chunk: of several, the
    /// last, since the file was truncated in between.
    pub(crate) fn find(&self, chunk: Chunk<'_>) -> Option<Arrived> {
        let Span { inode, begin, .. } = chunk.span;
        let may =
            |it: &&Arrived| it.span.inode == inode && it.span.begin <= begin && begin < it.span.end;
        self.0.iter().rev().find(may).copied()
    }

    /// Takes the lines of a message from the head of a chunk, byte by byte; returns the
    /// rest of the chunk, or nothing if the message has other lines, or ends in them.
    ///
    /// In either case the message is not found again for these lines.
    pub(crate) fn meet<'a>(
        &mut self,
        chunk: Chunk<'a>,
        message: Arrived,
        payload: &[u8],
    ) -> Option<Chunk<'a>> {
        let at = self.0.iter().position(|it| *it == message)?;
        let ahead = (chunk.span.begin - message.span.begin) as usize;
        let begin = message.met + ahead;
        let begins_a_line = begin == 0 || payload.get(begin - 1) == Some(&b'\n');
        let theirs = payload.get(begin..).filter(|it| !it.is_empty() && begins_a_line);
        let Some(same) = theirs.and_then(|theirs| same(chunk, theirs, message.span.end)) else {
            self.0.remove(at);
            return None;
        };
        // What the log gave before these lines will not come again.
        let inode = message.span.inode;
        let mut index = 0;
        self.0.retain(|it| {
            let older = index < at && it.span.inode == inode;
            index += 1;
            !older
        });
        let at = self.0.iter().position(|it| *it == message)?;
        match same {
            Same::Message(bytes) => {
                self.0.remove(at);
                let mut rest = chunk.split_at(bytes).1;
                // Not less than what was met: it may be a newline more than they had.
                rest.span.begin = rest.span.begin.max(min(message.span.end, rest.span.end));
                Some(rest)
            }
            Same::Chunk => {
                let left = &mut self.0[at];
                left.met = begin + chunk.lines.len();
                left.span.begin = chunk.span.end;
                Some(chunk.split_at(chunk.lines.len()).1)
            }
        }
    }
}

/// What ends first where a chunk and a message have the same lines.
enum Same {
    /// The message, behind so many bytes of the chunk.
    Message(usize),
    /// The chunk; or both.
    Chunk,
}

/// Compares a chunk with the lines of a message, which end at `end` in their file.
fn same(chunk: Chunk<'_>, theirs: &[u8], end: u64) -> Option<Same> {
    let bytes = min(chunk.lines.len(), theirs.len());
    if chunk.lines[..bytes] == theirs[..bytes] {
        return Some(match chunk.lines.len().cmp(&theirs.len()) {
            std::cmp::Ordering::Less => Same::Chunk,
            _ => Same::Message(bytes),
        });
    }
    // The end of that run gave their last line a newline that its file did not have.
    let in_file = (end - chunk.span.begin) as usize;
    let given = theirs.len() == in_file + 1 && in_file < chunk.lines.len();
    if !given || chunk.lines[..in_file] != theirs[..in_file] {
        return None;
    }
    // It may have got that very newline since.
    let newline = usize::from(chunk.lines[in_file] == b'\n');
    Some(Same::Message(in_file + newline))
}
