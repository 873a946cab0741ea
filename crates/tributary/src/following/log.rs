//! One log of a source: a path, what it names, and what is put round its lines.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use memchr::memchr_iter;

use crate::following::claims::Claims;
use crate::following::follow::{Follow, Following, Stood};
use crate::following::identity::FileId;
use crate::keeping::checkpoint::Saved;
use crate::marks::Marker;
use crate::progress::Counters;
use crate::waking::change::Change;
use crate::waking::notify::Notifier;
use crate::{Lines, Marks};

/// What the logs of a plan have in common.
#[derive(Debug)]
pub(crate) struct Common {
    pub(crate) claims: Arc<Claims>,
    pub(crate) following: Following,
    /// Wakes the sources; without one they look every interval.
    pub(crate) notifier: Option<Notifier>,
    /// Where everything stood when the last merge ended.
    pub(crate) saved: Option<Saved>,
    pub(crate) marks: Marks,
    /// How many logs there were so far: the place of the next one.
    pub(crate) count: Mutex<usize>,
    pub(crate) counters: Mutex<Vec<Arc<Counters>>>,
}

/// One log, and how far it has been read.
#[derive(Debug)]
pub(crate) struct Log {
    index: usize,
    path: Arc<Path>,
    follow: Follow,
    marker: Marker,
    counters: Arc<Counters>,
}

impl Common {
    /// Begins a log at `path`, which names `file` now, if anything, with a
    /// place that was taken from `count`. It goes on at `stood`, or where it
    /// stood at the checkpoint.
    pub(crate) fn log(
        &self,
        index: usize,
        path: Arc<Path>,
        file: Option<(File, FileId)>,
        stood: Option<Stood>,
        following: Following,
        change: &Arc<Change>,
    ) -> io::Result<Log> {
        let notifier = self.notifier.as_ref();
        let watch = notifier.map(|it| it.watch(Arc::clone(&path), Arc::clone(change)));
        let stood = stood.or_else(|| self.saved.as_ref()?.stood(&path));
        let claims = Arc::clone(&self.claims);
        let follow = Follow::new(index, path.clone(), file, stood, claims, watch, following)?;
        let marker = Marker::new(&self.marks, &path, index);
        let counters = Arc::new(Counters::new(Arc::clone(&path)));
        counters.place(follow.place());
        let mut all = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(Arc::clone(&counters));
        Ok(Log { index, path, follow, marker, counters })
    }
}

impl Log {
    pub(crate) fn path(&self) -> &Arc<Path> {
        &self.path
    }

    pub(crate) fn follow(&self) -> &Follow {
        &self.follow
    }

    /// Decides where the run ends: what is written from now on is not waited
    /// for, so a writer that never pauses cannot keep us.
    pub(crate) fn last_round(&mut self) -> io::Result<()> {
        self.follow.successor()?;
        self.follow.note()?;
        Ok(())
    }

    /// Returns the next lines of this round, up to `chunk` bytes; `None` at
    /// its end. With `last`, half lines, too: nothing comes after.
    pub(crate) fn next(&mut self, chunk: usize, last: bool) -> io::Result<Option<Lines>> {
        let read = || self.follow.read(chunk, last);
        let piece = self.marker.next(chunk, read)?;
        self.counters.place(self.follow.place());
        let Some(piece) = piece else { return Ok(None) };
        // Counted here, on the reader's time: the writer is what all wait for.
        let count = memchr_iter(b'\n', &piece.bytes).count() as u64;
        self.counters.count(count, piece.end - piece.start);
        Ok(Some(Lines {
            bytes: piece.bytes.freeze(),
            count,
            source: self.index,
            path: Arc::clone(&self.path),
            file: piece.file,
            end: piece.end,
            before: piece.before,
        }))
    }

    /// Begins the next round, if there is a reason: something new, a new file,
    /// an old one to let go, a change that could have gone unnoticed.
    pub(crate) fn more(&mut self) -> io::Result<bool> {
        Ok(self.follow.note()?
            || self.follow.successor()?
            || self.follow.let_go()
            || self.follow.arm())
    }

    /// Gives back what is not needed at rest.
    pub(crate) fn rest(&mut self) {
        self.follow.rest();
    }

    /// Opens the files anew after an error that may pass.
    pub(crate) fn reopen(&mut self, cause: &io::Error) {
        self.follow.reopen(cause);
    }
}
