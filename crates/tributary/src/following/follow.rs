//! Which files a source reads: the one that its path names, and those that
//! had the name before and are not done with.
//!
//! A rotation renames a log and makes a new one. Its writer goes on with the
//! old file until somebody tells it, so lines come to both for a while. What
//! is promised: the old file is read to its end before the first line of the
//! new one, and what comes to it late is merged, too.
//!
//! The order of two files cannot be had by reading them one after the other:
//! between the end of the old and the beginning of the new, a line could be
//! written to the old and the next one to the new. So a *round* notes the
//! sizes first, the newest file first, and then reads, the oldest file first,
//! no further than noted. A line that a writer put into the new file was noted
//! only after everything that it had put into the old one.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use rustix::io::Errno;
use tracing::{info, warn};

use crate::error::Shown;
use crate::following::claims::{Claimed, Claims};
use crate::following::file::{self, Found, LogFile, Noted, Piece};
use crate::following::identity::{FileId, Position};
use crate::following::siblings;
use crate::waking::notify::SourceWatch;

/// The files of one source.
#[derive(Debug)]
pub(crate) struct Follow {
    /// The place of the source in its plan.
    source: usize,
    path: Arc<Path>,
    /// The oldest first. The last is the one that the path names, if `named`.
    files: Vec<LogFile>,
    /// Whether the path names the last file.
    named: bool,
    /// When the path was last seen to name the last file.
    named_at: SystemTime,
    /// Half lines that are to be handed out next, since their files have ended.
    ended: VecDeque<Piece>,
    /// Files that were let go, whose half line is perhaps not written yet.
    going: Vec<Position>,
    claims: Arc<Claims>,
    watch: Option<SourceWatch>,
    /// How long a file that has lost its name is read on.
    quiet: Duration,
    /// Whether there is a checkpoint, which wants to know all that is held.
    keep: bool,
    /// What was said last about the path, so that it is said once.
    said: Option<String>,
}

/// How files are followed: the same for all sources of a plan.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Following {
    /// How long a file that has lost its name is read on.
    pub(crate) quiet: Duration,
    /// Whether a half line at the end of the run is left for another run; then
    /// the lines say what stands before their ends, too.
    pub(crate) keep: bool,
    /// How many lines that are there already are read; all, if that is not said.
    pub(crate) last: Option<u64>,
    /// When the files began to be opened: what came later is a successor.
    pub(crate) began: SystemTime,
}

/// Where a source stood when a checkpoint was written.
#[derive(Debug)]
pub(crate) struct Stood {
    /// The oldest first.
    pub(crate) positions: Vec<Position>,
    /// When it was known last which files there are.
    pub(crate) at: SystemTime,
}

impl Follow {
    /// Follows `path`, which names `file` now, if anything.
    pub(crate) fn new(
        source: usize,
        path: Arc<Path>,
        file: Option<(File, FileId)>,
        stood: Option<Stood>,
        claims: Arc<Claims>,
        watch: Option<SourceWatch>,
        options: Following,
    ) -> io::Result<Follow> {
        if file.is_none() {
            info!("{}: not there yet, waiting for it", Shown(&path));
        }
        let named = file.is_some();
        // In the midst of a rotation nothing has the name. What had it since
        // the checkpoint is then found together with the file that gets it.
        let named_at = match &stood {
            Some(stood) if !named => stood.at,
            _ => options.began,
        };
        let mut files = Vec::with_capacity(1);
        match stood {
            Some(stood) => resume(&path, file, &stood, &mut files)?,
            None => {
                if let Some((file, id)) = file {
                    let mut file = LogFile::new(file, id);
                    if let Some(lines) = options.last {
                        file.skip_to_last(lines)?;
                    }
                    files.push(file);
                }
            }
        }
        if options.keep {
            claims.looked(source, &path, named_at);
        }
        for file in &mut files {
            claims.claim(file.id(), source);
            if options.keep {
                file.settle();
            }
        }
        Ok(Follow {
            source,
            path,
            named,
            files,
            named_at,
            ended: VecDeque::new(),
            going: Vec::new(),
            claims,
            watch,
            quiet: options.quiet,
            keep: options.keep,
            said: None,
        })
    }

    /// Returns where each file stands, the oldest first.
    pub(crate) fn positions(&self) -> Vec<Position> {
        let mine = self.files.iter().filter(|file| !file.anothers);
        mine.map(LogFile::position).collect()
    }

    /// Begins a round: notes how long each file is. True if there is something
    /// to read.
    pub(crate) fn note(&mut self) -> io::Result<bool> {
        // We are asked again: what was handed out before is written.
        for position in self.going.drain(..) {
            self.claims.release(position);
        }
        let mut more = !self.ended.is_empty();
        for index in (0..self.files.len()).rev() {
            let file = &mut self.files[index];
            if file.anothers {
                more |= self.take_over(index)?;
                continue;
            }
            match file.note()? {
                Noted::Same => {}
                Noted::More => more = true,
                Noted::Rewritten { unread } => {
                    self.restart(index, unread)?;
                    more = true;
                }
            }
        }
        Ok(more)
    }

