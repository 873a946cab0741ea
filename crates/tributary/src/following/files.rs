//! The table of files: how far each file has been read, whatever its names are.
//!
//! An offset belongs to a file and never to a path. Whoever opens a file asks
//! the table where to begin ([`Files::begin`]): at its start, where somebody
//! else stood, or not at all, because another log reads it. The checkpoint is
//! this table on disk, so the next merge asks the same table.
//!
//! A file is recognised by its inode, its birth and the bytes before its
//! offset. The device number is a hint only: a boot renumbers devices. A file
//! of another inode is recognised by its bytes alone, where it can be nothing
//! but a restored or a copied file.
//!
//! A file that was let go stays in the table until it is gone from its folder,
//! so that neither this merge nor the next one reads it again. The last file of
//! a name stays for a week, in case it is restored from a backup.

use std::borrow::Borrow;
use std::collections::{HashMap, HashSet};
use std::fs::{self, File, Metadata};
use std::hash::Hash;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::DirEntryExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tracing::warn;

use crate::Lines;
use crate::error::Shown;
use crate::following::alike::{self, Alike, stands_in};
use crate::following::identity::{Before, FileId, Fingerprint, Position};
use crate::following::siblings;
use crate::keeping::saver::Saver;

/// How long a file stays in the table that cannot be found in its folder.
const MISSING: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How many truncations of a file are remembered.
const TRUNCATIONS: usize = 16;

/// All files that a merge has read, reads or has let go.
#[derive(Debug, Default)]
pub(crate) struct Files(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    /// The output, and when it was made.
    output: Option<(FileId, Option<SystemTime>)>,
    /// The name of the checkpoint: neither it nor its temporary files are logs.
    checkpoint: Option<PathBuf>,
    files: HashMap<FileId, Entry>,
    /// The files of each home, the oldest first.
    of_home: HashMap<Arc<Path>, Vec<FileId>>,
    /// The files that were opened at each place, where that is not their home.
    of_place: HashMap<Arc<Path>, Vec<FileId>>,
    /// Entries of the checkpoint that were not seen yet in this run, by inode.
    loaded: HashMap<u64, Vec<FileId>>,
    homes: HashMap<Arc<Path>, Home>,
    /// Files that were let go as the last ones of their homes, and are deleted.
    deleted: HashSet<FileId>,
    /// How many files were claimed so far.
    ranks: u64,
    /// How many entries the last [`Files::forget_the_gone`] has left.
    kept: usize,
    /// The length of the output up to the last append.
    length: u64,
    /// What differs from the checkpoint.
    changed_files: HashSet<FileId>,
    changed_homes: HashSet<Arc<Path>>,
    /// Whether that is a reason to save.
    news: bool,
    /// Saves what no append saves.
    saver: Option<Saver>,
}

/// What a save of the checkpoint is to hold.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Wanted {
    /// The whole table, in any case.
    All,
    /// If there is news, that alone or the whole table.
    News { whole: bool },
}

/// What is to be written to the checkpoint; `None` for what is forgotten.
#[derive(Debug)]
pub(crate) struct Changes<'a> {
    pub(crate) files: Vec<(FileId, Option<&'a Entry>)>,
    pub(crate) homes: Vec<(&'a Path, Option<SystemTime>)>,
    pub(crate) output: FileId,
    pub(crate) length: u64,
}

/// One file.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// How far its lines are in the output.
    pub(crate) position: Position,
    /// When it was made, where the file system knows.
    pub(crate) born: Option<SystemTime>,
    /// The path of the log that reads it, or has read it: absolute, as given.
    pub(crate) home: Arc<Path>,
    /// Where that path led to, through links, when the file was opened.
    pub(crate) place: Arc<Path>,
    /// How many files were claimed before: the order of the files of a home.
    pub(crate) rank: u64,
    pub(crate) reader: Reader,
    /// How far it had been read each time that it was truncated, the last time
    /// last: what copies hold that were made just before.
    pub(crate) truncations: Vec<Fingerprint>,
}

