//! How far a merge has come, kept in a file: what makes it exactly once.
//!
//! A checkpoint is of one moment between two appends. It says how long the
//! output was then, and how far each file had been read. A merge that begins
//! with one cuts the output back to that length and reads on at those offsets:
//! what was written after the checkpoint is written again, and nothing twice.
//!
//! In its file a checkpoint is a journal: lines of JSON, so that a person can
//! read them. A save adds a line for each file that has changed, and the length
//! of the output as the last line, which makes the lines before it count. Lines
//! without such an end were cut off by a crash and are left out. The journal is
//! written anew, beside the old one and under a name of its own, when it has
//! twice the length that it needs.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use serde::{Deserialize, Serialize};

use crate::following::files::{self, Changes, Entry, Files, Reader, Wanted};
use crate::following::identity::{Before, FileId, Fingerprint, Position};
use crate::keeping::output_file::OutputFile;
use crate::{Durability, Error};

/// How often a checkpoint is written while lines are.
pub(crate) const EVERY: Duration = Duration::from_millis(200);

/// The version of the format. A change that an older reader would get wrong
/// raises it.
const VERSION: u32 = 2;

/// A journal that is shorter is not written anew.
const SHORT: usize = 1024;

/// What a checkpoint says.
#[derive(Debug)]
pub(crate) struct Saved {
    output: SavedOutput,
    entries: Vec<Entry>,
    homes: Vec<(Arc<Path>, SystemTime)>,
}

/// The output of which a checkpoint speaks.
#[derive(Debug, Clone)]
pub(crate) struct SavedOutput {
    /// Its path, absolute; nothing where the version before has written it.
    pub(crate) path: Option<PathBuf>,
    pub(crate) id: FileId,
    /// When it was made, where the file system knows.
    pub(crate) born: Option<SystemTime>,
    pub(crate) length: u64,
}

impl SavedOutput {
    /// Tells whether this is the file. The device counts for nothing: a boot
    /// renumbers it.
    pub(crate) fn is(&self, metadata: &fs::Metadata) -> bool {
        self.id.inode == metadata.ino() && files::same_birth(self.born, metadata)
    }
}

/// A line of the journal.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    /// The first one.
    Version(u32),
    /// A file, as it stands from now on.
    File(SavedFile),
    /// A file that is forgotten.
    Gone { device: u64, inode: u64 },
    /// A path that is followed; all files that it named before `at` are known.
    Home { path: Bytes, at: u64 },
    /// A path that is followed no more.
    Left { path: Bytes },
    /// The end of a save: the length of the output, and which file that is.
    Output {
        path: Bytes,
        device: u64,
        inode: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        born: Option<u64>,
        length: u64,
    },
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct SavedFile {
    device: u64,
    inode: u64,
    /// In nanoseconds since 1970, as all times here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    born: Option<u64>,
    offset: u64,
    before: Bytes,
    home: Bytes,
    /// Where `home` led to, if that is another path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    place: Option<Bytes>,
    rank: u64,
    /// Since when nobody reads the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    let_go: Option<u64>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    copy: bool,
    /// Offset, length and hash of each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    truncations: Vec<(u64, u64, u64)>,
}

/// Any bytes, as a string whose characters are the bytes: what is ASCII stays
/// readable, and what is not UTF-8 is not lost.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
struct Bytes(Vec<u8>);

impl From<Bytes> for String {
    fn from(bytes: Bytes) -> String {
        bytes.0.into_iter().map(char::from).collect()
    }
}

impl TryFrom<String> for Bytes {
    type Error = std::char::TryFromCharError;

    fn try_from(text: String) -> Result<Bytes, Self::Error> {
        text.chars().map(u8::try_from).collect::<Result<_, _>>().map(Bytes)
    }
}

impl From<&Path> for Bytes {
    fn from(path: &Path) -> Bytes {
        Bytes(path.as_os_str().as_bytes().to_vec())
    }
}

impl From<Bytes> for PathBuf {
    fn from(bytes: Bytes) -> PathBuf {
        OsString::from_vec(bytes.0).into()
    }
}

/// The version before: one object, with a position for each path.
mod version1 {
    use super::{Bytes, Deserialize};

    #[derive(Deserialize)]
    pub(super) struct Saved {
        pub(super) version: u32,
        pub(super) output: Output,
        pub(super) sources: Vec<Source>,
    }

