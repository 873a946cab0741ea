//! What a stream holds and the checkpoint does not know yet.
//!
//! A merge that was killed has sent more than its checkpoint says, and the next merge
//! reads those lines again. A file is cut back to its checkpoint; a stream cannot be.
//! So the next merge asks what its subjects hold behind the checkpoint, and leaves out of
//! its chunks what has arrived.
//!
//! Lines have arrived if a message has them at the same offset of the same file, byte
//! by byte. Inode and offset alone would not do: a file that is truncated is written
//! again at the same offsets.

use std::cmp::min;
use std::collections::{HashMap, VecDeque};

use crate::message::Span;

/// The messages of one log behind its checkpoint, as runs by the inode of the file. A run is
/// what was sent between two truncations, in the order of the file and of the stream. No run
/// is empty.
#[derive(Debug, Default)]
pub(crate) struct Behind(HashMap<u64, Vec<VecDeque<Arrived>>>);

/// A message, or the rest of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Arrived {
    pub(crate) sequence: u64,
    /// Where those of its lines stand that no chunk has met yet.
    pub(crate) span: Span,
    /// How many bytes of its payload stand before these: a chunk has met or passed them.
    pub(crate) met: usize,
}

/// Lines to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chunk<'a> {
    pub(crate) lines: &'a [u8],
    pub(crate) span: Span,
}

impl<'a> Chunk<'a> {
    /// Returns the first bytes and the rest, each with where it stands in the file.
    pub(crate) fn split_at(self, bytes: usize) -> (Chunk<'a>, Chunk<'a>) {
        let (first, rest) = self.lines.split_at(bytes);
        // A line that was cut, or was given a newline, is not as long as in its file. Such a
        // line ends a chunk.
        let middle = min(self.span.begin + bytes as u64, self.span.end);
        let middle = if rest.is_empty() { self.span.end } else { middle };
        let first = Chunk { lines: first, span: Span { end: middle, ..self.span } };
        (first, Chunk { lines: rest, span: Span { begin: middle, ..self.span } })
    }
}

impl Behind {
    /// Adds the next message of the stream.
    pub(crate) fn push(&mut self, sequence: u64, span: Span) {
        let message = Arrived { sequence, span, met: 0 };
        let runs = self.0.entry(span.inode).or_default();
        match runs.last_mut() {
            Some(run) if run.back().is_some_and(|last| last.span.end <= span.begin) => {
                run.push_back(message);
            }
            // The first message of its file, or the first after a truncation.
            _ => runs.push(VecDeque::from([message])),
        }
    }

    /// Returns the message that may have the first lines of a chunk. If several may, the file
    /// was truncated in between, and it is the last.
    pub(crate) fn find(&self, chunk: Chunk<'_>) -> Option<Arrived> {
        let Span { inode, begin, .. } = chunk.span;
        self.0.get(&inode)?.iter().rev().find_map(|run| {
            let at = run.partition_point(|it| it.span.end <= begin);
            run.get(at).filter(|it| it.span.begin <= begin).copied()
        })
    }

    /// Returns the sequences of a message and of those that follow it in its run and begin
    /// before the offset `end`.
    pub(crate) fn from(&self, message: Arrived, end: u64) -> impl Iterator<Item = u64> {
        let run = self.0.get(&message.span.inode).and_then(|runs| {
            let (run, at) = place(runs, message.sequence)?;
            Some(runs[run].range(at..))
        });
        let run = run.into_iter().flatten();
        run.take_while(move |it| it.span.begin < end).map(|it| it.sequence)
    }

    /// Compares the head of a chunk with the lines of a message, byte by byte; returns the
    /// rest of the chunk that has not arrived in it, and the sequence behind which the stream
    /// may have the lines that follow: a message that the chunk ends in has them, too. Returns
    /// `None` if the message has other lines.
    ///
    /// In either case [`find`](Behind::find) does not return the message for these lines again.
    pub(crate) fn meet<'a>(
        &mut self,
        chunk: Chunk<'a>,
        message: Arrived,
        payload: &[u8],
    ) -> Option<(Chunk<'a>, u64)> {
        let ahead = (chunk.span.begin - message.span.begin) as usize;
        let begin = message.met + ahead;
        let begins_a_line = begin == 0 || payload.get(begin - 1) == Some(&b'\n');
        let theirs = payload.get(begin..).filter(|it| !it.is_empty() && begins_a_line);
        let same = theirs.and_then(|theirs| same(chunk, theirs, message.span.end));
        let runs = self.0.get_mut(&message.span.inode)?;
        let (run, at) = place(runs, message.sequence)?;
        let Some(same) = same else {
            runs[run].remove(at);
            runs.retain(|run| !run.is_empty());
            return None;
        };
        // The log is past what was sent before these lines: no chunk will meet it.
        runs.drain(..run);
        runs[0].drain(..at);
        match same {
            Same::Message(bytes) => {
                runs[0].pop_front();
                runs.retain(|run| !run.is_empty());
                let mut rest = chunk.split_at(bytes).1;
                // At the end of the message, or one byte further: the file may have got the
                // newline since that the message was given.
                rest.span.begin = rest.span.begin.max(min(message.span.end, rest.span.end));
                Some((rest, message.sequence))
            }
            Same::Chunk => {
                let left = &mut runs[0][0];
                left.met = begin + chunk.lines.len();
                left.span.begin = chunk.span.end;
                Some((chunk.split_at(chunk.lines.len()).1, message.sequence - 1))
            }
        }
    }
}

