//! Reading whole lines of a file that is still being written.

use std::path::Path;
use std::sync::Arc;
use std::{io, mem};

use bytes::BytesMut;
use event_listener::EventListener;
use memchr::{memchr, memchr_iter, memrchr};

use crate::change::Change;
use crate::follow::Followed;
use crate::probe::{Moment, Probe};
use crate::{Error, Lines, Stop};

// ANCHOR: read
/// What a look at a source found.
#[derive(Debug)]
pub enum Read {
    /// Whole lines, as many as are there, up to a chunk.
    Lines(Lines),
    /// Nothing since the last look: wait with [`Source::changed`], look again.
    NoNewData,
    /// The source has been read to where it stood at the stop. It ends here.
    Closed,
}
// ANCHOR_END: read

/// One growing log file, read in whole lines.
///
/// It belongs to one thread or task at a time, and may move between them. A
/// source that fails, or that is dropped before it answered [`Read::Closed`],
/// requests the stop of its merge: nobody waits for lines that cannot come.
///
/// A port of `readline(handle)` and `NoNewData` of the book (Effective Python,
/// item 62), for chunks of whole lines instead of one line, half or whole.
#[derive(Debug)]
pub struct Source {
    /// Its place in the plan.
    index: usize,
    path: Arc<Path>,
    file: Followed,
    /// How many bytes of the file have been read.
    offset: u64,
    /// What was read and not handed out: the beginning of a line, no newline
    /// in it.
    partial: BytesMut,
    /// Whether lines were split off the memory of `partial` since the last rest.
    split: bool,
    /// How many bytes a chunk may have, if no line is longer.
    chunk: usize,
    stop: Stop,
    /// Where this source ends: the size of the file at the first look after
    /// the stop.
    end: Option<u64>,
    closed: bool,
    change: Arc<Change>,
    /// The number of changes that the last look knew of.
    seen: usize,
    probe: Option<Probe>,
}

impl Source {
    pub(crate) fn new(
        index: usize,
        path: Arc<Path>,
        file: Followed,
        chunk: usize,
        stop: &Stop,
        probe: Option<Probe>,
    ) -> Source {
        let change = Arc::new(Change::default());
        stop.wakes(&change);
        Source {
            index,
            path,
            file,
            offset: 0,
            partial: BytesMut::new(),
            split: false,
            chunk,
            stop: stop.clone(),
            end: None,
            closed: false,
            seen: change.count(),
            change,
            probe,
        }
    }

    /// Returns the path of the source, as it was given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Looks for whole lines that have not been handed out yet.
    ///
    /// A line without its newline stays here until the newline comes. After
    /// the stop it is given one, so that the next source's line cannot be
    /// glued to it, and is handed out as the last of its source.
    ///
    /// After [`Read::Closed`] every further look answers the same.
    ///
    /// # Blocking
    ///
    /// Reads a file: blocks the calling thread for as long as the disk takes.
    /// In a task, call it on the blocking pool.
    ///
    /// # Errors
    ///
    /// [`Error::Read`] with the path. The source has then requested the stop
    /// and is of no further use.
    pub fn read_lines(&mut self) -> Result<Read, Error> {
        let found =
            self.look().map_err(|cause| Error::Read { path: self.path.to_path_buf(), cause });
        match &found {
            Ok(Read::Closed) => self.closed = true,
            Ok(_) => {}
            Err(_) => self.stop.request(),
        }
        found
    }

    /// Returns what to wait on after [`Read::NoNewData`]: it is ready when the
    /// stop is requested, and at once if that happened since the last look.
    ///
    /// Wait on it in a thread (`wait_timeout(interval)`), or await it in a
    /// task (inside `timeout(interval, …)`): the twins of `time.sleep` and
    /// `asyncio.sleep`. The interval is what bounds the time until new lines
    /// are seen.
    ///
    /// # Blocking
    ///
    /// Returns at once. `wait_timeout` blocks the calling thread; `await` does
    /// not.
    pub fn changed(&self) -> EventListener {
        self.change.since(self.seen)
    }

