//! Which files a log reads: the file that its path names now, and the files that
//! its path has named before, until they have been quiet for a while.
//!
//! A rotation renames a log and makes a new one. The writer goes on with the old
//! file until somebody tells it, so lines come to both for a while. The promise:
//! the old file is read to its end before the first line of the new one, and
//! lines that come to the old file late are merged, too.
//!
//! It is not enough to read one file after the other. A writer could put a line
//! into the old file after we have read its end, and the next line into the new
//! file before we read that. So a *round* first measures all files, the newest
//! first, and then reads them, the oldest first, no further than measured. When
//! a line of the new file was measured, all that its writer had put into the old
//! file before was there to be measured as well.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use rustix::io::Errno;
use tracing::{info, warn};

use crate::Start;
use crate::error::Shown;
use crate::following::alike;
use crate::following::entry::Entry;
use crate::following::expand;
use crate::following::file::{self, Found, LogFile, Look, Piece};
use crate::following::files::{Asker, Begin};
use crate::following::identity::{FileId, Position};
use crate::following::log::Common;
use crate::following::path::FullPath;
use crate::following::siblings::{self, Between, Sibling};
use crate::waking::Departed;
use crate::waking::watch::SourceWatch;

/// How soon the table is asked again whether a file is a copy: the log of the original
/// has not looked yet.
const AGAIN: Duration = Duration::from_secs(1);

/// The files of one log.
#[derive(Debug)]
pub(crate) struct Follow {
    /// The number of the log in its plan.
    log: usize,
    path: Arc<Path>,
    /// The path as the table of files knows it.
    home: FullPath,
    /// Whether a person has named the path; a pattern has found it otherwise.
    by_name: bool,
    /// The oldest first. The last is the one that the path names, if `named`.
    files: Vec<LogFile>,
    /// Whether the path names the last file.
    named: bool,
    /// All files that had the path before are in the table.
    named_at: SystemTime,
    /// Half lines of files that have ended. They are handed out next.
    ended: VecDeque<Piece>,
    /// Files that are let go once their lines are written. Each stays open until then, so
    /// that its inode is not given to another file, which those lines would be noted of.
    leaving: Vec<LogFile>,
    watch: Option<SourceWatch>,
    common: Arc<Common>,
    /// The last warning about the path, so that it is given once.
    said: Option<String>,
    /// Whether the name is watched since the last look.
    newly_watched: bool,
}

/// The name that a log follows.
#[derive(Debug)]
pub(crate) struct Name {
    pub(crate) path: Arc<Path>,
    /// The path as the table of files knows it.
    pub(crate) home: FullPath,
    /// Whether a person has named the path; a pattern has found it otherwise.
    pub(crate) by_name: bool,
}

/// What the table has said of a file that was opened.
enum Taken {
    /// This log reads it.
    Mine(LogFile),
    /// Another log reads it. It is held open all the same, so that its inode is
    /// not given to another file.
    Held(LogFile),
    /// Nobody reads it, for this reason.
    No(&'static str),
    /// The table can answer in a moment.
    Later,
}

/// What came of the beginning of a log.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Begun {
    /// It follows its path.
    Yes,
    /// There is nothing to follow: another log reads the file, or nobody does.
    No,
    /// The caller tries again in a moment.
    Later,
}

impl Follow {
    /// Follows a name, whose file is not begun yet. The files that this log had read at
    /// the checkpoint come first, whatever their names are now. `named` is the file
    /// that has the name.
    pub(crate) fn new(
        log: usize,
        Name { path, home, by_name }: Name,
        named: Option<FileId>,
        began: SystemTime,
        watch: Option<SourceWatch>,
        common: &Arc<Common>,
    ) -> io::Result<Follow> {
        let (remembered, named_at) = common.files.follow(&home, began);
        let mut follow = Follow {
            log,
            path,
            home,
            by_name,
            files: Vec::with_capacity(1),
            named: false,
            named_at,
            ended: VecDeque::new(),
            leaving: Vec::new(),
            watch,
            common: Arc::clone(common),
            said: None,
            newly_watched: false,
        };
        for entry in remembered {
            if named.is_none_or(|named| named.inode != entry.position.file.inode) {
                follow.remember(&entry)?;
            }
        }
        Ok(follow)
    }

