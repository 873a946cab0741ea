//! The table of files: how far each file has been read, whatever its names are.
//!
//! An offset belongs to a file and never to a path. Whoever opens a file asks the table
//! where to begin ([`Files::begin`]): at its start, at the offset of an earlier reader,
//! or not at all, because another log reads it. The checkpoint is this table on disk,
//! so the next merge asks the same table.
//!
//! A file is recognised by its inode, its birth and the bytes before its
//! offset. The device number is a hint only: a boot renumbers devices. A file
//! of another inode is recognised by its bytes alone, where it can be nothing
//! but a restored or a copied file.
//!
//! A file that was let go stays in the table until it is gone from its folder,
//! so that neither this merge nor the next one reads it again. The last file of
//! a name stays for a week, in case it is restored from a backup.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::DirEntryExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tracing::warn;

use crate::error::Shown;
use crate::following::alike::{self, Alike, stands_in};
use crate::following::entry::{Entry, Line, ReadTo, Reader, SavedOutput, SavedStream};
use crate::following::identity::{Before, FileId, Position, Time, has_birth};
use crate::following::path::{self, FullPath};
use crate::keeping::saver::Saver;
use crate::lines::Origin;

/// How long a file that is missing from its folder stays in the table.
const MISSING: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// All files that a merge has read, reads or has let go.
#[derive(Debug, Default)]
pub(crate) struct Files(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    output: Option<SavedOutput>,
    /// The stream that is the output, or that its lines come from.
    stream: Option<SavedStream>,
    /// The checkpoint: neither it nor its temporary files are logs.
    checkpoint: Option<FullPath>,
    /// Boxed, since a map has room for up to twice as many entries.
    files: HashMap<FileId, Box<Entry>>,
    homes: HashMap<FullPath, Home>,
    /// Entries of the checkpoint that were not seen yet in this run, by inode.
    loaded: HashMap<u64, Vec<FileId>>,
    /// What the names of the output and of the checkpoint lead to, asked once for all
    /// logs that begin with the merge.
    ours: Option<Vec<FileId>>,
    /// How many files were claimed so far.
    ranks: u64,
    /// How many entries the last [`Files::forget_the_gone`] has left.
    kept: usize,
    /// What differs from the checkpoint.
    changed_files: HashSet<FileId>,
    changed_homes: HashSet<FullPath>,
    /// Whether the changes are a reason to save.
    news: bool,
    /// Saves the checkpoint.
    saver: Option<Saver>,
}

/// A path of a log, or where one leads.
#[derive(Debug, Default)]
struct Home {
    /// All files that had this path before are in the table; `None` if the path
    /// is followed no more.
    at: Option<Time>,
    /// Whether a log of this merge follows the path.
    followed: bool,
    /// The files of the log, and those that were opened here for another path.
    files: Vec<FileId>,
}

/// The answer to a log that has opened a file.
#[derive(Debug)]
pub(crate) enum Begin {
    /// Read it on from a position, or as a new file from its start; note the offset in
    /// `read`.
    Read { from: Option<Position>, read: Arc<ReadTo> },
    /// Leave it alone: another log reads it.
    Anothers,
    /// Leave it alone, for this reason.
    No(&'static str),
    /// Ask again in a moment: whether this is a copy cannot be known before
    /// the log of the other file has looked at it.
    Later,
}

const COPY: Begin = Begin::No("this is a copy of another log, it is not read");

/// Who asks for a file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asker<'a> {
    pub(crate) log: usize,
    pub(crate) home: &'a FullPath,
    /// The path by which the file was opened.
    pub(crate) path: &'a Path,
    /// Whether a person has named the file: then it is not left out as a copy.
    pub(crate) named: bool,
}

impl Files {
    /// Makes the table from the lines of a checkpoint.
    pub(crate) fn load(lines: Vec<Line>) -> Files {
        let mut table = Table::default();
        for line in lines {
            match line {
                Line::File(entry) => table.insert(entry),
                Line::Gone(id) => drop(table.remove(id)),
                Line::Home { path, at } => table.homes.entry(path).or_default().at = Some(at),
                Line::Left { path } => table.leave(&path),
                Line::Version(_) | Line::Output(_) => {}
            }
        }
        for id in table.files.keys() {
            table.loaded.entry(id.inode).or_default().push(*id);
        }
        Files(Mutex::new(table))
    }