/// Who reads a file.
#[derive(Debug, Clone)]
pub(crate) enum Reader {
    /// A log of this merge, and how far it has read.
    Log(usize, Arc<ReadTo>),
    /// The log of its home read it when the checkpoint was written.
    Before,
    /// Nobody, since then.
    LetGo(SystemTime),
    /// Nobody: the file is a copy of another one.
    Copy,
}

/// How far a log has read a file, for those who ask the table.
#[derive(Debug, Default)]
pub(crate) struct ReadTo(Mutex<Fingerprint>);

impl ReadTo {
    pub(crate) fn set(&self, fingerprint: Fingerprint) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = fingerprint;
    }

    pub(crate) fn get(&self) -> Fingerprint {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is known of the path of a log.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Home {
    /// All files that had this path before are in the table.
    pub(crate) at: SystemTime,
    /// Whether a log of this merge follows the path.
    pub(crate) followed: bool,
}

/// The answer to a log that has opened a file.
#[derive(Debug)]
pub(crate) enum Begin {
    /// Read it from its start; note there how far that is.
    Start(Arc<ReadTo>),
    /// Read on at this position.
    At(Position, Arc<ReadTo>),
    /// Leave it alone: another log reads it.
    Anothers,
    /// Leave it alone: its lines are those of another file.
    Copy,
    /// Leave it alone: the output or the checkpoint of this merge.
    Ours,
    /// Ask again in a moment: whether this is a copy cannot be known before
    /// the log of the other file has looked at it.
    Later,
}

/// Who asks for a file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asker<'a> {
    pub(crate) log: usize,
    pub(crate) home: &'a Arc<Path>,
    /// The path by which the file was opened.
    pub(crate) path: &'a Path,
    /// Whether a person has named the file: it is then no copy to be left out.
    pub(crate) named: bool,
}

impl Files {
    /// Begins with what a checkpoint has kept, if there was one.
    pub(crate) fn new(
        entries: impl IntoIterator<Item = Entry>,
        homes: impl IntoIterator<Item = (Arc<Path>, SystemTime)>,
    ) -> Files {
        let mut table = Table::default();
        let mut entries: Vec<_> = entries.into_iter().collect();
        entries.sort_by_key(|entry| entry.rank);
        for entry in entries {
            let id = entry.position.file;
            table.loaded.entry(id.inode).or_default().push(id);
            table.insert(entry);
        }
        let home = |at| Home { at, followed: false };
        table.homes = homes.into_iter().map(|(path, at)| (path, home(at))).collect();
        Files(Mutex::new(table))
    }

    /// Says which file is the output and how long it is. What was the output of
    /// this path before is no log either.
    pub(crate) fn output(&self, path: &Path, file: &File, length: u64) {
        // Of an open file that is always known.
        let Ok(metadata) = file.metadata() else { return };
        let now = (FileId::of(&metadata), metadata.created().ok());
        let mut table = self.table();
        if let Some((before, born)) = table.output.replace(now)
            && before != now.0
        {
            let home: Arc<Path> = home(path).into();
            let position = Position::start(before);
            let (place, reader) = (Arc::clone(&home), Reader::Copy);
            table.insert(Entry {
                position,
                born,
                home,
                place,
                rank: 0,
                reader,
                truncations: Vec::new(),
            });
        }
        table.length = length;
        table.news();
    }

    /// Has what changes from now on saved, also if no append comes after it.
    pub(crate) fn saved_by(&self, saver: Saver) {
        let mut table = self.table();
        if table.news {
            saver.soon();
        }
        table.saver = Some(saver);
    }

    /// Says where the checkpoint is kept.
    pub(crate) fn checkpoint(&self, path: &Path) {
        self.table().checkpoint = Some(home(path));
    }

    /// Tells whether a file is the output or the checkpoint of the merge.
    pub(crate) fn is_ours(&self, id: FileId, path: &Path) -> bool {
        let table = self.table();
        if table.is_output(id) {
            return true;
        }
        let Some(checkpoint) = table.checkpoint.clone() else { return false };
        drop(table);
        let is = |path: &Path| fs::metadata(path).is_ok_and(|it| FileId::of(&it) == id);
        is(&checkpoint) || is_temporary(&checkpoint, path)
    }