    /// Finds a file again that was read when the checkpoint was written.
    fn remember(&mut self, entry: &Entry) -> io::Result<()> {
        if let Some(found) = entry.find() {
            if let Taken::Mine(mut file) = self.take(&found.path, true, found.file, found.id)? {
                file.fresh = false;
                self.files.push(file);
            }
        } else {
            self.said = Some(format!(
                "what it named at the checkpoint was rotated away and is gone; \
                 {} bytes of that were merged, any more are lost",
                entry.position.offset
            ));
        }
        Ok(())
    }

    /// Begins with the file that the path names, if any. A new file is begun at
    /// `start`. `began` is when the merge began to open files: a file that came later
    /// is a successor.
    pub(crate) fn begin(
        &mut self,
        named: Option<(File, FileId)>,
        start: Start,
        began: SystemTime,
    ) -> io::Result<Begun> {
        let lost = self.said.take();
        let Some((file, id)) = named else {
            if lost.is_none() {
                // The shell passes on a pattern that fits nothing.
                let wild = self.path.as_os_str().as_encoded_bytes().contains(&b'*');
                let what = if wild {
                    "a file of that very name, since --watch takes patterns"
                } else {
                    "it"
                };
                warn!("{}: no such file; waiting for {what}", Shown(&self.path));
            }
            self.say_lost(lost, None);
            return Ok(Begun::Yes);
        };
        let had_others = !self.files.is_empty() || self.named_at < began;
        if had_others && !self.common.files.knows(id, &file.metadata()?) {
            self.take_siblings(&file)?;
        }
        match self.take(&Arc::clone(&self.path), self.by_name, file, id)? {
            Taken::Mine(mut file) => {
                self.say_lost(lost, Some(&file));
                if start != Start::Beginning && file.fresh && self.files.is_empty() {
                    file.skip_to(start)?;
                    file.fresh = false;
                    // The next run begins here, too, also if no line comes until then.
                    self.common.files.begins_at(file.position());
                }
                self.files.push(file);
            }
            Taken::Held(file) if self.by_name => self.files.push(file),
            // It has files of its own, and asks once more what the path names.
            _ if !self.files.is_empty() => return Ok(Begun::Yes),
            Taken::Later => return Ok(Begun::Later),
            Taken::No(_) | Taken::Held(_) => return Ok(Begun::No),
        }
        self.named = true;
        self.all_known(began);
        Ok(Begun::Yes)
    }

    /// Says that a file is gone, unless it has come back as another one.
    fn say_lost(&self, lost: Option<String>, named: Option<&LogFile>) {
        if let Some(lost) = lost
            && named.is_none_or(|file| file.fresh)
        {
            warn!("{}: {lost}", Shown(&self.path));
        }
    }

    /// Returns the path as the table of files knows it.
    pub(crate) fn home(&self) -> &FullPath {
        &self.home
    }

    /// Tells whether nothing is left to read or to wait for, but for a new file
    /// of this name.
    pub(crate) fn is_over(&self) -> bool {
        !self.named && self.files.is_empty() && self.ended.is_empty() && self.leaving.is_empty()
    }

    /// Lets the files go that have nothing left to read. Call it only when nobody holds
    /// lines of this log: the checkpoint may then say that the output has all of them.
    pub(crate) fn take_leave(&mut self) {
        // Before the last round, while another log has its turn: a half line is not
        // handed out yet.
        if !self.ended.is_empty() {
            return;
        }
        for file in self.leaving.drain(..) {
            self.common.files.let_go(file.position(), file.is_deleted(), file.lies().as_deref());
        }
    }