    /// Says which file the output is and how long it is. A former output of this path
    /// is no log either. A stream has no path.
    pub(crate) fn output(&self, path: Option<&Path>, file: &File, length: u64) {
        // Of an open file that is always known.
        let Ok(metadata) = file.metadata() else { return };
        let (path, id) = (path.map(FullPath::of), FileId::of(&metadata));
        let born = Time::of_birth(&metadata);
        let now = SavedOutput { path: path.clone(), id, born, length, stream: None };
        let mut table = self.table();
        if let (Some(before), Some(path)) = (table.output.replace(now), path)
            && before.id != id
        {
            let entry = Entry::new(Position::start(before.id), before.born, path);
            table.insert(Entry { reader: Reader::Copy, ..entry });
        }
        table.save_soon();
    }

    /// Notes the stream that is the output, or whose lines are merged, and how far it
    /// is known.
    pub(crate) fn stream(&self, stream: SavedStream) {
        self.table().stream = Some(stream);
    }

    /// Notes when the stream was made; false if another time is known.
    pub(crate) fn stream_was_made(&self, at: &str) -> bool {
        let mut table = self.table();
        let Some(stream) = &mut table.stream else { return true };
        let known = stream.made.get_or_insert_with(|| at.to_owned()) == at;
        table.save_soon();
        known
    }

    /// Returns how far the stream is known.
    pub(crate) fn sequence(&self) -> u64 {
        self.table().stream.as_ref().map_or(0, |stream| stream.sequence)
    }

    /// Returns the full path of the log that reads a file, and the last message that
    /// any file of this log has in the stream.
    pub(crate) fn arrived_of(&self, file: FileId) -> Option<(PathBuf, u64)> {
        let table = self.table();
        let home = &table.files.get(&file)?.home;
        let sequences = table.of_home(home).into_iter().map(|entry| entry.sequence);
        Some((home.to_path_buf(), sequences.max().unwrap_or(0)))
    }

    /// Has `saver` save the changes from now on.
    pub(crate) fn saved_by(&self, saver: Saver) {
        let mut table = self.table();
        if table.news {
            saver.soon();
        }
        table.saver = Some(saver);
    }

    /// Says where the checkpoint is kept.
    pub(crate) fn checkpoint(&self, path: &Path) {
        self.table().checkpoint = Some(FullPath::of(path));
    }

    /// Tells whether a file is the output or the checkpoint of the merge, or has
    /// the name of one: after a rotation it is the output with the next append.
    pub(crate) fn is_ours(&self, id: FileId, path: &Path) -> bool {
        let table = self.table();
        if table.is_output(id) {
            return true;
        }
        let ours = table.ours.clone().ok_or_else(|| table.our_names());
        let checkpoint = table.checkpoint.clone();
        drop(table);
        ours.unwrap_or_else(lead_to).contains(&id)
            || checkpoint.is_some_and(|checkpoint| is_temporary(&checkpoint, path))
    }

    /// Notes that the first logs of the merge begin, until [`begun`](Files::begun).
    pub(crate) fn beginning(&self) {
        let names = self.table().our_names();
        let ours = lead_to(names);
        self.table().ours = Some(ours);
    }

    /// Has a log follow a path. Returns the files that it had read at the checkpoint,
    /// the oldest first, and the time up to which these are all files of the path.
    pub(crate) fn follow(&self, path: &FullPath, now: SystemTime) -> (Vec<Entry>, SystemTime) {
        let mut table = self.table();
        let home = table.homes.entry(path.clone()).or_default();
        home.followed = true;
        let at = *home.at.get_or_insert(now.into());
        table.changed_home(path);
        table.save_soon();
        let mut entries = table.of_home(path);
        entries.retain(|entry| matches!(entry.reader, Reader::Before));
        (entries, at.into())
    }