    /// Has a log follow a path; answers with what the checkpoint says that it
    /// read, the oldest file first, and since when that is all.
    pub(crate) fn follow(&self, path: &Arc<Path>, now: SystemTime) -> (Vec<Entry>, SystemTime) {
        let mut table = self.table();
        let home = table.homes.entry(Arc::clone(path)).or_insert(Home { at: now, followed: true });
        home.followed = true;
        let at = home.at;
        table.changed_home(path);
        table.news();
        let mut entries = table.of(table.of_home.get(path));
        entries.retain(|entry| matches!(entry.reader, Reader::Before));
        (entries, at)
    }

    /// Tells whether a log of this merge follows a path.
    pub(crate) fn is_followed(&self, home: &Path) -> bool {
        self.table().homes.get(home).is_some_and(|home| home.followed)
    }

    /// Forgets a path that no log follows any more.
    pub(crate) fn unfollow(&self, home: &Arc<Path>) {
        let mut table = self.table();
        table.homes.remove(home);
        let ids = table.of_home.get(home).cloned().unwrap_or_default();
        for id in ids {
            if table.deleted.remove(&id) {
                table.remove(id);
            }
        }
        table.changed_home(home);
        table.news();
    }

    /// Notes that all files are in the table that the path has named until `at`.
    pub(crate) fn all_known(&self, home: &Path, at: SystemTime) {
        if let Some(home) = self.table().homes.get_mut(home) {
            // Not written at once: an older time is only less exact.
            home.at = at;
        }
    }

    /// Answers a log that has opened a file: where it begins to read.
    ///
    /// # Blocking
    ///
    /// Reads some bytes of the file, and of those that it may be a copy of.
    /// No lock is held meanwhile.
    pub(crate) fn begin(&self, asker: Asker<'_>, file: &File, id: FileId) -> io::Result<Begin> {
        if self.is_ours(id, asker.path) {
            return Ok(Begin::Ours);
        }
        let metadata = file.metadata()?;
        let known = {
            let mut table = self.table();
            table.bury(id, &metadata);
            match table.recognise(id) {
                Some(entry) => match &entry.reader {
                    Reader::Log(log, _) if *log != asker.log => return Ok(Begin::Anothers),
                    Reader::Copy if !asker.named => return Ok(Begin::Copy),
                    _ => Some(entry.clone()),
                },
                None => None,
            }
        };
        let born = metadata.created().ok();
        let mut truncations = known.as_ref().map(|it| it.truncations.clone()).unwrap_or_default();
        let position = match &known {
            Some(entry) => {
                let fits = stands_in(file, &metadata, &entry.position)?;
                if !fits {
                    warn!(
                        "{}: rewritten since it was read, read from its start",
                        Shown(asker.path)
                    );
                    truncate(&mut truncations, &entry.position);
                }
                fits.then(|| entry.position.clone())
            }
            None => match self.alike(asker, file, &metadata)? {
                Alike::Nothing => None,
                Alike::Until(position) => Some(Position { file: id, ..position }),
                Alike::Copy => {
                    let position = Position::start(id);
                    let entry = Entry::new(asker, position, born, Reader::Copy);
                    self.table().insert(entry);
                    return Ok(Begin::Copy);
                }
                Alike::Later => return Ok(Begin::Later),
            },
        };
        let mut table = self.table();
        if let Some(Entry { reader: Reader::Log(log, _), .. }) = table.files.get(&id)
            && *log != asker.log
        {
            return Ok(Begin::Anothers);
        }
        let read = Arc::new(ReadTo::default());
        if let Some(Position { offset, before, .. }) = &position {
            read.set(Fingerprint::of(*offset, before));
        }
        let start = Position::start(id);
        let reader = Reader::Log(asker.log, Arc::clone(&read));
        let entry = Entry::new(asker, position.clone().unwrap_or(start), born, reader);
        table.insert(Entry { truncations, ..entry });
        Ok(match position {
            Some(position) => Begin::At(position, read),
            None => Begin::Start(read),
        })
    }