    fn look(&mut self) -> io::Result<Read> {
        if self.closed {
            return Ok(Read::Closed);
        }
        // The order of these three is the whole of the stop race. The counter
        // is noted before the stop is asked, so a stop that comes in between
        // makes the next `changed` ready. The stop is asked before the look,
        // so what was written before the stop is found by it.
        self.seen = self.change.count();
        let stopping = self.stop.requested();
        self.probe(Moment::BeforeLook)?;

        let size = self.file.size()?;
        if stopping && self.end.is_none() {
            self.end = Some(size);
        }
        let end = self.end.unwrap_or(size);
        while self.offset < end {
            let kept = self.partial.len();
            if !self.fill(end)? {
                break;
            }
            if let Some(newline) = memrchr(b'\n', &self.partial[kept..]) {
                return Ok(Read::Lines(self.split_off(kept + newline + 1)));
            }
        }
        if self.end.is_some() {
            return Ok(match self.last_line(size)? {
                Some(lines) => Read::Lines(lines),
                None => Read::Closed,
            });
        }
        self.rest();
        self.probe(Moment::FoundNothing)?;
        Ok(Read::NoNewData)
    }

    /// Reads on, up to a chunk and never behind `end`; false at the end of
    /// the file.
    fn fill(&mut self, end: u64) -> io::Result<bool> {
        let kept = self.partial.len();
        // A line that is longer than a chunk doubles the buffer.
        let room = if kept < self.chunk { self.chunk - kept } else { kept };
        let there = usize::try_from(end - self.offset).unwrap_or(usize::MAX);
        self.partial.resize(kept + room.min(there), 0);
        let read = self.file.read_at(&mut self.partial[kept..], self.offset);
        self.partial.truncate(kept + *read.as_ref().unwrap_or(&0));
        let read = read?;
        self.offset += read as u64;
        Ok(read > 0)
    }

    /// Hands out the first `length` bytes of what was read: whole lines.
    fn split_off(&mut self, length: usize) -> Lines {
        self.split = true;
        let whole = self.partial.split_to(length);
        self.lines(whole, self.offset - self.partial.len() as u64)
    }

    /// Hands out the line that the stop has cut: to its newline if that is
    /// already there, with a newline of ours if it is not.
    fn last_line(&mut self, size: u64) -> io::Result<Option<Lines>> {
        while !self.partial.is_empty() {
            let kept = self.partial.len();
            let more = self.offset < size && self.fill(size)?;
            if let Some(newline) = memchr(b'\n', &self.partial[kept..]) {
                let line = self.split_off(kept + newline + 1);
                // What is behind it was written after the stop.
                self.partial.clear();
                return Ok(Some(line));
            }
            if !more {
                let mut line = mem::take(&mut self.partial);
                line.extend_from_slice(b"\n");
                return Ok(Some(self.lines(line, self.offset)));
            }
        }
        Ok(None)
    }

    fn lines(&self, whole: BytesMut, end: u64) -> Lines {
        // Counted here, on the reader's time: the writer is what all wait for.
        let count = memchr_iter(b'\n', &whole).count() as u64;
        Lines {
            bytes: whole.freeze(),
            count,
            source: self.index,
            path: Arc::clone(&self.path),
            file: self.file.id(),
            end,
        }
    }

    /// Gives the buffer back: a source at rest keeps its partial line, no more.
    fn rest(&mut self) {
        // A line that merely grows keeps its buffer, at most twice its length.
        if self.split || self.partial.capacity() > 2 * self.partial.len() {
            self.partial = BytesMut::from(&self.partial[..]);
            self.split = false;
        }
    }

    fn probe(&self, moment: Moment) -> io::Result<()> {
        match &self.probe {
            Some(probe) => probe.call(moment, &self.path),
            None => Ok(()),
        }
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        if !self.closed {
            self.stop.request();
        }
    }
}