    /// Tells whether a log of this merge follows a path.
    pub(crate) fn is_followed(&self, home: &Path) -> bool {
        self.table().homes.get(home).is_some_and(|home| home.followed)
    }

    /// Forgets a path that no log follows any more, and its files that are
    /// deleted.
    pub(crate) fn unfollow(&self, path: &FullPath) {
        let mut table = self.table();
        for entry in table.of_home(path).iter().filter(|entry| entry.deleted) {
            table.remove(entry.id());
        }
        table.leave(path);
        table.changed_home(path);
        table.save_soon();
    }

    /// Takes back that a log follows a path. The next one takes on what it was to read.
    pub(crate) fn withdraw(&self, path: &FullPath, log: usize) {
        let mut table = self.table();
        for entry in table.of_home(path) {
            if matches!(entry.reader, Reader::Log(number, _) if number == log) {
                table.change(entry.id(), |entry| entry.reader = Reader::Before);
            }
        }
        drop(table);
        self.unfollow(path);
    }

    /// Notes that the table has all files that the path has named until `at`.
    pub(crate) fn all_known(&self, path: &Path, at: SystemTime) {
        if let Some(home) = self.table().homes.get_mut(path) {
            // No reason to save: an older time is only less exact.
            home.at = Some(at.into());
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
            return Ok(Begin::No("this is the output or the checkpoint, it is not read"));
        }
        let metadata = file.metadata()?;
        let known = {
            let mut table = self.table();
            table.bury(id, &metadata);
            table.recognise(id, &metadata).cloned()
        };
        let target = target_of(asker);
        let new = |position, reader| {
            let entry = Entry::new(position, Time::of_birth(&metadata), asker.home.clone());
            Entry { target, reader, ..entry }
        };
        let from = match known {
            Some(Entry { reader: Reader::Log(log, _), .. }) if log != asker.log => {
                return Ok(Begin::Anothers);
            }
            // Who has named a copy wants all of it.
            Some(Entry { reader: Reader::Copy, .. }) if asker.named => Some(Position::start(id)),
            Some(entry) if entry.is_copy(&metadata) => return Ok(COPY),
            // It is new, or has lines that it was not copied with.
            None | Some(Entry { reader: Reader::Copy, .. }) => {
                match self.alike(asker, file, &metadata)? {
                    Alike::Nothing => None,
                    Alike::Until(position) => Some(Position { file: id, ..position }),
                    Alike::Copy => {
                        let copied = Position::in_file(file, metadata.len())?;
                        self.table().insert(new(copied, Reader::Copy));
                        return Ok(COPY);
                    }
                    Alike::Later => return Ok(Begin::Later),
                }
            }
            Some(entry) if stands_in(file, &metadata, &entry.position)? => Some(entry.position),
            Some(entry) => {
                warn!("{}: rewritten since it was read, read from its start", Shown(asker.path));
                self.truncated(&entry.position);
                None
            }
        };
        let mut table = self.table();
        if let Some(Reader::Log(log, _)) = table.files.get(&id).map(|entry| &entry.reader)
            && *log != asker.log
        {
            return Ok(Begin::Anothers);
        }
        let read = Arc::new(ReadTo::default());
        let at = from.clone().unwrap_or(Position::start(id));
        read.set(at.offset, at.before.clone());
        table.insert(new(at, Reader::Log(asker.log, Arc::clone(&read))));
        Ok(Begin::Read { from, read })
    }

    /// Notes that lines are in the output, which is `length` bytes long now. If a
    /// stream is part of that, `sequence` is the message that they came, or arrived, as.
    pub(crate) fn appended(&self, origins: &[Origin], length: u64, sequence: Option<u64>) {
        let mut table = self.table();
        if let Some(output) = &mut table.output {
            output.length = length;
        }
        if let (Some(stream), Some(sequence)) = (&mut table.stream, sequence) {
            stream.sequence = stream.sequence.max(sequence);
            // Lines of a stream are in none of the files below.
            table.save_soon();
        }
        for Origin { file, end, before, .. } in origins {
            if let Some(sequence) = sequence
                && let Some(entry) = table.files.get_mut(file)
            {
                entry.sequence = sequence;
            }
            // Without a checkpoint nobody asks, and an offset alone says nothing.
            let Some(before) = before else { continue };
            if let Some(entry) = table.files.get_mut(file) {
                entry.position.offset = *end;
                entry.position.before = Before::clone(before);
            }
            table.changed(*file);
        }
    }