    #[derive(Deserialize)]
    pub(super) struct Output {
        pub(super) device: u64,
        pub(super) inode: u64,
        pub(super) length: u64,
    }

    #[derive(Deserialize)]
    pub(super) struct Source {
        pub(super) path: Bytes,
        pub(super) at: u64,
        pub(super) files: Vec<File>,
    }

    #[derive(Deserialize)]
    pub(super) struct File {
        pub(super) device: u64,
        pub(super) inode: u64,
        pub(super) offset: u64,
        pub(super) before: Bytes,
    }
}

impl Saved {
    /// Reads the checkpoint at `path`; `None` if there is none yet.
    pub(crate) fn load(path: &Path) -> Result<Option<Saved>, Error> {
        let bad = |why: String| Error::BadCheckpoint { path: path.to_owned(), why };
        match fs::metadata(path) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
            Ok(metadata) if !metadata.is_file() => {
                return Err(Error::NotACheckpoint { path: path.to_owned() });
            }
            _ => {}
        }
        let text = match fs::read(path) {
            Ok(text) => text,
            Err(cause) => return Err(Error::Checkpoint { path: path.to_owned(), cause }),
        };
        if text.is_empty() {
            return Err(bad("it is empty".into()));
        }
        if let Ok(old) = serde_json::from_slice::<version1::Saved>(&text)
            && old.version == 1
        {
            return Ok(Some(Saved::from(old)));
        }
        Saved::replay(&text).map(Some).map_err(bad)
    }

    /// Reads a journal, up to the last end of a save.
    fn replay(text: &[u8]) -> Result<Saved, String> {
        let mut lines = text.split_inclusive(|byte| *byte == b'\n');
        match lines.next().map(serde_json::from_slice) {
            Some(Ok(Line::Version(VERSION))) => {}
            Some(Ok(Line::Version(other))) => {
                return Err(format!("its version is {other}, this program knows {VERSION}"));
            }
            Some(Err(error)) => return Err(format!("it is damaged ({error})")),
            _ => return Err("it is damaged (it does not begin with a version)".into()),
        }
        let mut saved: Option<Saved> = None;
        let mut pending = Vec::new();
        let mut cut = None;
        for line in lines {
            if let Some(error) = cut {
                return Err(format!("it is damaged ({error})"));
            }
            match serde_json::from_slice(line) {
                Ok(Line::Output { path, device, inode, born, length }) => {
                    let id = FileId { device, inode };
                    let output =
                        SavedOutput { path: Some(path.into()), id, born: born.map(time), length };
                    let (entries, homes) =
                        saved.map(|it| (it.entries, it.homes)).unwrap_or_default();
                    let mut now = Saved { output, entries, homes };
                    now.take_in(std::mem::take(&mut pending));
                    saved = Some(now);
                }
                Ok(line) => pending.push(line),
                // A crash leaves such a line at the end and nowhere else.
                Err(error) => cut = Some(error),
            }
        }
        saved.ok_or_else(|| "it is damaged (its first save has no end)".to_owned())
    }

    fn take_in(&mut self, lines: Vec<Line>) {
        let mut entries: HashMap<FileId, Entry> =
            self.entries.drain(..).map(|entry| (entry.position.file, entry)).collect();
        let mut homes: HashMap<Arc<Path>, SystemTime> = self.homes.drain(..).collect();
        for line in lines {
            match line {
                Line::File(file) => {
                    let entry = Entry::from(file);
                    entries.insert(entry.position.file, entry);
                }
                Line::Gone { device, inode } => {
                    entries.remove(&FileId { device, inode });
                }
                Line::Home { path, at } => {
                    homes.insert(PathBuf::from(path).into(), time(at));
                }
                Line::Left { path } => {
                    homes.remove(&*PathBuf::from(path));
                }
                Line::Version(_) | Line::Output { .. } => {}
            }
        }
        self.entries = entries.into_values().collect();
        self.homes = homes.into_iter().collect();
    }

    /// Returns which file the output was, and how long.
    pub(crate) fn output(&self) -> SavedOutput {
        self.output.clone()
    }

    /// Returns the table of files that a merge begins with.
    pub(crate) fn files(saved: Option<Saved>) -> Files {
        match saved {
            Some(Saved { entries, homes, .. }) => Files::new(entries, homes),
            None => Files::default(),
        }
    }
}

