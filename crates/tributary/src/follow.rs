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

use crate::claims::{Claimed, Claims};
use crate::error::Shown;
use crate::file::{self, Found, LogFile, Noted, Piece};
use crate::identity::FileId;
use crate::notify::SourceWatch;
use crate::siblings;

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
    claims: Arc<Claims>,
    watch: Option<SourceWatch>,
    /// How long a file that has lost its name is read on.
    quiet: Duration,
    /// What was said last about the path, so that it is said once.
    said: Option<String>,
}

impl Follow {
    pub(crate) fn new(
        source: usize,
        path: Arc<Path>,
        file: Option<LogFile>,
        claims: Arc<Claims>,
        watch: Option<SourceWatch>,
        quiet: Duration,
    ) -> Follow {
        if let Some(file) = &file {
            claims.claim(file.id(), source);
        } else {
            info!("{}: not there yet, waiting for it", Shown(&path));
        }
        Follow {
            source,
            path,
            named: file.is_some(),
            files: file.into_iter().collect(),
            named_at: SystemTime::now(),
            ended: VecDeque::new(),
            claims,
            watch,
            quiet,
            said: None,
        }
    }

    /// Begins a round: notes how long each file is. True if there is something
    /// to read.
    pub(crate) fn note(&mut self) -> io::Result<bool> {
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
                        if let Some(piece) = file.last_line(chunk)? {
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
                self.named_at = now;
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
            self.named_at = now;
            return Ok(false);
        }
        let claimed = self.claims.claim(id, self.source);
        if let Claimed::Output = claimed {
            self.nameless(&io::Error::other("this is the output of the merge, it is not read"));
            return Ok(false);
        }
        if self.renamed() {
            for (file, id) in self.siblings(&file) {
                if let Claimed::Yours = self.claims.claim(id, self.source) {
                    self.files.push(LogFile::new(file, id));
                }
            }
        }
        let mut next = LogFile::new(file, id);
        match claimed {
            Claimed::Anothers => next.anothers = true,
            Claimed::From(position) => {
                next.resume(&position)?;
            }
            Claimed::Yours | Claimed::Output => {}
        }
        self.nameless(&io::ErrorKind::NotFound.into());
        self.files.push(next);
        self.named = true;
        self.named_at = now;
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
                    self.claims.release(file.position());
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
        siblings::lies_beside(&self.path, last.id())
    }

    /// Opens what had the name since the last look, and has lost it again.
    fn siblings(&self, next: &File) -> Vec<(File, FileId)> {
        let Some(last) = self.files.last() else { return Vec::new() };
        let known = |id| self.files.iter().any(|file| file.id() == id);
        siblings::between(&self.path, last.file(), next, self.named_at, known)
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