    /// Reads what the round has noted, the oldest file first; `None` at its
    /// end. With `last`, half lines are handed out, too: nothing comes after.
    pub(crate) fn read(&mut self, chunk: usize, last: bool) -> io::Result<Option<Piece>> {
        let mut index = 0;
        loop {
            if let Some(piece) = self.ended.pop_front() {
                return Ok(Some(piece));
            }
            let Some(file) = self.files.get_mut(index) else { return Ok(None) };
            if !file.anothers {
                match file.read(chunk)? {
                    Found::Lines(piece) => return Ok(Some(piece)),
                    Found::Nothing if last => {
                        if let Some(piece) = file.last_line(chunk, self.keep)? {
                            return Ok(Some(piece));
                        }
                    }
                    Found::Nothing => {}
                    Found::Rewritten => {
                        let unread = file.unread();
                        self.restart(index, unread)?;
                        continue;
                    }
                }
            }
            index += 1;
        }
    }

    /// Asks what the path names now. True if that is another file: it is then
    /// the last one, and a new round is due.
    pub(crate) fn successor(&mut self) -> io::Result<bool> {
        let now = SystemTime::now();
        let (file, id) = match self.lookup() {
            Ok(Some(found)) => found,
            Ok(None) => {
                self.named = true;
                self.named_since(now);
                self.said = None;
                return Ok(false);
            }
            Err(cause) => {
                self.nameless(&cause);
                return Ok(false);
            }
        };
        // An older file that got its name back.
        if let Some(index) = self.files.iter().position(|file| file.id() == id) {
            self.nameless(&io::ErrorKind::NotFound.into());
            let file = self.files.remove(index);
            self.files.push(file);
            self.named = true;
            self.named_since(now);
            return Ok(false);
        }
        if self.claims.is_output(id) {
            self.nameless(&io::Error::other("this is the output of the merge, it is not read"));
            return Ok(false);
        }
        // Those that came between are claimed first: that is their order.
        if self.renamed() {
            for (file, id) in self.siblings(&file) {
                if let Claimed::Yours = self.claims.claim(id, self.source) {
                    self.files.push(self.found(file, id));
                }
            }
        }
        let mut next = self.found(file, id);
        match self.claims.claim(id, self.source) {
            Claimed::Anothers => next.anothers = true,
            Claimed::From(position) => {
                next.resume(&position)?;
            }
            Claimed::Yours | Claimed::Output => {}
        }
        self.nameless(&io::ErrorKind::NotFound.into());
        self.files.push(next);
        self.named = true;
        self.named_since(now);
        self.said = None;
        Ok(true)
    }

    /// Lets files go that have lost their name and have been quiet for a
    /// while. True if one left a half line behind.
    ///
    /// Only to be asked when all has been read.
    pub(crate) fn let_go(&mut self) -> bool {
        let nameless = self.files.len() - usize::from(self.named);
        for index in 0..nameless {
            let file = &mut self.files[index];
            if file.grew.elapsed() >= self.quiet {
                self.ended.extend(file.end_line());
                if !file.anothers {
                    self.going.push(file.position());
                }
                self.files.remove(index);
                return true;
            }
        }
        false
    }

    /// Sees to it that a change will be notified. True if that was not so
    /// before: something may have come in between.
    pub(crate) fn arm(&mut self) -> bool {
        let Some(watch) = &mut self.watch else { return false };
        let mut new = watch.arm_name();
        let mut armed = self.named && watch.is_named();
        for file in &mut self.files {
            let mut armer = file.watch.take();
            new |= watch.arm_file(file.file(), &mut armer);
            armed &= armer.as_ref().is_some_and(|armer| armer.is_armed());
            file.watch = armer;
        }
        watch.poll(!armed);
        let nameless = self.files.len() - usize::from(self.named);
        if let Some(grew) = self.files[..nameless].iter().map(|file| file.grew).min() {
            watch.wake_at(grew + self.quiet);
        }
        new
    }

    /// Returns the newest file, and how far it has been read.
    pub(crate) fn place(&self) -> Option<(FileId, u64)> {
        self.files.last().map(LogFile::place)
    }

    /// Gives back what is not needed at rest.
    pub(crate) fn rest(&mut self) {
        self.files.iter_mut().for_each(LogFile::rest);
    }

    /// Opens the files anew after an error that may pass (`ESTALE`); a file
    /// that cannot be had again is let go, and its half line ended.
    pub(crate) fn reopen(&mut self, cause: &io::Error) {
        warn!("{}: {cause}; opening it again", Shown(&self.path));
        let mut index = 0;
        while index < self.files.len() {
            let file = &mut self.files[index];
            match file::open(&self.path) {
                Ok((again, id)) if id == file.id() => file.reopened(again),
                _ if file.file().metadata().is_ok() => {}
                _ => {
                    self.ended.extend(file.end_line());
                    self.files.remove(index);
                    self.named &= index < self.files.len();
                    continue;
                }
            }
            index += 1;
        }
    }