    /// Notes that lines are in the output, which is `length` bytes long now.
    pub(crate) fn appended(&self, lines: &Lines, length: u64) {
        let mut table = self.table();
        // Without a checkpoint nobody asks, and an offset alone says nothing.
        if let (Some(before), Some(entry)) = (&lines.before, table.files.get_mut(&lines.file)) {
            entry.position.offset = lines.end;
            entry.position.before = Before::clone(before);
        }
        table.length = length;
        table.changed(lines.file);
    }

    /// Notes that a file was truncated, and how far it had been read then. What
    /// is in the output of its new lines is noted with the first of them.
    pub(crate) fn truncated(&self, position: &Position) {
        let mut table = self.table();
        let id = position.file;
        if let Some(entry) = table.files.get_mut(&id) {
            truncate(&mut entry.truncations, position);
        }
        table.changed(id);
    }

    /// Notes that the lines before `position` are in the output already, since
    /// another file had them, too.
    pub(crate) fn begins_at(&self, position: Position) {
        let mut table = self.table();
        let id = position.file;
        if let Some(entry) = table.files.get_mut(&id) {
            entry.position = position;
        }
        table.changed(id);
    }

    /// Lets a file go, which has been read, and written, as far as `position`.
    pub(crate) fn let_go(&self, position: Position, gone: bool) {
        let mut table = self.table();
        let id = position.file;
        if let Some(entry) = table.files.get_mut(&id) {
            entry.position = position;
            entry.reader = Reader::LetGo(SystemTime::now());
        }
        table.changed(id);
        if gone && !table.is_last(id) {
            table.remove(id);
        } else if gone {
            table.deleted.insert(id);
        }
        let grown = table.files.len() > 2 * table.kept + 16;
        drop(table);
        if grown {
            self.forget_the_gone();
        }
    }

    /// Tells whether a log of this merge reads a file, or it is a copy.
    pub(crate) fn is_taken(&self, id: FileId) -> bool {
        let table = self.table();
        let reader = table.files.get(&id).map(|entry| &entry.reader);
        matches!(reader, Some(Reader::Log(..) | Reader::Copy)) || table.is_output(id)
    }

    /// Tells whether a file is in the table: this one, and not another that had
    /// its inode.
    pub(crate) fn knows(&self, id: FileId, metadata: &Metadata) -> bool {
        self.table().recognise(id).is_some_and(|entry| entry.has_birth(metadata))
    }

    /// Returns how far a file has been read, if a log reads it.
    pub(crate) fn read(&self, id: FileId) -> Option<u64> {
        match &self.table().files.get(&id)?.reader {
            Reader::Log(_, read) => Some(read.get().offset),
            _ => None,
        }
    }

    /// Returns how many files a log of this merge follows.
    pub(crate) fn followed(&self) -> usize {
        let table = self.table();
        table.files.values().filter(|entry| matches!(entry.reader, Reader::Log(..))).count()
    }