    /// Notes that a file was truncated, and how far it had been read then. Its new
    /// lines are noted from the first one in the output.
    pub(crate) fn truncated(&self, position: &Position) {
        self.table().change(position.file, |entry| entry.truncated(position));
    }

    /// Notes that the lines before `position` are not to be merged: another file had
    /// them, too, or the first run has left them out.
    pub(crate) fn begins_at(&self, position: Position) {
        self.table().change(position.file, |entry| entry.position = position);
    }

    /// Lets a file go, whose lines up to `position` are in the output. If it is known
    /// where it lies now, it is looked for there from now on: a pattern may find it in
    /// another folder.
    pub(crate) fn let_go(&self, position: Position, deleted: bool, lies: Option<&Path>) {
        let lies = lies.map(FullPath::of);
        let mut table = self.table();
        let id = position.file;
        table.moved(id, lies);
        table.change(id, |entry| {
            entry.position = position;
            entry.reader = Reader::LetGo(Time::now());
            entry.deleted = deleted;
        });
        if deleted && !table.is_last(id) {
            table.remove(id);
        }
        let grown = table.files.len() > 2 * table.kept + 16;
        drop(table);
        if grown {
            self.forget_the_gone();
        }
    }

    /// Tells whether a log of this merge reads a file, or the file is a copy or the
    /// output.
    pub(crate) fn is_taken(&self, id: FileId, metadata: &Metadata) -> bool {
        let table = self.table();
        let entry = table.files.get(&id);
        entry.is_some_and(|entry| entry.is_read() || entry.is_copy(metadata)) || table.is_output(id)
    }

    /// Tells whether a file is in the table: this one, and not another that had
    /// its inode.
    pub(crate) fn knows(&self, id: FileId, metadata: &Metadata) -> bool {
        self.table().known(id, metadata).is_some()
    }

    /// Returns how far a file has been read, if a log reads it.
    pub(crate) fn read(&self, id: FileId) -> Option<u64> {
        match &self.table().files.get(&id)?.reader {
            Reader::Log(_, read) => Some(read.offset()),
            _ => None,
        }
    }

    /// Tells whether a file is a log that was read, or the checkpoint.
    pub(crate) fn has_use_of(&self, id: FileId, metadata: &Metadata) -> bool {
        let mut table = self.table();
        let known = table.known(id, metadata);
        let is_log = known.is_some_and(|entry| !entry.is_former_output());
        let checkpoint = table.checkpoint.clone();
        drop(table);
        is_log || checkpoint.is_some_and(|path| FileId::at(&path) == Some(id))
    }

    /// Returns how many files a log of this merge follows.
    pub(crate) fn followed(&self) -> usize {
        let table = self.table();
        table.files.values().filter(|entry| entry.is_read()).count()
    }