impl From<version1::Saved> for Saved {
    fn from(old: version1::Saved) -> Saved {
        let version1::Output { device, inode, length } = old.output;
        let output = SavedOutput { path: None, id: FileId { device, inode }, born: None, length };
        let (mut entries, mut homes) = (Vec::new(), Vec::new());
        for source in old.sources {
            let home: Arc<Path> = files::home(&PathBuf::from(source.path)).into();
            homes.push((Arc::clone(&home), time(source.at)));
            for version1::File { device, inode, offset, before } in source.files {
                entries.push(Entry {
                    position: position(device, inode, offset, &before),
                    born: None,
                    home: Arc::clone(&home),
                    place: Arc::clone(&home),
                    rank: entries.len() as u64 + 1,
                    reader: Reader::Before,
                    truncations: Vec::new(),
                });
            }
        }
        Saved { output, entries, homes }
    }
}

impl From<SavedFile> for Entry {
    fn from(file: SavedFile) -> Entry {
        let SavedFile { device, inode, offset, .. } = file;
        let home: Arc<Path> = PathBuf::from(file.home).into();
        let reader = match file.let_go {
            _ if file.copy => Reader::Copy,
            Some(since) => Reader::LetGo(time(since)),
            None => Reader::Before,
        };
        let truncation = |(offset, length, hash)| Fingerprint { offset, length, hash };
        let truncations = file.truncations.into_iter().map(truncation).collect();
        Entry {
            position: position(device, inode, offset, &file.before),
            born: file.born.map(time),
            place: file
                .place
                .map_or_else(|| Arc::clone(&home), |place| PathBuf::from(place).into()),
            home,
            rank: file.rank,
            reader,
            truncations,
        }
    }
}

impl From<&Entry> for SavedFile {
    fn from(entry: &Entry) -> SavedFile {
        let Position { file, offset, before } = &entry.position;
        let bytes = |before: &Before| Bytes(before.as_bytes().to_vec());
        let place = (*entry.place != *entry.home).then(|| Bytes::from(&*entry.place));
        SavedFile {
            device: file.device,
            inode: file.inode,
            born: entry.born.map(nanoseconds),
            offset: *offset,
            before: bytes(before),
            home: Bytes::from(&*entry.home),
            place,
            rank: entry.rank,
            let_go: match entry.reader {
                Reader::LetGo(since) => Some(nanoseconds(since)),
                _ => None,
            },
            copy: matches!(entry.reader, Reader::Copy),
            truncations: entry
                .truncations
                .iter()
                .map(|it| (it.offset, it.length, it.hash))
                .collect(),
        }
    }
}

fn position(device: u64, inode: u64, offset: u64, bytes: &Bytes) -> Position {
    let mut before = Before::default();
    before.push(&bytes.0);
    Position { file: FileId { device, inode }, offset, before }
}

fn time(nanoseconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_nanos(nanoseconds)
}

fn nanoseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// The checkpoint of a merge that runs.
#[derive(Debug)]
pub(crate) struct Checkpoint {
    path: PathBuf,
    /// The path of the output, absolute, and the file that it led to.
    output: (PathBuf, Mutex<Arc<File>>),
    durability: Durability,
    files: Arc<Files>,
    /// Locked before the changes are taken, so that they are written in order.
    journal: Mutex<Journal>,
}

#[derive(Debug)]
struct Journal {
    /// The file, once it was written whole.
    file: Option<File>,
    length: usize,
    /// How many bytes an entry had when the journal was written whole.
    whole: usize,
    entries: usize,
    saved: Instant,
}

impl Checkpoint {
    pub(crate) fn new(
        path: &Path,
        output: &OutputFile,
        length: u64,
        durability: Durability,
        files: Arc<Files>,
    ) -> Checkpoint {
        let journal =
            Journal { file: None, length: 0, whole: 0, entries: 0, saved: Instant::now() };
        files.output(&output.path, &output.file, length);
        let output = (files::home(&output.path), Mutex::new(Arc::clone(&output.file)));
        Checkpoint {
            path: path.to_owned(),
            output,
            durability,
            files,
            journal: Mutex::new(journal),
        }
    }

    /// Takes another file for the output, which is `length` bytes long.
    pub(crate) fn output_is(&self, file: &Arc<File>, length: u64) {
        *self.output.1.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(file);
        self.files.output(&self.output.0, file, length);
    }