    /// Begins a round: measures each file. Returns true if there is something to
    /// read.
    pub(crate) fn begin_round(&mut self) -> io::Result<bool> {
        let mut more = !self.ended.is_empty();
        for index in (0..self.files.len()).rev() {
            let file = &mut self.files[index];
            if file.anothers {
                more |= self.take_over(index)?;
                continue;
            }
            match file.measure()? {
                Look::End => {}
                Look::More => more = true,
                Look::Rewritten => {
                    self.restart(index)?;
                    more = true;
                }
            }
        }
        Ok(more)
    }

    /// Reads up to where the round ends, the oldest file first; `None` at its
    /// end. With `last`, half lines are handed out, too: nothing comes after.
    pub(crate) fn read(&mut self, chunk: usize, last: bool) -> io::Result<Option<Piece>> {
        let mut index = 0;
        loop {
            if let Some(piece) = self.ended.pop_front() {
                return Ok(Some(piece));
            }
            if index == self.files.len() {
                return Ok(None);
            }
            if index > 0 && self.files[index].take_fresh() {
                self.go_on_in(index)?;
            }
            let file = &mut self.files[index];
            if !file.anothers {
                let found = file.read(chunk, self.common.max_line);
                match found? {
                    Found::Lines(piece) => return Ok(Some(piece)),
                    Found::Nothing if last => {
                        let Common { max_line, checkpointed, .. } = *self.common;
                        if let Some(piece) = file.last_line(chunk, max_line, checkpointed)? {
                            return Ok(Some(piece));
                        }
                    }
                    Found::Nothing => {}
                    Found::Rewritten => {
                        self.restart(index)?;
                        continue;
                    }
                }
            }
            index += 1;
        }
    }

    /// Returns the file that the path names, if it is the only one and there is
    /// nothing to do but to read on in it.
    pub(crate) fn only_file(&mut self) -> Option<&mut LogFile> {
        let done = self.ended.is_empty() && self.leaving.is_empty();
        match &mut self.files[..] {
            [file] if self.named && done && !file.anothers => Some(file),
            _ => None,
        }
    }

    /// Tells whether the path still names the only file, and all changes of both are
    /// notified from now on.
    pub(crate) fn is_watched(&self) -> bool {
        let mut watches = self.files.iter().map(|file| &file.watch);
        watches.all(|it| it.as_ref().is_some_and(|watch| watch.is_armed()))
            && self.watch.as_ref().is_some_and(SourceWatch::is_named_now)
    }

