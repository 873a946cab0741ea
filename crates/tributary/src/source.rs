//! One growing log, and the race between its last line and the stop.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustix::io::Errno;
use tracing::warn_span;

use crate::following::file::at_once::AtOnce;
use crate::following::log::Log;
use crate::following::pattern::Joining;
use crate::probe::{Moment, Probe};
use crate::waking::change::Change;
use crate::{Batch, Changed, Error, Lines, Shown, Stop};

/// How often a transient error (ESTALE, EMFILE, ENFILE) is retried before it
/// ends the source.
const RETRIES: u32 = 3;

// ANCHOR: read
/// What a look at a source found. There is no fourth: a loop has three arms.
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

/// What a look that never waits has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Something; there may be more.
    More,
    /// Nothing is left to read. When something comes,
    /// [`Plan::ready`](crate::Plan::ready) lists the source again.
    Idle,
    /// A line for which the batch has no room: look again into an empty batch.
    Full,
    /// The look would have to wait for a disk or a mount, or to do more than read on.
    /// Call [`read_lines`](Source::read_lines), on a thread that may block, once all
    /// lines of this source are in the output.
    Blocks,
    /// As [`Read::Closed`].
    Closed,
}

/// One growing log file, read in whole lines; or all that fit a pattern.
///
/// A source belongs to one thread or task at a time, and may move between them. It
/// follows its name through rotation, truncation, and times in which there is no such
/// file. A source that fails, or that is dropped before it answered [`Read::Closed`],
/// requests the stop of its merge: nobody waits for lines that cannot come.
///
/// A port of `readline(handle)` and `NoNewData` of the Python original
/// (*Effective Python*, item 62), for chunks of whole lines instead of one
/// line, half or whole.
#[derive(Debug)]
pub struct Source {
    // Boxed, since stages 4 and 5 move a source to a thread and back with
    // each look.
    state: Box<State>,
}

#[derive(Debug)]
struct State {
    /// The path, or the pattern of paths.
    path: Arc<Path>,
    /// One log, or all that have joined by the pattern.
    logs: Vec<Log>,
    /// The index of the log that is read next, where there are many.
    turn: usize,
    // Boxed, since most sources have none, and there may be many.
    joining: Option<Box<Joining>>,
    /// Whether a person has named the log. One that a pattern has found ends
    /// when its file is gone: a new one of that name joins by the pattern.
    by_name: bool,
    settings: Arc<Settings>,
    /// Whether the stop was seen and the last round has measured the files.
    draining: bool,
    closed: bool,
    change: Arc<Change>,
    /// The number of changes that the last look knew of.
    seen: usize,
    /// How many looks in a row met a transient error.
    retries: u32,
}

/// What all sources of a plan have in common.
#[derive(Debug)]
pub(crate) struct Settings {
    /// How many bytes a chunk may have, if no line is longer.
    pub(crate) chunk: usize,
    /// Whether the merge waits for what comes later.
    pub(crate) follows: bool,
    pub(crate) stop: Stop,
    pub(crate) probe: Option<Probe>,
}

impl Source {
    /// Makes a source of a log.
    pub(crate) fn of_log(
        log: Log,
        path: Arc<Path>,
        change: Arc<Change>,
        by_name: bool,
        settings: &Arc<Settings>,
    ) -> Source {
        Source::new(path, vec![log], None, by_name, change, settings)
    }

    /// Makes a source of all logs that come to fit a pattern.
    pub(crate) fn of_pattern(
        joining: Joining,
        change: Arc<Change>,
        settings: &Arc<Settings>,
    ) -> Source {
        let path = Arc::clone(joining.text());
        Source::new(path, Vec::new(), Some(joining.into()), true, change, settings)
    }

    fn new(
        path: Arc<Path>,
        logs: Vec<Log>,
        joining: Option<Box<Joining>>,
        by_name: bool,
        change: Arc<Change>,
        settings: &Arc<Settings>,
    ) -> Source {
        settings.stop.wakes(&change);
        let state = State {
            path,
            logs,
            turn: 0,
            joining,
            by_name,
            settings: Arc::clone(settings),
            draining: false,
            closed: false,
            seen: change.count(),
            change,
            retries: 0,
        };
        Source { state: Box::new(state) }
    }