/// Returns the run of the message with this sequence, and its index in the run.
fn place(runs: &[VecDeque<Arrived>], sequence: u64) -> Option<(usize, usize)> {
    let run = runs.partition_point(|run| run.back().is_some_and(|last| last.sequence < sequence));
    let at = runs.get(run)?.binary_search_by_key(&sequence, |it| it.sequence).ok()?;
    Some((run, at))
}

/// What ends first where a chunk and a message have the same lines.
enum Same {
    /// The message, or both, after so many bytes of the chunk.
    Message(usize),
    /// The chunk alone.
    Chunk,
}

/// Compares a chunk with the lines of a message, which end at `end` in their file; `None` if
/// they differ.
fn same(chunk: Chunk<'_>, theirs: &[u8], end: u64) -> Option<Same> {
    let bytes = min(chunk.lines.len(), theirs.len());
    if chunk.lines[..bytes] == theirs[..bytes] {
        return Some(match chunk.lines.len().cmp(&theirs.len()) {
            std::cmp::Ordering::Less => Same::Chunk,
            _ => Same::Message(bytes),
        });
    }
    // At its end, the merge gave their last line a newline that the file did not have.
    let in_file = (end - chunk.span.begin) as usize;
    let given = theirs.len() == in_file + 1 && in_file < chunk.lines.len();
    (given && chunk.lines[..in_file] == theirs[..in_file]).then_some(Same::Message(in_file))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(inode: u64, begin: u64, end: u64) -> Span {
        Span { inode, begin, end }
    }

    /// A chunk from an offset on, of the file with this inode, with the same bytes as the file.
    fn chunk(inode: u64, begin: u64, lines: &str) -> Chunk<'_> {
        let end = begin + lines.len() as u64;
        Chunk { lines: lines.as_bytes(), span: span(inode, begin, end) }
    }

    /// Returns what is sent of some chunks if these messages have arrived.
    fn sent<'a>(messages: &[(Span, &str)], chunks: &[Chunk<'a>]) -> Vec<Chunk<'a>> {
        let mut behind = Behind::default();
        (1..).zip(messages).for_each(|(sequence, (span, _))| behind.push(sequence, *span));
        let mut sent = Vec::new();
        for chunk in chunks {
            let mut rest = *chunk;
            while let Some(message) = behind.find(rest).filter(|_| !rest.lines.is_empty()) {
                let payload = messages[message.sequence as usize - 1].1.as_bytes();
                rest = behind.meet(rest, message, payload).map_or(rest, |(rest, _)| rest);
            }
            if !rest.lines.is_empty() {
                sent.push(rest);
            }
        }
        sent
    }

    #[test]
    fn what_has_arrived_is_not_sent_however_it_is_cut_into_chunks() {
        let messages = [(span(1, 10, 16), "a\nb\nc\n"), (span(1, 16, 20), "d\ne\n")];
        let all = "a\nb\nc\nd\ne\nf\n";
        assert_eq!(sent(&messages, &[chunk(1, 10, all)]), [chunk(1, 20, "f\n")]);
        for first in [2, 4, 6, 8, 10] {
            let chunks = [chunk(1, 10, &all[..first]), chunk(1, 10 + first as u64, &all[first..])];
            assert_eq!(sent(&messages, &chunks), [chunk(1, 20, "f\n")], "{first}");
        }
        assert_eq!(sent(&messages, &[chunk(1, 10, "a\nb\n"), chunk(1, 14, "c\nd\n")]), []);
    }

    #[test]
    fn a_message_that_was_met_in_part_is_to_be_looked_for_again() {
        let mut behind = Behind::default();
        behind.push(7, span(1, 0, 6));
        for (begin, lines, known) in [(0, "a\n", 6), (2, "b\n", 6), (4, "c\nd\n", 7)] {
            let chunk = chunk(1, begin, lines);
            let message = behind.find(chunk).unwrap();
            assert_eq!(behind.meet(chunk, message, b"a\nb\nc\n").unwrap().1, known);
        }
    }

    #[test]
    fn a_merge_that_begins_in_the_middle_of_a_message_meets_its_rest() {
        let messages = [(span(1, 0, 6), "a\nb\nc\n")];
        assert_eq!(sent(&messages, &[chunk(1, 2, "b\nc\nd\n")]), [chunk(1, 6, "d\n")]);
    }

    #[test]
    fn other_lines_at_the_same_place_are_sent() {
        let messages = [(span(1, 0, 4), "a\nb\n")];
        // Another file; other bytes; the same file behind that.
        for other in [chunk(2, 0, "a\nb\n"), chunk(1, 0, "a\nc\n"), chunk(1, 4, "a\nb\n")] {
            assert_eq!(sent(&messages, &[other]), [other]);
        }
    }

    #[test]
    fn lines_that_stand_twice_in_a_log_are_met_as_often_as_they_have_arrived() {
        let messages = [(span(1, 0, 4), "a\nb\n")];
        let (first, next) = (chunk(1, 0, "a\nb\n"), chunk(2, 0, "a\nb\n"));
        assert_eq!(sent(&messages, &[first, next]), [next]);
        let both = [messages[0], (span(2, 0, 4), "a\nb\n")];
        assert_eq!(sent(&both, &[first, next]), []);
        assert_eq!(sent(&messages, &[first, first]), [first]);
    }

    #[test]
    fn of_a_file_that_was_truncated_the_last_lines_at_a_place_count() {
        // Six bytes arrived, the file was truncated, and two of the same bytes arrived again.
        let messages = [(span(1, 0, 6), "a\nb\nc\n"), (span(1, 0, 2), "a\n")];
        let again = chunk(1, 0, "a\nb\nc\n");
        assert_eq!(sent(&messages, &[again]), [chunk(1, 2, "b\nc\n")]);
    }

    #[test]
    fn what_is_asked_for_ahead_follows_in_the_same_file() {
        let mut behind = Behind::default();
        for (sequence, span) in
            [(1, span(1, 0, 4)), (2, span(2, 0, 4)), (3, span(1, 4, 8)), (5, span(1, 8, 12))]
        {
            behind.push(sequence, span);
        }
        let first = behind.find(chunk(1, 0, "a\n")).unwrap();
        let from = |end| behind.from(first, end).collect::<Vec<_>>();
        assert_eq!((from(4), from(5), from(100)), (vec![1], vec![1, 3], vec![1, 3, 5]));
        // What was sent after a truncation does not follow.
        behind.push(6, span(1, 0, 4));
        let second = behind.find(chunk(1, 4, "a\n")).unwrap();
        assert_eq!(behind.from(second, 100).collect::<Vec<_>>(), [3, 5]);
    }

    #[test]
    fn a_newline_that_the_file_did_not_have_is_met_too() {
        let messages = [(span(1, 0, 5), "a\nhal\n")];
        let whole = chunk(1, 0, "a\nhalf\nb\n");
        assert_eq!(sent(&messages, &[whole]), [chunk(1, 5, "f\nb\n")]);
        let newline = chunk(1, 0, "a\nhal\nb\n");
        assert_eq!(sent(&messages, &[newline]), [chunk(1, 6, "b\n")]);
        let again = Chunk { span: span(1, 0, 5), ..chunk(1, 0, "a\nhal\n") };
        assert_eq!(sent(&messages, &[again]), []);
    }

    #[test]
    fn a_line_that_was_cut_is_met() {
        // The line has ten bytes in the file; cut, it has three.
        let cut = Chunk { lines: b"ab\n", span: span(1, 0, 10) };
        assert_eq!(sent(&[(cut.span, "ab\n")], &[cut]), []);
    }

    #[test]
    fn a_chunk_is_split_where_its_file_is() {
        let (first, rest) = chunk(1, 10, "a\nb\n").split_at(2);
        assert_eq!((first, rest), (chunk(1, 10, "a\n"), chunk(1, 12, "b\n")));
        // The last newline is not in the file.
        let given = Chunk { span: span(1, 0, 3), ..chunk(1, 0, "a\nb\n") };
        assert_eq!(given.split_at(2).1.span, span(1, 2, 3));
        assert_eq!(given.split_at(4).0.span, span(1, 0, 3));
        let cut = Chunk { lines: b"ab\n", span: span(1, 0, 10) };
        assert_eq!(cut.split_at(3).0, cut);
    }
}
