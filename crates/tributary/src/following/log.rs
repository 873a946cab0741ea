//! One log of a source: a path, what it names, and what is put round its lines.

use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use memchr::{memchr, memchr_iter};
use tracing::warn;

use crate::following::file::Piece;
use crate::following::file::at_once::{AtOnce, Taken};
use crate::following::files::Files;
use crate::following::follow::{Follow, Name};
use crate::following::identity::{Before, FileId};
use crate::lines::Origin;
use crate::marks::Marker;
use crate::progress::{Counters, Tally};
use crate::waking::change::Bell;
use crate::waking::notifier::Notifier;
use crate::waking::watch::SourceWatch;
use crate::{Batch, Lines, Marks, Shown};

/// What the logs of a plan have in common.
#[derive(Debug)]
pub(crate) struct Common {
    /// How far each file has been read.
    pub(crate) files: Arc<Files>,
    /// How long a file that has lost its name is read on.
    pub(crate) quiet: Duration,
    /// Whether a checkpoint is kept. An unfinished last line is then left for
    /// the next run, and each chunk carries the bytes before its end.
    pub(crate) checkpointed: bool,
    /// How long a line may be, in bytes; the rest of a longer one is skipped.
    pub(crate) max_line: u64,
    /// Wakes the sources; without one they look every interval.
    pub(crate) notifier: Option<Arc<Notifier>>,
    pub(crate) marks: Marks,
    /// The number of the next log.
    pub(crate) next_log: AtomicUsize,
    pub(crate) tally: Arc<Tally>,
    /// The bells of the patterns. They ring when a path that a pattern had found is
    /// free again.
    pub(crate) patterns: Mutex<Vec<Arc<Bell>>>,
}

/// One log, and how far it has been read.
#[derive(Debug)]
pub(crate) struct Log {
    number: usize,
    pub(crate) follow: Follow,
    marker: Marker,
    counters: Arc<Counters>,
    bell: Arc<Bell>,
    common: Arc<Common>,
}

impl Log {
    /// Makes a log of a name, which leads to `file` now, if to any. That file is left
    /// to [`begin`](Follow::begin), so that all logs first take on the files that they
    /// had read at the checkpoint. `began` is when the merge began to open files.
    pub(crate) fn new(
        common: &Arc<Common>,
        name: Name,
        file: Option<FileId>,
        began: SystemTime,
        bell: Arc<Bell>,
    ) -> io::Result<Log> {
        let number = common.next_log.fetch_add(1, Ordering::Relaxed);
        let notifier = common.notifier.as_ref();
        let path = Arc::clone(&name.path);
        let watch = notifier.map(|it| SourceWatch::new(it, Arc::clone(&path), &bell));
        let home = name.home.clone();
        let follow = Follow::new(number, name, file, began, watch, common)
            .inspect_err(|_| common.files.withdraw(&home, number))?;
        let marker = Marker::new(&common.marks, &path, number);
        let counters = common.tally.add(&path);
        Ok(Log { number, follow, marker, counters, bell, common: Arc::clone(common) })
    }

    /// Decides where the run ends: what is written from now on is not waited
    /// for, so a writer that never pauses cannot keep us.
    pub(crate) fn last_round(&mut self) -> io::Result<()> {
        self.follow.successor()?;
        self.begin_round().map(drop)
    }

    fn begin_round(&mut self) -> io::Result<bool> {
        // Two owners, the tally and this log: nobody holds lines.
        if Arc::strong_count(&self.counters) == 2 {
            self.follow.take_leave();
        }
        self.follow.begin_round()
    }

    /// Returns the next lines of this round, up to `chunk` bytes; `None` at
    /// its end. With `last`, half lines, too: nothing comes after.
    pub(crate) fn next(&mut self, chunk: usize, last: bool) -> io::Result<Option<Lines>> {
        let read = || -> io::Result<_> {
            let piece = self.follow.read(chunk, last)?;
            if let Some(Piece { start: 0, bytes, .. }) = &piece {
                self.follow.say_if_odd(bytes);
            }
            Ok(piece)
        };
        let Some(piece) = self.marker.next(chunk, read)? else { return Ok(None) };
        if piece.cut && self.counters.cut() == 1 {
            warn!(
                "{}: the line that ends at byte {} is too long and was cut; \
                 more of its kind are counted, and not told",
                Shown(self.counters.path()),
                piece.end
            );
        }
        let Piece { bytes, file, start, end, before, .. } = piece;
        let origin = self.origin(&bytes, bytes.len(), file, start..end, before);
        Ok(Some(Lines { bytes: bytes.freeze(), origin }))
    }