    /// Forgets files that nobody reads and that are gone from their folders.
    ///
    /// # Blocking
    ///
    /// Reads each folder in which such a file was. No lock is held meanwhile.
    pub(crate) fn forget_the_gone(&self) {
        let mut folders: HashMap<PathBuf, Vec<FileId>> = HashMap::new();
        for entry in self.table().files.values() {
            if !matches!(entry.reader, Reader::Log(..)) {
                let folder = siblings::folder(&entry.place);
                folders.entry(folder).or_default().push(entry.position.file);
            }
        }
        let mut missing = Vec::new();
        let mut unreadable = Vec::new();
        for (folder, ids) in folders {
            match fs::read_dir(&folder) {
                Ok(entries) => {
                    let there: HashSet<_> = entries.flatten().map(|entry| entry.ino()).collect();
                    missing.extend(ids.into_iter().filter(|id| !there.contains(&id.inode)));
                }
                Err(cause) if cause.kind() == io::ErrorKind::NotFound => missing.extend(ids),
                Err(_) => unreadable.extend(ids),
            }
        }
        let mut table = self.table();
        let now = SystemTime::now();
        for (id, may_be_last) in missing
            .into_iter()
            .map(|id| (id, true))
            .chain(unreadable.into_iter().map(|id| (id, false)))
        {
            let old = match table.files.get(&id).map(|entry| &entry.reader) {
                Some(Reader::LetGo(since)) => {
                    now.duration_since(*since).unwrap_or_default() > MISSING
                }
                Some(Reader::Log(..)) | None => continue,
                Some(Reader::Before | Reader::Copy) => false,
            };
            if old || (may_be_last && !table.is_last(id)) {
                table.remove(id);
            }
        }
        let Table { homes, of_home, changed_homes, .. } = &mut *table;
        homes.retain(|path, home| {
            let recent = now.duration_since(home.at).unwrap_or_default() < MISSING;
            let stays = home.followed || of_home.contains_key(path) || recent;
            if !stays {
                changed_homes.insert(Arc::clone(path));
            }
            stays
        });
        table.kept = table.files.len();
    }

    /// Lets the files go that the checkpoint speaks of and that no log has taken
    /// on, once all logs have begun. Those of a path that nobody follows this
    /// time stay as they are: the next merge may follow it again.
    pub(crate) fn begun(&self) {
        let mut table = self.table();
        let now = SystemTime::now();
        let Table { files, homes, changed_files, .. } = &mut *table;
        for (id, entry) in files {
            let followed = homes.get(&entry.home).is_some_and(|home| home.followed);
            if let Reader::Before = entry.reader
                && followed
            {
                entry.reader = Reader::LetGo(now);
                changed_files.insert(*id);
            }
        }
        drop(table);
        self.forget_the_gone();
    }