    /// Forgets files that nobody reads and that are gone from their folders.
    ///
    /// # Blocking
    ///
    /// Reads each folder in which such a file was. No lock is held meanwhile.
    fn forget_the_gone(&self) {
        let mut folders: HashMap<PathBuf, Vec<FileId>> = HashMap::new();
        for entry in self.table().files.values().filter(|entry| !entry.is_read()) {
            folders.entry(entry.target().folder().to_owned()).or_default().push(entry.id());
        }
        // Each with whether it is certainly gone.
        let mut missing = Vec::new();
        for (folder, ids) in folders {
            let there = match fs::read_dir(&folder) {
                Ok(entries) => Some(entries.flatten().map(|it| it.ino()).collect::<HashSet<_>>()),
                Err(cause) if cause.kind() == io::ErrorKind::NotFound => Some(HashSet::new()),
                Err(_) => None,
            };
            let gone = |id: &FileId| there.as_ref().is_none_or(|there| !there.contains(&id.inode));
            missing.extend(ids.into_iter().filter(gone).map(|id| (id, there.is_some())));
        }
        let mut table = self.table();
        for (id, certain) in missing {
            let old = match table.files.get(&id).map(|entry| &entry.reader) {
                Some(Reader::LetGo(since)) => since.is_longer_ago_than(MISSING),
                Some(Reader::Before | Reader::Copy) => false,
                Some(Reader::Log(..)) | None => continue,
            };
            if old || (certain && !table.is_last(id)) {
                table.remove(id);
            }
        }
        let Table { homes, changed_homes, .. } = &mut *table;
        homes.retain(|path, home| {
            let old = home.at.is_none_or(|at| at.is_longer_ago_than(MISSING));
            let stays = home.followed || !home.files.is_empty() || !old;
            if !stays {
                changed_homes.insert(path.clone());
            }
            stays
        });
        table.kept = table.files.len();
    }

    /// Notes that all first logs have begun, and lets the files of the checkpoint go
    /// that none of them has taken on. Files of a path that no log follows this time
    /// stay: the next merge may follow it again.
    pub(crate) fn begun(&self) {
        let mut table = self.table();
        table.ours = None;
        let Table { files, homes, changed_files, .. } = &mut *table;
        for (id, entry) in files {
            let followed = homes.get(&entry.home).is_some_and(|home| home.followed);
            if followed && matches!(entry.reader, Reader::Before) {
                entry.reader = Reader::LetGo(Time::now());
                changed_files.insert(*id);
            }
        }
        drop(table);
        self.forget_the_gone();
    }

    /// Returns the lines to write to the checkpoint: the `whole` table, or what has
    /// changed since the last call. `None` if there is no news.
    pub(crate) fn news(&self, whole: bool) -> Option<Vec<Line>> {
        let mut table = self.table();
        if !std::mem::take(&mut table.news) {
            return None;
        }
        let mut ids = std::mem::take(&mut table.changed_files);
        let mut paths = std::mem::take(&mut table.changed_homes);
        if whole {
            ids = table.files.keys().copied().collect();
            paths = table.homes.keys().cloned().collect();
        }
        let mut files: Vec<_> = ids.into_iter().map(|id| (id, table.files.get(&id))).collect();
        files.sort_by_key(|(_, entry)| entry.map(|entry| entry.rank));
        let files = files.into_iter().map(|(id, entry)| match entry {
            Some(entry) => Line::File(Entry::clone(entry)),
            None => Line::Gone(id),
        });
        let homes = paths.into_iter().filter_map(|path| {
            match table.homes.get(&path).and_then(|home| home.at) {
                Some(at) => Some(Line::Home { path, at }),
                None => (!whole).then_some(Line::Left { path }),
            }
        });
        let output = SavedOutput { stream: table.stream.clone(), ..table.output.clone()? };
        let output = Line::Output(output);
        Some(files.chain(homes).chain([output]).collect())
    }

    /// Has the checkpoint saved soon, whether there is news or not.
    pub(crate) fn save_soon(&self) {
        self.table().save_soon();
    }

    /// Returns how many entries the table has.
    pub(crate) fn len(&self) -> usize {
        let table = self.table();
        table.files.len() + table.homes.len()
    }