    /// Opens what the path names; `None` if that is the last file.
    fn lookup(&self) -> io::Result<Option<(File, FileId)>> {
        let last = self.files.last().map(LogFile::id);
        let named = FileId::of(&fs::metadata(&self.path)?);
        if last == Some(named) {
            return Ok(None);
        }
        let (file, id) = file::open(&self.path)?;
        Ok((last != Some(id)).then_some((file, id)))
    }

    /// Tells whether the last file lost its name to a rotation, not to a link
    /// that leads elsewhere now: it has another name, or none.
    fn renamed(&self) -> bool {
        let Some(last) = self.files.last() else { return false };
        let Ok(metadata) = last.file().metadata() else { return false };
        if metadata.nlink() == 0 {
            return true;
        }
        siblings::find(&self.path, last.id()).is_some()
    }

    /// Opens what had the name since the last look, and has lost it again.
    fn siblings(&self, next: &File) -> Vec<(File, FileId)> {
        let Some(last) = self.files.last() else { return Vec::new() };
        let known = |id| self.files.iter().any(|file| file.id() == id);
        siblings::between(&self.path, Some(last.file()), next, self.named_at, known)
    }

    fn found(&self, file: File, id: FileId) -> LogFile {
        let mut file = LogFile::new(file, id);
        if self.keep {
            file.settle();
        }
        file
    }

    /// Notes that the path named the last file then, and all before are known.
    fn named_since(&mut self, at: SystemTime) {
        self.named_at = at;
        if self.keep {
            self.claims.looked(self.source, &self.path, at);
        }
    }

    /// Notes that the path does not name the last file, and says why, once.
    fn nameless(&mut self, cause: &io::Error) {
        if std::mem::replace(&mut self.named, false)
            && let Some(last) = self.files.last_mut()
        {
            last.grew = Instant::now();
        }
        // What is merely not there comes back, or does not: nothing to do.
        if [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory].contains(&cause.kind()) {
            return;
        }
        let why = match Errno::from_io_error(cause) {
            Some(Errno::MFILE | Errno::NFILE) => {
                format!("{cause}; raise the limit with `ulimit -n`")
            }
            _ if cause.kind() == io::ErrorKind::InvalidInput => format!("this is {cause} now"),
            _ => cause.to_string(),
        };
        if self.said.as_ref() != Some(&why) {
            warn!("{}: {why}; waiting for a log file of that name", Shown(&self.path));
            self.said = Some(why);
        }
    }

    /// Goes back to the start of a file that was rewritten under us.
    fn restart(&mut self, index: usize, unread: u64) -> io::Result<()> {
        let file = &mut self.files[index];
        self.ended.extend(file.restart());
        warn!(
            "{}: truncated or rewritten, reading it from its start; \
             {unread} bytes are known to be lost unread, and what was written since the last look",
            Shown(&self.path)
        );
        file.note().map(|_| ())
    }

    /// Reads on in a file that another source has let go; true if it has.
    fn take_over(&mut self, index: usize) -> io::Result<bool> {
        let file = &mut self.files[index];
        let Claimed::From(position) = self.claims.claim(file.id(), self.source) else {
            return Ok(false);
        };
        file.anothers = false;
        file.resume(&position)?;
        Ok(file.note()? != Noted::Same)
    }
}

/// Finds the files again that a checkpoint speaks of, and those that came
/// after: what the path named while nobody looked, and what it names now.
fn resume(
    path: &Path,
    mut named: Option<(File, FileId)>,
    stood: &Stood,
    files: &mut Vec<LogFile>,
) -> io::Result<()> {
    let mut current = None;
    for position in &stood.positions {
        if let Some((file, id)) = named.take_if(|(_, id)| *id == position.file) {
            let mut file = LogFile::new(file, id);
            if !file.resume(position)? {
                warn!("{}: rewritten since the checkpoint, read from its start", Shown(path));
            }
            current = Some(file);
            continue;
        }
        let found = siblings::find(path, position.file);
        let mut found = found.map(|file| LogFile::new(file, position.file));
        if let Some(file) = &mut found
            && file.resume(position)?
        {
            files.extend(found);
        } else {
            warn!(
                "{}: what it named at the checkpoint was rotated away and is gone; \
                 {} bytes of that were merged, any more are lost",
                Shown(path),
                position.offset
            );
        }
    }
    if let Some((file, id)) = named {
        let known = |id| files.iter().any(|file: &LogFile| file.id() == id);
        let before = files.last().map(LogFile::file);
        let between = siblings::between(path, before, &file, stood.at, known);
        files.extend(between.into_iter().map(|(file, id)| LogFile::new(file, id)));
        current = Some(LogFile::new(file, id));
    }
    files.extend(current);
    Ok(())
}