    /// Gives `write` what is wanted for the checkpoint; `None` if there is no
    /// news. What was given once is no news any more.
    pub(crate) fn changes<T>(
        &self,
        wanted: Wanted,
        write: impl FnOnce(Changes<'_>) -> T,
    ) -> Option<T> {
        let mut table = self.table();
        let whole = match wanted {
            Wanted::All => true,
            Wanted::News { .. } if !table.news => return None,
            Wanted::News { whole } => whole,
        };
        table.news = false;
        let files = std::mem::take(&mut table.changed_files);
        let homes = std::mem::take(&mut table.changed_homes);
        let ids: Vec<_> =
            if whole { table.files.keys().copied().collect() } else { files.into_iter().collect() };
        let paths: Vec<_> =
            if whole { table.homes.keys().cloned().collect() } else { homes.into_iter().collect() };
        let mut files: Vec<_> = ids.into_iter().map(|id| (id, table.files.get(&id))).collect();
        files.sort_by_key(|(_, entry)| entry.map(|entry| entry.rank));
        let at = |path: &Arc<Path>| table.homes.get(path).map(|home| home.at);
        let homes = paths.iter().map(|path| (&**path, at(path))).collect();
        let (output, length) = (table.output?.0, table.length);
        Some(write(Changes { files, homes, output, length }))
    }

    /// Has the next checkpoint written whole, since the last one failed.
    pub(crate) fn still_news(&self) {
        self.table().news();
    }

    /// Returns how many entries the table has.
    pub(crate) fn len(&self) -> usize {
        let table = self.table();
        table.files.len() + table.homes.len()
    }

    /// Looks for a file in the table whose bytes these are, although the inode
    /// is another: one that was restored or copied.
    fn alike(&self, asker: Asker<'_>, file: &File, metadata: &Metadata) -> io::Result<Alike> {
        let (restored, copied) = {
            let table = self.table();
            // Of a file that is still read, its log knows better how far that is.
            let free = |entry: &Entry| !matches!(entry.reader, Reader::Log(..));
            let mut restored = table.of(table.of_home.get(asker.home));
            restored.retain(free);
            let names = if asker.named { Vec::new() } else { alike::originals(asker.path) };
            let of_name = names.iter().flat_map(|name| {
                let at = [table.of_place.get(&**name), table.of_home.get(&**name)];
                at.into_iter().flatten().flatten()
            });
            let mut copied = table.of([of_name]);
            copied.retain(|entry| !matches!(entry.reader, Reader::Copy));
            (restored, copied)
        };
        if metadata.len() == 0 {
            // It may become a copy of a log: that is known with its first bytes.
            return Ok(if copied.is_empty() { Alike::Nothing } else { Alike::Later });
        }
        match alike::restored(asker.path, file, restored)? {
            Some(position) => Ok(Alike::Until(position)),
            None => alike::copied(asker.path, file, metadata, copied),
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn is_output(&self, id: FileId) -> bool {
        self.output.is_some_and(|(output, _)| output == id)
    }

    /// Finds a file by its inode; by its device, too, once it was seen.
    fn recognise(&mut self, id: FileId) -> Option<&Entry> {
        if !self.files.contains_key(&id)
            && let Some(ids) = self.loaded.get_mut(&id.inode)
            && let Some(index) = ids.iter().position(|other| other.device != id.device)
        {
            let other = ids.remove(index);
            if let Some(mut entry) = self.remove(other) {
                entry.position.file = id;
                self.insert(entry);
            }
        }
        self.files.get(&id)
    }

    /// Notes that the checkpoint says something else of a file.
    fn changed(&mut self, id: FileId) {
        if self.checkpoint.is_some() {
            self.changed_files.insert(id);
        }
        self.news();
    }

    fn changed_home(&mut self, home: &Arc<Path>) {
        if self.checkpoint.is_some() {
            self.changed_homes.insert(Arc::clone(home));
        }
    }

    /// Has a checkpoint saved soon.
    fn news(&mut self) {
        if !std::mem::replace(&mut self.news, true)
            && let Some(saver) = &self.saver
        {
            saver.soon();
        }
    }

    /// Takes the inode from a file that is gone, if another one has got it: its
    /// lines may come back in a file of another inode.
    fn bury(&mut self, id: FileId, metadata: &Metadata) {
        if self.recognise(id).is_some_and(|entry| !entry.has_birth(metadata))
            && let Some(mut entry) = self.remove(id)
        {
            // No file system has this number.
            entry.position.file = FileId { device: 0, inode: entry.rank };
            self.insert(entry);
        }
    }

    /// Returns the entries of these files, the oldest first.
    fn of<'a>(
        &self,
        ids: impl IntoIterator<Item = impl IntoIterator<Item = &'a FileId>>,
    ) -> Vec<Entry> {
        let ids = ids.into_iter().flatten();
        let mut entries: Vec<_> = ids.filter_map(|id| self.files.get(id)).cloned().collect();
        entries.sort_by_key(|entry| entry.rank);
        entries
    }

    /// Takes in a file. One that has no rank yet becomes the youngest.
    fn insert(&mut self, mut entry: Entry) {
        let id = entry.position.file;
        let old = self.remove(id).map(|old| old.truncations).unwrap_or_default();
        if entry.truncations.is_empty() {
            entry.truncations = old;
        }
        if entry.rank == 0 {
            entry.rank = self.ranks + 1;
        }
        self.ranks = self.ranks.max(entry.rank);
        self.changed_home(&entry.home);
        self.changed(id);
        self.of_home
            .entry(Arc::clone(&entry.home))
            .or_insert_with(|| Vec::with_capacity(1))
            .push(id);
        if entry.place != entry.home {
            self.of_place.entry(Arc::clone(&entry.place)).or_default().push(id);
        }
        self.files.insert(id, entry);
    }

    fn remove(&mut self, id: FileId) -> Option<Entry> {
        let entry = self.files.remove(&id)?;
        self.changed(id);
        drop_from(&mut self.of_home, &entry.home, id);
        drop_from(&mut self.of_place, &entry.place, id);
        Some(entry)
    }

    /// Tells whether a file is the youngest of a path that is followed.
    fn is_last(&self, id: FileId) -> bool {
        let Some(entry) = self.files.get(&id) else { return false };
        let last = self.of(self.of_home.get(&entry.home)).pop();
        self.homes.contains_key(&entry.home) && last.is_some_and(|last| last.position.file == id)
    }
}

/// Notes how far a file was read when it was truncated.
fn truncate(truncations: &mut Vec<Fingerprint>, position: &Position) {
    let fingerprint = Fingerprint::of(position.offset, &position.before);
    if position.offset > 0 && truncations.last() != Some(&fingerprint) {
        truncations.push(fingerprint);
        let old = truncations.len().saturating_sub(TRUNCATIONS);
        truncations.drain(..old);
    }
}

fn drop_from<K: Hash + Eq + Borrow<Q>, Q: Hash + Eq + ?Sized>(
    map: &mut HashMap<K, Vec<FileId>>,
    key: &Q,
    id: FileId,
) {
    if let Some(ids) = map.get_mut(key) {
        ids.retain(|other| *other != id);
        if ids.is_empty() {
            map.remove(key);
        }
    }
}

impl Entry {
    /// Tells whether a file of the same inode is the same file.
    pub(crate) fn is(&self, file: &File) -> io::Result<bool> {
        let metadata = file.metadata()?;
        Ok(self.has_birth(&metadata) && stands_in(file, &metadata, &self.position)?)
    }

    /// Tells whether the file is still in its folder, under whatever name.
    pub(crate) fn is_there(&self) -> bool {
        let found = siblings::find(&siblings::folder(&self.place), self.position.file);
        found.is_some_and(|found| self.is(&found.file).unwrap_or(false))
    }

    /// Tells whether a file is as old, as far as its file system knows: an inode
    /// is given to another file once its own is deleted.
    fn has_birth(&self, metadata: &Metadata) -> bool {
        same_birth(self.born, metadata)
    }

    fn new(
        asker: Asker<'_>,
        position: Position,
        born: Option<SystemTime>,
        reader: Reader,
    ) -> Entry {
        let (folder, name) = siblings::place(asker.path);
        let is_link = folder != siblings::folder(asker.path);
        let place = if !is_link && asker.home.file_name() == Some(&name) {
            // The path of the log itself: no other folder is to be resolved.
            Arc::clone(asker.home)
        } else {
            resolved(asker.path).into()
        };
        let home = Arc::clone(asker.home);
        Entry { position, born, home, place, rank: 0, reader, truncations: Vec::new() }
    }
}

/// Tells whether a file was made at `born`, as far as that is known.
pub(crate) fn same_birth(born: Option<SystemTime>, metadata: &Metadata) -> bool {
    match (born, metadata.created().ok()) {
        (Some(then), Some(now)) => then == now,
        _ => true,
    }
}

/// Returns a path in the form that is compared: absolute, its folder without
/// links. The last name stays as it is, whatever it leads to.
pub(crate) fn home(path: &Path) -> PathBuf {
    let folder = siblings::folder(path);
    let folder =
        fs::canonicalize(&folder).or_else(|_| std::path::absolute(&folder)).unwrap_or(folder);
    folder.join(path.file_name().unwrap_or_default())
}

/// Returns where a path leads, through links, in the form that is compared.
pub(crate) fn resolved(path: &Path) -> PathBuf {
    let (folder, name) = siblings::place(path);
    home(&folder.join(name))
}

/// Tells whether a path is that of a temporary file of the checkpoint.
fn is_temporary(checkpoint: &Path, path: &Path) -> bool {
    let path = home(path);
    let (Some(name), Some(other)) = (checkpoint.file_name(), path.file_name()) else {
        return false;
    };
    let prefix = [b".", name.as_bytes(), b"."].concat();
    path.parent() == checkpoint.parent()
        && other.as_bytes().starts_with(&prefix)
        && other.as_bytes().ends_with(b".new")
}
