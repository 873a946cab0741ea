//! How far a merge has come, kept in a file: what makes it exactly once.
//!
//! A checkpoint is of one moment between two appends. It says how long the
//! output was then, and where each source stood. A merge that begins with one
//! cuts the output back to that length and goes on reading at those places:
//! what was written after the checkpoint is written again, and nothing twice.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use serde::{Deserialize, Serialize};

use crate::following::claims::{Claims, Held};
use crate::following::follow::Stood;
use crate::following::identity::{Before, FileId, Position};
use crate::{Durability, Error, Lines};

/// How often a checkpoint is written while lines are.
pub(crate) const EVERY: Duration = Duration::from_millis(200);

/// The version of the format. A change that an older reader would get wrong
/// raises it.
const VERSION: u32 = 1;

/// A checkpoint as it stands in its file: JSON, so that a person can read it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Saved {
    version: u32,
    output: SavedOutput,
    sources: Vec<SavedSource>,
}

#[derive(Debug, Serialize, Deserialize)]
struct SavedOutput {
    device: u64,
    inode: u64,
    length: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct SavedSource {
    path: Bytes,
    /// Until when all files are known that the path has named, in nanoseconds
    /// since 1970.
    at: u64,
    /// The oldest first.
    files: Vec<SavedFile>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct SavedFile {
    device: u64,
    inode: u64,
    offset: u64,
    before: Bytes,
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

impl Saved {
    /// Reads the checkpoint at `path`; `None` if there is none yet.
    pub(crate) fn load(path: &Path) -> Result<Option<Saved>, Error> {
        let bad = |why: String| Error::BadCheckpoint { path: path.to_owned(), why };
        let text = match fs::read(path) {
            Ok(text) => text,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(Error::Checkpoint { path: path.to_owned(), cause }),
        };
        if text.is_empty() {
            return Err(bad("it is empty".into()));
        }
        // The version first: what stands behind it may have changed its form.
        #[derive(Deserialize)]
        struct Head {
            version: u32,
        }
        let damaged = |error: serde_json::Error| bad(format!("it is damaged ({error})"));
        let head: Head = serde_json::from_slice(&text).map_err(damaged)?;
        if head.version != VERSION {
            let version = head.version;
            return Err(bad(format!("its version is {version}, this program knows {VERSION}")));
        }
        serde_json::from_slice(&text).map(Some).map_err(damaged)
    }

    /// Returns which file the output is, and how long it was.
    pub(crate) fn output(&self) -> (FileId, u64) {
        let SavedOutput { device, inode, length } = self.output;
        (FileId { device, inode }, length)
    }

    /// Returns where the source of this path stood, if it was one.
    pub(crate) fn stood(&self, path: &Path) -> Option<Stood> {
        let path = path.as_os_str().as_bytes();
        let source = self.sources.iter().find(|source| source.path.0 == path)?;
        let positions = source.files.iter().map(SavedFile::position).collect();
        let at = SystemTime::UNIX_EPOCH + Duration::from_nanos(source.at);
        Some(Stood { positions, at })
    }
}

impl SavedFile {
    fn position(&self) -> Position {
        let mut before = Before::default();
        before.push(&self.before.0);
        let file = FileId { device: self.device, inode: self.inode };
        Position { file, offset: self.offset, before }
    }
}

/// The checkpoint of a merge that runs.
#[derive(Debug)]
pub(crate) struct Checkpoint {
    path: PathBuf,
    output: FileId,
    durability: Durability,
    claims: Arc<Claims>,
    ledger: Mutex<Ledger>,
    /// Taken before the ledger is copied, so that an older copy cannot come
    /// to lie over a newer one; the time of the last save.
    saving: Mutex<Instant>,
}

/// Where everything stands, between two appends.
#[derive(Debug)]
pub(crate) struct Ledger {
    length: u64,
    /// Behind the last line that was appended, for each file that gave one.
    positions: HashMap<FileId, Position>,
    /// What the checkpoint said that was there: those that are no sources now
    /// are kept, in case they come back.
    old: Vec<SavedSource>,
    /// Whether this differs from what was saved.
    news: bool,
}

impl Checkpoint {
    pub(crate) fn new(
        path: PathBuf,
        (output, length): (FileId, u64),
        durability: Durability,
        claims: Arc<Claims>,
        positions: impl Iterator<Item = Position>,
        old: Option<&Saved>,
    ) -> Checkpoint {
        let positions = positions.map(|position| (position.file, position)).collect();
        let old = old.map(|old| old.sources.clone()).unwrap_or_default();
        let ledger = Mutex::new(Ledger { length, positions, old, news: true });
        let saving = Mutex::new(Instant::now());
        Checkpoint { path, output, durability, claims, ledger, saving }
    }

    /// Locks the ledger for an append: no checkpoint is taken meanwhile.
    pub(crate) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Saves, if there is news and the last time is long enough ago.
    pub(crate) fn save_if_due(&self, output: &File) -> Result<(), Error> {
        let due = match self.saving.try_lock() {
            Ok(saved) => saved.elapsed() >= EVERY,
            // Somebody is at it.
            Err(_) => false,
        };
        if due { self.save(output) } else { Ok(()) }
    }

    /// Saves, if there is news.
    ///
    /// # Blocking
    ///
    /// Writes a small file beside the checkpoint and renames it; with a
    /// durability, syncs the output before, and the file and its folder then.
    pub(crate) fn save(&self, output: &File) -> Result<(), Error> {
        let mut saved = self.saving.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(text) = self.text() else { return Ok(()) };
        *saved = Instant::now();
        self.write(output, &text).map_err(|cause| {
            // It is still news, so that the error comes out at the end as well.
            self.ledger().news = true;
            Error::Checkpoint { path: self.path.clone(), cause }
        })
    }

    /// Writes down where everything stands; `None` if that is known.
    fn text(&self) -> Option<Vec<u8>> {
        let mut ledger = self.ledger();
        if !std::mem::replace(&mut ledger.news, false) {
            return None;
        }
        ledger.positions.retain(|id, _| self.claims.knows(*id));
        // All files that are held, also those that have given nothing yet: they
        // may have lost their name long before they are read.
        let mut sources: Vec<_> =
            self.claims.held().iter().map(|held| ledger.saved(held)).collect();
        let paths: HashSet<_> = sources.iter().map(|source| source.path.clone()).collect();
        sources.extend(ledger.old.iter().filter(|old| !paths.contains(&old.path)).cloned());
        let FileId { device, inode } = self.output;
        let output = SavedOutput { device, inode, length: ledger.length };
        drop(ledger);
        let saved = Saved { version: VERSION, output, sources };
        let mut text = serde_json::to_vec(&saved).expect("numbers and strings are JSON");
        text.push(b'\n');
        Some(text)
    }

    fn write(&self, output: &File, text: &[u8]) -> io::Result<()> {
        let synced = self.durability != Durability::None;
        if synced {
            // For a power loss: what the checkpoint speaks of comes first.
            output.sync_data()?;
        }
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(".new");
        let beside = self.path.with_file_name(name);
        let mut file = File::create(&beside)?;
        file.write_all(text)?;
        if synced {
            file.sync_all()?;
        }
        fs::rename(&beside, &self.path)?;
        if synced {
            let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
            File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
        }
        Ok(())
    }
}

impl Ledger {
    /// Writes down what a log holds.
    fn saved(&self, held: &Held) -> SavedSource {
        let files = held.files.iter().map(|id| {
            let position = self.positions.get(id);
            let before = position.map(|position| position.before.as_bytes().to_vec());
            SavedFile {
                device: id.device,
                inode: id.inode,
                offset: position.map_or(0, |position| position.offset),
                before: Bytes(before.unwrap_or_default()),
            }
        });
        let at = held.at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        SavedSource {
            path: Bytes(held.path.as_os_str().as_bytes().to_vec()),
            at: u64::try_from(at.as_nanos()).unwrap_or(u64::MAX),
            files: files.collect(),
        }
    }

    /// Notes an append. True if that is the first news since the last save.
    pub(crate) fn note(&mut self, lines: &Lines) -> bool {
        let (file, offset) = (lines.file, lines.end);
        let before = lines.before.as_deref().cloned().unwrap_or_default();
        let position = Position { file, offset, before };
        self.positions.insert(file, position);
        self.length += lines.bytes.len() as u64;
        !std::mem::replace(&mut self.news, true)
    }
}