    /// Returns the path of the source, as it was given; of a source made from
    /// a pattern, the pattern.
    pub fn path(&self) -> &Path {
        &self.state.path
    }

    /// Looks for whole lines that have not been handed out yet.
    ///
    /// A line without its newline stays in the source until the newline comes. When the
    /// file has ended for good (rotated away and quiet, deleted, truncated, or at the
    /// stop) the line is given a newline, so that no other line can be glued to it.
    ///
    /// After [`Read::Closed`] every further look answers the same.
    ///
    /// Append the chunks of a source in the order in which they were read, and each
    /// before the next look if you can. A checkpoint lets no file go while lines of its
    /// log are held, but notes a file that is truncated or replaced meanwhile as read.
    /// A chunk that is dropped without being appended is lost: the checkpoint may say
    /// that the output has it.
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
        let source = Shown(&self.state.path);
        let _span = warn_span!(target: "tributary", "read_lines", %source).entered();
        loop {
            match self.state.look() {
                Ok(found) => {
                    self.state.retries = 0;
                    self.state.closed = matches!(found, Read::Closed);
                    let left_out = self.state.closed.then(|| self.state.left_out()).flatten();
                    return left_out.map_or(Ok(found), Err);
                }
                Err(cause) if is_transient(&cause) && self.state.retries < RETRIES => {
                    self.state.retries += 1;
                    self.state.logs.iter_mut().for_each(|log| log.reopen(&cause));
                }
                Err(cause) => {
                    self.state.settings.stop.request();
                    return Err(Error::Read { path: self.path().to_owned(), cause });
                }
            }
        }
    }

    /// Looks for whole lines that are in memory already, up to `chunk` bytes, and adds
    /// them to `batch`.
    ///
    /// Unlike [`read_lines`](Source::read_lines) it may be called while the lines of
    /// former looks are not in the output yet.
    ///
    /// # Blocking
    ///
    /// Waits neither for a disk nor for a mount, so a task may call it. A look that
    /// would have to wait answers [`Look::Blocks`].
    ///
    /// # Errors
    ///
    /// [`Error::Read`], if the [`Probe`] says so. All other errors are met by
    /// [`read_lines`](Source::read_lines).
    pub fn look_into(&mut self, batch: &mut Batch, chunk: usize) -> Result<Look, Error> {
        let look = self.state.look_into(batch, chunk).map_err(|cause| {
            self.state.settings.stop.request();
            Error::Read { path: self.path().to_owned(), cause }
        })?;
        self.state.closed |= look == Look::Closed;
        Ok(look)
    }

    /// Tells whether the source was woken since its last look.
    pub fn is_changed(&self) -> bool {
        self.state.change.count() != self.state.seen
    }

    /// Measures the files for the last time, after the stop. An error is left to the
    /// next look, which measures again.
    pub(crate) fn drain(&mut self) {
        if self.state.joining.is_none() {
            let _ = self.state.last_round();
        }
    }

    /// Notes the source's place in the plan.
    pub(crate) fn takes(&self, place: usize) {
        self.state.change.takes(place);
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
    pub fn changed(&self) -> Changed {
        self.state.change.since(self.state.seen)
    }
}

impl State {
    fn look(&mut self) -> io::Result<Read> {
        if self.closed || self.settings.stop.abandoned() {
            return Ok(Read::Closed);
        }
        // The order of these three is the whole of the stop race. The counter
        // is noted before the stop is asked, so a stop that comes in between
        // makes the next `changed` ready. The stop is asked before the look,
        // so what was written before the stop is found by it.
        self.seen = self.change.count();
        let stopping = self.settings.stop.requested();
        self.probe(Moment::BeforeLook)?;
        self.probe(Moment::MayBlock)?;

        if stopping && !self.draining {
            self.join(true);
            self.last_round()?;
        }
        loop {
            if let Some(lines) = self.next()? {
                return Ok(Read::Lines(lines));
            }
            if self.draining {
                return Ok(Read::Closed);
            }
            // A stop is not kept waiting by new rounds: the next look drains.
            if self.settings.stop.requested() {
                return Ok(Read::NoNewData);
            }
            // Every file is read to the size that this round measured. There is
            // no new data only if no log has grown since.
            let mut more = self.join(false);
            let alone = self.logs.len() == 1;
            for log in &mut self.logs {
                // Of many logs, only those that were rung need a look.
                if (log.take_rung() || alone) && log.more()? {
                    log.look_again();
                    more = true;
                }
            }
            more |= self.leave();
            if !self.by_name && self.logs.is_empty() {
                return Ok(Read::Closed);
            }
            if !more {
                break;
            }
        }
        self.logs.iter_mut().for_each(|log| log.follow.rest());
        self.probe(Moment::FoundNothing)?;
        Ok(Read::NoNewData)
    }