    /// Looks for a file in the table that has the same bytes and another inode: it was
    /// restored or copied.
    fn alike(&self, asker: Asker<'_>, file: &File, metadata: &Metadata) -> io::Result<Alike> {
        let names = if asker.named { Vec::new() } else { alike::originals(asker.path) };
        let (restored, copied) = {
            let table = self.table();
            let mut restored = table.of_home(asker.home);
            // Of a file that is still read, its log knows better how far that is.
            restored.retain(|entry| !entry.is_read() && !matches!(entry.reader, Reader::Copy));
            let mut copied = table.of(names.iter().flat_map(|name| table.ids_at(name)));
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
    /// Returns the names of the output and of the checkpoint.
    fn our_names(&self) -> Vec<FullPath> {
        let output = self.output.as_ref().and_then(|output| output.path.clone());
        output.into_iter().chain(self.checkpoint.clone()).collect()
    }

    fn is_output(&self, id: FileId) -> bool {
        self.output.as_ref().is_some_and(|output| output.id == id)
    }

    /// Finds a file by its inode; by its device as well, once it was seen in this run.
    fn recognise(&mut self, id: FileId, metadata: &Metadata) -> Option<&Entry> {
        if !self.files.contains_key(&id)
            && let Some(ids) = self.loaded.get_mut(&id.inode)
        {
            // Another file system may have a file with this inode, too: then its device
            // was not renumbered.
            let is_it = |other: &FileId| {
                let entry = self.files.get(other).filter(|_| other.device != id.device);
                entry.is_some_and(|entry| has_birth(metadata, entry.born))
            };
            if let Some(index) = ids.iter().position(is_it) {
                let other = ids.remove(index);
                self.renumber(other, id);
            }
        }
        self.files.get(&id).map(|entry| &**entry)
    }

    /// Finds this very file, and not another that had its inode.
    fn known(&mut self, id: FileId, metadata: &Metadata) -> Option<&Entry> {
        self.recognise(id, metadata).filter(|entry| has_birth(metadata, entry.born))
    }

    /// Takes the inode from the entry of a file that is gone, if another file has got
    /// it. The lines of the old file may come back under another inode.
    fn bury(&mut self, id: FileId, metadata: &Metadata) {
        if let Some(entry) = self.recognise(id, metadata)
            && !has_birth(metadata, entry.born)
        {
            // No file system has this number.
            let nowhere = FileId { device: 0, inode: entry.rank };
            self.renumber(id, nowhere);
        }
    }

    fn renumber(&mut self, id: FileId, now: FileId) {
        if let Some(mut entry) = self.remove(id) {
            entry.position.file = now;
            self.insert(entry);
        }
    }

    /// Changes the entry of a file, and notes that for the checkpoint.
    fn change(&mut self, id: FileId, change: impl FnOnce(&mut Entry)) {
        if let Some(entry) = self.files.get_mut(&id) {
            change(entry);
        }
        self.changed(id);
    }

    /// Notes that the entry of a file differs from the checkpoint.
    fn changed(&mut self, id: FileId) {
        if self.checkpoint.is_some() {
            self.changed_files.insert(id);
        }
        self.save_soon();
    }

    fn changed_home(&mut self, home: &FullPath) {
        if self.checkpoint.is_some() {
            self.changed_homes.insert(home.clone());
        }
    }

    /// Has the checkpoint saved soon: there is news.
    fn save_soon(&mut self) {
        if !std::mem::replace(&mut self.news, true)
            && let Some(saver) = &self.saver
        {
            saver.soon();
        }
    }

    /// Returns the entries of these files, the oldest first.
    fn of<'a>(&self, ids: impl IntoIterator<Item = &'a FileId>) -> Vec<Entry> {
        let ids = ids.into_iter();
        let found = ids.filter_map(|id| self.files.get(id));
        let mut entries: Vec<_> = found.map(|entry| Entry::clone(entry)).collect();
        entries.sort_by_key(|entry| entry.rank);
        entries
    }

    /// Returns the files of the log of a path, the oldest first.
    fn of_home(&self, path: &FullPath) -> Vec<Entry> {
        let mut entries = self.of(self.ids_at(path));
        entries.retain(|entry| entry.home == *path);
        entries
    }

    /// Returns the files that were opened at a path, or have it as their home.
    fn ids_at(&self, path: &FullPath) -> impl Iterator<Item = &FileId> {
        self.homes.get(path).into_iter().flat_map(|home| &home.files)
    }

    /// Takes in a file. One that has no rank yet becomes the youngest.
    fn insert(&mut self, mut entry: Entry) {
        let id = entry.id();
        if let Some(old) = self.remove(id) {
            entry.sequence = entry.sequence.max(old.sequence);
            if entry.truncations.is_empty() {
                entry.truncations = old.truncations;
            }
        }
        if entry.rank == 0 {
            entry.rank = self.ranks + 1;
        }
        self.ranks = self.ranks.max(entry.rank);
        self.changed_home(&entry.home);
        self.changed(id);
        for path in entry.paths() {
            let files = &mut self.homes.entry(path.clone()).or_default().files;
            // Most homes have one file, and there may be many homes.
            files.reserve_exact(1);
            files.push(id);
        }
        self.files.insert(id, Box::new(entry));
    }

    fn remove(&mut self, id: FileId) -> Option<Entry> {
        let entry = *self.files.remove(&id)?;
        self.changed(id);
        for path in entry.paths() {
            if let Some(home) = self.homes.get_mut(path) {
                home.files.retain(|other| *other != id);
            }
            self.drop_if_empty(path);
        }
        Some(entry)
    }

    /// Notes that a file lies in another folder by now, if it does.
    fn moved(&mut self, id: FileId, lies: Option<FullPath>) {
        if let (Some(entry), Some(lies)) = (self.files.get(&id), lies)
            && entry.target().folder() != lies.folder()
            && let Some(entry) = self.remove(id)
        {
            self.insert(Entry { target: Some(lies), ..entry });
        }
    }

    /// Notes that a path is followed no more.
    fn leave(&mut self, path: &FullPath) {
        if let Some(home) = self.homes.get_mut(path) {
            (home.at, home.followed) = (None, false);
        }
        self.drop_if_empty(path);
    }

    /// Drops a home of which nothing is known.
    fn drop_if_empty(&mut self, path: &FullPath) {
        if self.homes.get(path).is_some_and(|home| home.at.is_none() && home.files.is_empty()) {
            self.homes.remove(path);
        }
    }

    /// Tells whether a file is the youngest of a path that is followed.
    fn is_last(&self, id: FileId) -> bool {
        let Some(entry) = self.files.get(&id) else { return false };
        let followed = self.homes.get(&entry.home).is_some_and(|home| home.at.is_some());
        followed && self.of_home(&entry.home).last().map(Entry::id) == Some(id)
    }
}

/// Returns the files to which names lead.
fn lead_to(names: Vec<FullPath>) -> Vec<FileId> {
    let metadata = names.into_iter().filter_map(|name| fs::metadata(&*name).ok());
    metadata.map(|metadata| FileId::of(&metadata)).collect()
}

/// Returns where the path of a file leads, if that is not the path of its log.
fn target_of(asker: Asker<'_>) -> Option<FullPath> {
    let (folder, name) = path::target(asker.path);
    // Spares resolving a folder for the path of the log itself.
    let is_home = folder == path::folder(asker.path) && name == asker.home.name();
    let target = (!is_home).then(|| FullPath::of(&folder.join(name)));
    target.filter(|target| target != asker.home)
}

/// Tells whether a path is that of a temporary file of the checkpoint.
fn is_temporary(checkpoint: &FullPath, path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().as_bytes();
    let prefix = [b".", checkpoint.name().as_bytes(), b"."].concat();
    name.starts_with(&prefix)
        && name.ends_with(b".new")
        && FullPath::of(path).folder() == checkpoint.folder()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_another_file_system_that_has_the_same_inode_is_another_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let known = File::create(&path).unwrap().metadata().unwrap();
        let born = |metadata: &Metadata| Time::of_birth(metadata).unwrap();
        // The clock of a file system ticks.
        let other = loop {
            let file = tempfile::tempfile_in(folder.path()).unwrap().metadata().unwrap();
            if born(&file) != born(&known) {
                break file;
            }
        };
        let id = |device| FileId { device, inode: 7 };
        let entry = |device| {
            let born = Some(born(&known));
            Entry::new(Position::start(id(device)), born, FullPath::of(&path))
        };
        let files = Files::load(vec![Line::File(entry(1))]);
        assert!(!files.knows(id(2), &other));
        assert!(files.knows(id(1), &known), "it is still known");

        // A boot has renumbered the devices.
        let files = Files::load(vec![Line::File(entry(1))]);
        assert!(!files.knows(id(3), &other));
        assert!(files.knows(id(2), &known), "it is still known");
    }
}