    fn output_file(&self) -> Arc<File> {
        self.output.1.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Saves, if there is news and the last time is long enough ago.
    pub(crate) fn save_if_due(&self) -> Result<(), Error> {
        let due = match self.journal.try_lock() {
            Ok(journal) => journal.saved.elapsed() >= EVERY,
            // Another thread is saving right now.
            Err(_) => false,
        };
        if due { self.save() } else { Ok(()) }
    }

    /// Saves for the last time: as short as can be.
    ///
    /// # Blocking
    ///
    /// As [`save`](Checkpoint::save).
    pub(crate) fn finish(&self) -> Result<(), Error> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner).file = None;
        self.save()
    }

    /// Saves, if there is news.
    ///
    /// # Blocking
    ///
    /// Writes what has changed to the end of the journal, or a journal beside
    /// it and renames that; with a durability, syncs the output before, and the
    /// journal and its folder then.
    pub(crate) fn save(&self) -> Result<(), Error> {
        let mut journal = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
        self.write(&mut journal).map_err(|cause| {
            // What was written last may be cut: the next save begins anew. And
            // the error is to come out at the end as well.
            journal.file = None;
            self.files.still_news();
            Error::Checkpoint { path: self.path.clone(), cause }
        })
    }

    fn write(&self, journal: &mut Journal) -> io::Result<()> {
        let needed = journal.whole / journal.entries.max(1) * self.files.len();
        let whole = journal.file.is_none() || journal.length > SHORT.max(2 * needed);
        let wanted = if journal.file.is_none() { Wanted::All } else { Wanted::News { whole } };
        let text = self.files.changes(wanted, |changes| self.text(whole, &changes));
        let Some(text) = text else { return Ok(()) };
        journal.saved = Instant::now();
        let synced = self.durability != Durability::None;
        if synced {
            // For a power loss: what the checkpoint speaks of comes first.
            self.output_file().sync_data()?;
        }
        if !whole && let Some(mut file) = journal.file.as_ref() {
            file.write_all(&text)?;
            journal.length += text.len();
            return if synced { file.sync_data() } else { Ok(()) };
        }
        let file = self.write_anew(&text, synced)?;
        *journal = Journal {
            file: Some(file),
            length: text.len(),
            whole: text.len(),
            entries: self.files.len(),
            saved: journal.saved,
        };
        Ok(())
    }

    /// Writes down a save: of the whole table with `whole`, else of what changed.
    fn text(&self, whole: bool, changes: &Changes<'_>) -> Vec<u8> {
        let mut text = Vec::new();
        let mut put = |line: &Line| {
            serde_json::to_writer(&mut text, line).expect("numbers and strings are JSON");
            text.push(b'\n');
        };
        if whole {
            put(&Line::Version(VERSION));
        }
        for (id, entry) in &changes.files {
            put(&match entry {
                Some(entry) => Line::File(SavedFile::from(*entry)),
                None => Line::Gone { device: id.device, inode: id.inode },
            });
        }
        for (path, at) in &changes.homes {
            let path = Bytes::from(*path);
            put(&match at {
                Some(at) => Line::Home { path, at: nanoseconds(*at) },
                None => Line::Left { path },
            });
        }
        let FileId { device, inode } = changes.output;
        let path = Bytes::from(&*self.output.0);
        let born = self.output_file().metadata().ok().and_then(|it| it.created().ok());
        let born = born.map(nanoseconds);
        put(&Line::Output { path, device, inode, born, length: changes.length });
        text
    }

    /// Writes a journal beside the one that is there, for its owner alone, and
    /// puts it in the place of that one. No file of another name is touched.
    fn write_anew(&self, text: &[u8], synced: bool) -> io::Result<File> {
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        let mut prefix = OsString::from(".");
        prefix.push(self.path.file_name().unwrap_or_default());
        prefix.push(".");
        let mut beside = tempfile::Builder::new();
        let beside =
            beside.prefix(&prefix).suffix(".new").permissions(Permissions::from_mode(0o600));
        let mut beside = beside.tempfile_in(folder)?;
        beside.write_all(text)?;
        if synced {
            beside.as_file().sync_all()?;
        }
        let file = beside.persist(&self.path).map_err(|failed| failed.error)?;
        if synced {
            File::open(folder)?.sync_all()?;
        }
        Ok(file)
    }
}