    /// Reads the next lines into a batch, up to `chunk` bytes, and waits for nothing;
    /// with `last`, no further than the last round.
    pub(crate) fn next_at_once(&mut self, batch: &mut Batch, chunk: usize, last: bool) -> AtOnce {
        let Some(file) = self.follow.only_file().filter(|_| !self.marker.has_left()) else {
            return AtOnce::Waits;
        };
        let chunk = if batch.is_full() { 0 } else { chunk };
        if !self.marker.is_plain() {
            let mut lent = batch.lend(chunk);
            let found = self.mark_at_once(batch, &mut lent[..chunk], last);
            batch.give_back(lent);
            return found;
        }
        let room = batch.room();
        let chunk = chunk.min(room.len());
        let found = file.look_at_once(&mut room[..chunk], self.common.max_line, last);
        if let AtOnce::Bytes(length, _) = found
            && let Some(taken) = file.take(&room[..length])
        {
            let lines = &room[..taken.length];
            let origin = self.origin_at_once(lines, lines.len(), taken);
            batch.take(origin);
        }
        found
    }

    /// Reads into `unmarked`, and puts the lines into a batch with their marks. Those
    /// that do not fit are read again.
    fn mark_at_once(&mut self, batch: &mut Batch, unmarked: &mut [u8], last: bool) -> AtOnce {
        let Some(file) = self.follow.only_file() else { return AtOnce::Waits };
        let found = file.look_at_once(unmarked, self.common.max_line, last);
        let AtOnce::Bytes(length, is_end) = found else { return found };
        let mut bytes = &unmarked[..length];
        let (marked, done) = self.marker.mark_at_once(bytes, file.line(), unmarked.len());
        let all = memchr(b'\n', &bytes[done..]).is_none();
        if !all {
            bytes = &bytes[..done];
        }
        if let Some(taken) = file.take(bytes) {
            batch.reserve(marked.len());
            batch.room()[..marked.len()].copy_from_slice(&marked);
            let origin = self.origin_at_once(&bytes[..taken.length], marked.len(), taken);
            batch.take(origin);
        }
        AtOnce::Bytes(length, is_end && all)
    }

    /// Counts lines, and says where they come from: which bytes of which file. `marked`
    /// is how many bytes they have with their marks.
    fn origin(
        &self,
        lines: &[u8],
        marked: usize,
        file: FileId,
        read: Range<u64>,
        before: Option<Box<Before>>,
    ) -> Origin {
        // Counted here, on the reader's time: all sources wait for the writer.
        let count = memchr_iter(b'\n', lines).count() as u64;
        let Range { start, end } = read;
        let read = end - start;
        self.counters.read(read);
        let counters = Arc::clone(&self.counters);
        Origin { count, bytes: marked, read, source: self.number, counters, file, end, before }
    }

    /// As [`origin`](Log::origin), of lines that were taken at once.
    fn origin_at_once(&self, lines: &[u8], marked: usize, taken: Taken) -> Origin {
        let Taken { file, start, end, before, .. } = taken;
        if start == 0 {
            self.follow.say_if_odd(lines);
        }
        self.origin(lines, marked, file, start..end, before)
    }

    /// Tells whether all changes of the log are notified, and none but writes have
    /// come.
    pub(crate) fn is_watched(&self) -> bool {
        self.follow.is_watched()
    }

    /// Tells whether a line has begun and not ended.
    pub(crate) fn has_half_line(&mut self) -> bool {
        self.follow.only_file().is_none_or(|file| file.has_half_line())
    }

    /// Begins the next round, if there is a reason. Call it only when all of the last
    /// round is read.
    pub(crate) fn more(&mut self) -> io::Result<bool> {
        // Something new; a new file of this name; an old one to be let go; a
        // change that could have gone unnoticed.
        Ok(self.begin_round()?
            || self.follow.successor()?
            || self.follow.let_go()
            || self.follow.arm())
    }

    /// Tells whether a look is due, and takes it as done. Where nothing notifies, it is
    /// always due.
    pub(crate) fn take_rung(&self) -> bool {
        self.bell.take() || self.common.notifier.is_none()
    }

    /// Takes the look after a write as done. Returns false if anything else may have
    /// happened.
    pub(crate) fn take_written(&self) -> bool {
        self.bell.take_written()
    }

    /// Has the log looked at again at the next look.
    pub(crate) fn look_again(&self) {
        self.bell.mark();
    }

    /// Takes leave of a log that is over: its path is free. Its lines are counted with
    /// the pattern by which it joined, if any.
    pub(crate) fn leave(&mut self, pattern: Option<&Arc<Path>>) {
        self.common.files.unfollow(self.follow.home());
        match pattern {
            Some(pattern) => self.common.tally.leave(&self.counters, pattern),
            None => self.counters.leave(),
        }
        let patterns = self.common.patterns.lock();
        patterns.unwrap_or_else(PoisonError::into_inner).iter().for_each(|bell| bell.ring());
    }

    /// Takes a log back that has nothing to follow, or could not begin.
    pub(crate) fn withdraw(self) {
        self.common.files.withdraw(self.follow.home(), self.number);
        self.common.tally.remove(&self.counters);
    }

    /// Opens the files anew after a transient error.
    pub(crate) fn reopen(&mut self, cause: &io::Error) {
        self.look_again();
        self.follow.reopen(cause);
    }
}