    /// Warns if a file begins with bytes that do not begin a line of text.
    pub(crate) fn say_if_odd(&self, first: &[u8]) {
        let what = match first {
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
                "UTF-16, whose lines are cut in the middle of characters; convert it first, with \
                 `iconv -f UTF-16 -t UTF-8`"
            }
            [0, ..] => "a NUL: this is no text, or its writer did not append when it was truncated",
            _ => return,
        };
        warn!("{}: it begins with {what}", Shown(&self.path));
    }

    /// Asks which file the path names now. Returns true if that is another file: it is
    /// now the last of the files, and a new round is due.
    pub(crate) fn successor(&mut self) -> io::Result<bool> {
        let now = SystemTime::now();
        // Asked before the look at the name, and forgotten after it: a file that loses
        // the name in between is not forgotten.
        if self.newly_watched
            && let Some(watch) = &self.watch
        {
            watch.departed();
        }
        let (file, id) = match self.lookup() {
            Ok(Some(found)) => found,
            Ok(None) => {
                self.is_named(now);
                if std::mem::take(&mut self.newly_watched)
                    && let Some(watch) = &self.watch
                {
                    // From then on the kernel tells exactly which files lose the name.
                    watch.forget_departed();
                }
                return Ok(false);
            }
            Err(cause) => {
                self.nameless(&cause);
                return Ok(false);
            }
        };
        // An older file that got its name back, perhaps while it waits to be let go.
        let older = |files: &mut Vec<LogFile>| {
            let index = files.iter().position(|file| file.id() == id)?;
            Some(files.remove(index))
        };
        let left = older(&mut self.leaving);
        let more = left.is_some();
        if let Some(file) = left.or_else(|| older(&mut self.files)) {
            self.nameless(&io::ErrorKind::NotFound.into());
            self.files.push(file);
            self.is_named(now);
            return Ok(more);
        }
        let known = self.files.len();
        // Files that came in between are claimed first: they are older.
        self.take_siblings(&file)?;
        if self.files[known..].iter().any(|file| file.id() == id) {
            // It has lost the name since it was opened, and was taken as one of them.
            self.lost_its_name(known);
            return Ok(true);
        }
        let next = match self.take(&Arc::clone(&self.path), self.by_name, file, id)? {
            Taken::Mine(file) | Taken::Held(file) => file,
            Taken::No(why) => {
                self.nameless(&io::Error::other(why));
                return Ok(self.files.len() > known);
            }
            Taken::Later => {
                if let Some(watch) = &mut self.watch {
                    watch.wake_at(Instant::now().checked_add(AGAIN));
                }
                return Ok(self.files.len() > known);
            }
        };
        self.lost_its_name(known);
        self.files.push(next);
        self.is_named(now);
        Ok(true)
    }

    /// Lets a file go that has lost its name and has been quiet for a while.
    /// Returns true if there was one: look again.
    ///
    /// Call it only when all has been read.
    pub(crate) fn let_go(&mut self) -> bool {
        let nameless = self.files.len() - usize::from(self.named);
        let is_quiet = |file: &LogFile| file.grew.elapsed() >= self.common.quiet;
        let Some(index) = self.files[..nameless].iter().position(is_quiet) else { return false };
        self.release(index);
        true
    }

    /// Reads a file no more, and ends its half line. If another log follows the name that
    /// the file has now, its rest may come: that log reads on from where the line begins.
    fn release(&mut self, index: usize) {
        let mut file = self.files.remove(index);
        let followed = |path: PathBuf| self.common.files.is_followed(&FullPath::of(&path));
        let is_left = file.has_half_line()
            && file.lies().is_some_and(followed)
            && file.unread_half_line().is_ok();
        if !is_left {
            self.ended.extend(file.end_line());
        }
        if !file.anothers {
            file.watch = None;
            self.leaving.push(file);
        }
    }

    /// Has changes notified. Returns true if they were not until now: something may
    /// have come in between.
    pub(crate) fn arm(&mut self) -> bool {
        let Some(watch) = &mut self.watch else { return false };
        let mut new = watch.arm_name();
        self.newly_watched |= new;
        // A name that leads to something else, or to nothing that can be
        // opened, may change without an event in its folder.
        let mut armed = watch.is_named() && (self.named || self.said.is_none());
        for file in &mut self.files {
            let mut armer = file.watch.take();
            new |= watch.arm_file(file.file(), &mut armer);
            armed &= armer.as_ref().is_some_and(|armer| armer.is_armed());
            file.watch = armer;
        }
        watch.poll(!armed);
        let nameless = self.files.len() - usize::from(self.named);
        if let Some(grew) = self.files[..nameless].iter().map(|file| file.grew).min() {
            watch.wake_at(grew.checked_add(self.common.quiet));
        }
        new
    }

    /// Gives back what is not needed at rest.
    pub(crate) fn rest(&mut self) {
        self.files.iter_mut().for_each(LogFile::rest);
    }

    /// Opens the files anew after a transient error (`ESTALE`). A file that cannot be
    /// opened again is let go, and its half line ended.
    pub(crate) fn reopen(&mut self, cause: &io::Error) {
        warn!("{}: {cause}; opening it again", Shown(&self.path));
        let mut index = 0;
        while index < self.files.len() {
            let again = self.open();
            let file = &mut self.files[index];
            match again {
                Ok((again, id)) if id == file.id() => file.reopened(again),
                _ if file.file().metadata().is_ok() => {}
                _ => {
                    self.release(index);
                    self.named &= index < self.files.len();
                    continue;
                }
            }
            index += 1;
        }
    }

    fn open(&self) -> io::Result<(File, FileId)> {
        if self.by_name { file::open(&self.path) } else { expand::open_trusted(&self.path) }
    }

    /// Opens what the path names; `None` if that is the last file.
    fn lookup(&self) -> io::Result<Option<(File, FileId)>> {
        let last = self.files.last().map(LogFile::id);
        let named = FileId::of(&fs::metadata(&self.path)?);
        if last == Some(named) {
            return Ok(None);
        }
        let (file, id) = self.open()?;
        Ok((last != Some(id)).then_some((file, id)))
    }

    /// Asks the table for a file that was opened at `path`.
    fn take(&self, path: &Path, by_name: bool, file: File, id: FileId) -> io::Result<Taken> {
        let asker = Asker { log: self.log, home: &self.home, path, named: by_name };
        let begin = self.common.files.begin(asker, &file, id)?;
        let mut file = LogFile::new(file, id, self.common.checkpointed);
        Ok(match begin {
            Begin::Read { from, read } => {
                file.fresh = from.is_none();
                file.read = read;
                from.into_iter().for_each(|position| file.begin_at(position));
                Taken::Mine(file)
            }
            Begin::Anothers => {
                file.anothers = true;
                Taken::Held(file)
            }
            Begin::No(why) => Taken::No(why),
            Begin::Later => Taken::Later,
        })
    }

    /// Takes on the files that got the name after the last look and have lost it
    /// again.
    fn take_siblings(&mut self, next: &File) -> io::Result<()> {
        let last = self.files.last();
        let known = |id, metadata: &Metadata| self.common.files.knows(id, metadata);
        let watch = self.watch.as_ref();
        let told = watch.and_then(|watch| departed(watch, &self.path, last, known));
        let found = told.unwrap_or_else(|| {
            let last = last.map(LogFile::file);
            let found = siblings::between(&self.path, last, next, self.named_at, known);
            watch.inspect(|watch| watch.forget_gap());
            found
        });
        // Of `app.log.1` and `app.log.2`, which a pattern has found, each is found by it
        // whatever its number is.
        let own = without_number(self.home.name());
        let is_found = |name: &OsString| !self.by_name && without_number(name) == own;
        if let Some(name) = found.unknown_name.filter(|name| !is_found(name)) {
            warn!(
                "{}: the file that had this name is called {} now; files that had the name \
                 since, and have lost it again, are not known by such names and not merged",
                Shown(&self.path),
                Shown(Path::new(&name))
            );
        }
        for sibling in found.files {
            let Sibling { path, file, id } = sibling;
            let again = file.try_clone()?;
            let taken = match self.take(&path, false, file, id)? {
                // It had the name of the log: a copy never has.
                Taken::Later => self.take(&path, true, again, id)?,
                taken => taken,
            };
            if let Taken::Mine(file) = taken {
                self.files.push(file);
            }
        }
        Ok(())
    }

    /// Notes that the path names the last file, and that all before are known.
    fn is_named(&mut self, at: SystemTime) {
        self.named = true;
        self.said = None;
        self.all_known(at);
    }

    fn all_known(&mut self, at: SystemTime) {
        self.named_at = at;
        if self.common.checkpointed {
            self.common.files.all_known(&self.home, at);
        }
    }

    /// Notes that the path does not name the last of the first `known` files.
    fn lost_its_name(&mut self, known: usize) {
        if std::mem::replace(&mut self.named, false)
            && let Some(last) = known.checked_sub(1)
        {
            self.files[last].grew = Instant::now();
        }
    }

    /// Notes that the path does not name the last file, and says why, once.
    fn nameless(&mut self, cause: &io::Error) {
        self.lost_its_name(self.files.len());
        // A file that is not there may come back: nothing to do.
        if [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory].contains(&cause.kind()) {
            self.said = None;
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

    /// Goes back in a file that was rewritten under us.
    fn restart(&mut self, index: usize) -> io::Result<()> {
        let file = &mut self.files[index];
        let (before, unread) = (file.position(), file.unread());
        let (from, line) = file.restart()?;
        self.ended.extend(line);
        if from > 0 {
            self.common.files.begins_at(file.position());
            warn!(
                "{}: changed before byte {}, handing it out again from byte {from}",
                Shown(&self.path),
                before.offset
            );
        } else {
            self.common.files.truncated(&before);
            warn!(
                "{}: truncated or rewritten, reading it from its start; \
                 {unread} bytes are known to be lost unread, \
                 and what was written since the last look",
                Shown(&self.path)
            );
        }
        file.measure().map(|_| ())
    }

    /// Reads on in a file that another log has let go. Returns true if it has.
    fn take_over(&mut self, index: usize) -> io::Result<bool> {
        let file = &self.files[index];
        let (again, id) = (file.file().try_clone()?, file.id());
        // The other log has read all of a file that is deleted and forgotten.
        if !self.common.files.knows(id, &again.metadata()?) {
            return Ok(false);
        }
        let Taken::Mine(mut file) = self.take(&Arc::clone(&self.path), true, again, id)? else {
            return Ok(false);
        };
        let more = file.measure()? != Look::End;
        self.files[index] = file;
        Ok(more)
    }

    /// Reads on in a new file where the file before it ended, if the old one is deleted
    /// and the new one has all its lines. Programs such as rsync write a longer file
    /// beside the old one and rename it.
    fn go_on_in(&mut self, index: usize) -> io::Result<()> {
        let (before, after) = self.files.split_at_mut(index);
        let (last, file) = (&mut before[index - 1], &mut after[0]);
        if file.anothers || !last.is_deleted() {
            return Ok(());
        }
        let position = last.whole_lines()?;
        match alike::repeats(file.file(), &position)? {
            Some(true) => {
                info!("{}: replaced by a file with the same lines, read on", Shown(&self.path));
                last.leave_half_line();
                let position = Position { file: file.id(), ..position };
                self.common.files.begins_at(position.clone());
                file.begin_at(position);
            }
            Some(false) => warn!(
                "{}: replaced by a file that begins with the same lines; read from its start",
                Shown(&self.path)
            ),
            None => {}
        }
        Ok(())
    }
}

/// Returns a name without the number at its end.
fn without_number(name: &OsStr) -> &[u8] {
    let digits = name.as_bytes().iter().rev().take_while(|it| it.is_ascii_digit()).count();
    &name.as_bytes()[..name.len() - digits]
}

/// Opens the files that have lost the name, as the kernel tells, and are not `known`:
/// the oldest first. `None` if the name was not watched all the time.
fn departed(
    watch: &SourceWatch,
    path: &Path,
    last: Option<&LogFile>,
    known: impl Fn(FileId, &Metadata) -> bool,
) -> Option<Between> {
    let mut found = Between::default();
    loop {
        let Departed::Known { paths, unseen } = watch.departed() else { return None };
        let open = |path: &PathBuf| {
            let (file, id) = file::open(path).ok()?;
            Some(Sibling { path: path.clone(), file, id })
        };
        found.files = paths.iter().filter_map(open).collect();
        // Renamed meanwhile, and another file was opened perhaps: once more.
        if watch.departed() == (Departed::Known { paths, unseen }) {
            // The last file, which is open, need not be found.
            let held = last.is_some_and(|last| found.files.iter().all(|it| it.id != last.id()));
            if unseen > usize::from(held) {
                warn!(
                    "{}: {} files that had this name were moved to where nobody watches, or \
                     deleted, and are not merged if nobody had read them before",
                    Shown(path),
                    unseen - usize::from(held)
                );
            }
            let is_known = |it: &Sibling| it.file.metadata().is_ok_and(|data| known(it.id, &data));
            found.files.retain(|sibling| !is_known(sibling));
            watch.forget_departed();
            return Some(found);
        }
    }
}
