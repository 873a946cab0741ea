//! One growing log, and the race between its last line and the stop.

use std::io;
use std::path::Path;
use std::sync::Arc;

use event_listener::EventListener;
use memchr::memchr_iter;
use rustix::io::Errno;

use crate::change::Change;
use crate::file::Piece;
use crate::follow::Follow;
use crate::marks::Marker;
use crate::probe::{Moment, Probe};
use crate::progress::Counters;
use crate::{Error, Lines, Options, Stop};

/// How many errors in a row are taken for passing ones.
const PASSING: u32 = 3;

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
/// It belongs to one thread or task at a time, and may move between them. It
/// stays with its name: through rotation, truncation, and times in which there
/// is no such file. A source that fails, or that is dropped before it answered
/// [`Read::Closed`], requests the stop of its merge: nobody waits for lines
/// that cannot come.
///
/// A port of `readline(handle)` and `NoNewData` of the book (Effective Python,
/// item 62), for chunks of whole lines instead of one line, half or whole.
#[derive(Debug)]
pub struct Source {
    // Boxed, since stages 4 and 5 move a source to a thread and back with
    // each look.
    state: Box<State>,
}

#[derive(Debug)]
struct State {
    /// Its place in the plan.
    index: usize,
    path: Arc<Path>,
    follow: Follow,
    marker: Marker,
    /// How many bytes a chunk may have, if no line is longer.
    chunk: usize,
    stop: Stop,
    /// Whether the stop was seen, and the last round noted.
    draining: bool,
    closed: bool,
    change: Arc<Change>,
    /// The number of changes that the last look knew of.
    seen: usize,
    /// How many looks in a row met an error that may pass.
    passing: u32,
    counters: Arc<Counters>,
    probe: Option<Probe>,
}

impl Source {
    pub(crate) fn new(
        index: usize,
        path: Arc<Path>,
        follow: Follow,
        chunk: usize,
        stop: &Stop,
        change: Arc<Change>,
        options: &Options,
    ) -> Source {
        stop.wakes(&change);
        let marker = Marker::new(&options.marks, &path, index);
        let counters = Arc::new(Counters::new(Arc::clone(&path)));
        counters.place(follow.place());
        let state = State {
            index,
            path,
            follow,
            marker,
            chunk,
            stop: stop.clone(),
            draining: false,
            closed: false,
            seen: change.count(),
            change,
            passing: 0,
            counters,
            probe: options.probe.clone(),
        };
        Source { state: Box::new(state) }
    }

    /// Returns the path of the source, as it was given.
    pub fn path(&self) -> &Path {
        &self.state.path
    }

    pub(crate) fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.state.counters)
    }

    /// Looks for whole lines that have not been handed out yet.
    ///
    /// A line without its newline stays here until the newline comes. When its
    /// file has ended for good (rotated away and quiet, deleted, truncated, or
    /// at the stop) it is given one, so that nothing can be glued to it.
    ///
    /// After [`Read::Closed`] every further look answers the same.
    ///
    /// # Blocking
    ///
    /// Reads files: blocks the calling thread for as long as the disk takes.
    /// In a task, call it on the blocking pool. A file that hangs (on a dead
    /// network mount) blocks that thread until it answers.
    ///
    /// # Errors
    ///
    /// [`Error::Read`] with the path. The source has then requested the stop
    /// and is of no further use.
    pub fn read_lines(&mut self) -> Result<Read, Error> {
        loop {
            match self.state.look() {
                Ok(found) => {
                    self.state.passing = 0;
                    self.state.closed = matches!(found, Read::Closed);
                    self.state.counters.place(self.state.follow.place());
                    return Ok(found);
                }
                Err(cause) if may_pass(&cause) && self.state.passing < PASSING => {
                    self.state.passing += 1;
                    self.state.follow.reopen(&cause);
                }
                Err(cause) => {
                    self.state.stop.request();
                    return Err(Error::Read { path: self.path().to_owned(), cause });
                }
            }
        }
    }

    /// Returns what to wait on after [`Read::NoNewData`]: it is ready when the
    /// files of the source have changed or the stop is requested, and at once
    /// if that happened since the last look.
    ///
    /// Wait on it in a thread (`wait_timeout(interval)`), or await it in a
    /// task (inside `timeout(interval, …)`): the twins of `time.sleep` and
    /// `asyncio.sleep`. The interval bounds the time until new lines are seen
    /// where nothing notifies.
    ///
    /// # Blocking
    ///
    /// Returns at once. `wait_timeout` blocks the calling thread; `await` does
    /// not.
    pub fn changed(&self) -> EventListener {
        self.state.change.since(self.state.seen)
    }
}

impl State {
    fn look(&mut self) -> io::Result<Read> {
        if self.closed || self.stop.abandoned() {
            return Ok(Read::Closed);
        }
        // The order of these three is the whole of the stop race. The counter
        // is noted before the stop is asked, so a stop that comes in between
        // makes the next `changed` ready. The stop is asked before the look,
        // so what was written before the stop is found by it.
        self.seen = self.change.count();
        let stopping = self.stop.requested();
        self.probe(Moment::BeforeLook)?;

        if stopping && !self.draining {
            // Where the run ends is decided here: what is written from now on
            // is not waited for, so a writer that never pauses cannot keep us.
            self.follow.successor()?;
            self.follow.note()?;
            self.draining = true;
        }
        loop {
            let read = || self.follow.read(self.chunk, self.draining);
            if let Some(piece) = self.marker.next(self.chunk, read)? {
                return Ok(Read::Lines(self.lines(piece)));
            }
            if self.draining {
                return Ok(Read::Closed);
            }
            // All that was noted is read. Only if there is nothing new, no new
            // file, no old one to let go, and no change that could have gone
            // unnoticed, there is no new data.
            let more = self.follow.note()?
                || self.follow.successor()?
                || self.follow.let_go()
                || self.follow.arm();
            if !more {
                break;
            }
        }
        self.follow.rest();
        self.probe(Moment::FoundNothing)?;
        Ok(Read::NoNewData)
    }

    fn lines(&self, piece: Piece) -> Lines {
        // Counted here, on the reader's time: the writer is what all wait for.
        let count = memchr_iter(b'\n', &piece.bytes).count() as u64;
        self.counters.count(count, piece.end - piece.start);
        Lines {
            bytes: piece.bytes.freeze(),
            count,
            source: self.index,
            path: Arc::clone(&self.path),
            file: piece.file,
            end: piece.end,
            before: piece.before,
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
        if !self.state.closed {
            self.state.stop.request();
        }
    }
}

/// Tells whether an error says something of a moment, not of the file.
fn may_pass(cause: &io::Error) -> bool {
    matches!(Errno::from_io_error(cause), Some(Errno::STALE | Errno::MFILE | Errno::NFILE))
}