    fn look_into(&mut self, batch: &mut Batch, chunk: usize) -> io::Result<Look> {
        if self.closed || self.settings.stop.abandoned() {
            return Ok(Look::Closed);
        }
        // In the order of `look`.
        self.seen = self.change.count();
        let stopping = self.settings.stop.requested();
        if self.joining.is_some() || self.logs.len() != 1 || stopping != self.draining {
            return Ok(Look::Blocks);
        }
        self.probe(Moment::BeforeLook)?;
        let log = &mut self.logs[0];
        let only_written = log.take_written();
        match log.next_at_once(batch, chunk, self.draining) {
            AtOnce::Bytes(_, false) => return Ok(Look::More),
            AtOnce::Long if batch.is_empty() => return Ok(Look::Blocks),
            AtOnce::Long => return Ok(Look::Full),
            AtOnce::Waits => return Ok(Look::Blocks),
            AtOnce::Bytes(_, true) | AtOnce::End => {}
        }
        if self.draining {
            return Ok(if log.has_half_line() { Look::Blocks } else { Look::Closed });
        }
        if !only_written || !log.is_watched() {
            return Ok(Look::Blocks);
        }
        log.follow.rest();
        self.probe(Moment::FoundNothing)?;
        Ok(Look::Idle)
    }

    /// Measures the files for the last time.
    fn last_round(&mut self) -> io::Result<()> {
        self.logs.iter_mut().try_for_each(Log::last_round)?;
        self.draining = true;
        Ok(())
    }

    /// Returns the next lines of this round, of the logs in turn.
    fn next(&mut self) -> io::Result<Option<Lines>> {
        for _ in 0..self.logs.len() {
            let turn = self.turn % self.logs.len();
            if let Some(lines) = self.logs[turn].next(self.settings.chunk, self.draining)? {
                return Ok(Some(lines));
            }
            if self.logs.len() > 1 {
                self.logs[turn].follow.rest();
            }
            self.turn = turn + 1;
        }
        Ok(None)
    }

    /// Takes in the files that have come to fit the pattern. Returns true if
    /// there was one.
    fn join(&mut self, last: bool) -> bool {
        let joined = self.joining.as_mut().map(|it| it.join(last)).unwrap_or_default();
        let more = !joined.is_empty();
        self.logs.extend(joined);
        more
    }

    /// Drops the logs that are over. Returns true if there was one: then the
    /// pattern has to be asked again.
    fn leave(&mut self) -> bool {
        if self.by_name && self.joining.is_none() {
            return false;
        }
        let into = self.joining.as_deref().map(Joining::text);
        let before = self.logs.len();
        self.logs.retain_mut(|log| {
            let over = log.follow.is_over();
            if over {
                log.leave(into);
            }
            !over
        });
        self.logs.len() < before
    }

    /// Returns the error of a file that fits the pattern and was left out, unless the
    /// merge follows and tries again.
    fn left_out(&mut self) -> Option<Error> {
        let joining = self.joining.as_deref_mut().filter(|_| !self.settings.follows);
        joining.and_then(Joining::take_left_out)
    }

    fn probe(&self, moment: Moment) -> io::Result<()> {
        match &self.settings.probe {
            Some(probe) => probe.call(moment, &self.path),
            None => Ok(()),
        }
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        if !self.state.closed {
            self.state.settings.stop.request();
        }
    }
}

/// Tells whether a retry may help: the error does not come from the file itself.
fn is_transient(cause: &io::Error) -> bool {
    matches!(Errno::from_io_error(cause), Some(Errno::STALE | Errno::MFILE | Errno::NFILE))
}
