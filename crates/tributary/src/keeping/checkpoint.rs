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

use std::ffi::OsString;
use std::fs::{self, File, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;

use crate::following::entry::{Entry, Line, SavedOutput};
use crate::following::files::Files;
use crate::following::identity::{Position, Time};
use crate::following::path::{FullPath, folder};
use crate::keeping::output_file::OutputFile;
use crate::{Durability, Error};

/// How long after a change a checkpoint is saved.
pub(crate) const EVERY: Duration = Duration::from_millis(200);

/// The version of the format. A change that an older reader would get wrong
/// raises it.
const VERSION: u32 = 2;

/// A journal that is shorter is not written anew.
const SHORT: usize = 1024;

/// What every checkpoint begins with.
const BEGINNING: &[u8] = b"{\"version\":";

/// Tells whether a checkpoint may take the place of the file at `path`: there is none, or
/// it begins as a checkpoint does, or it is all NULs, as a loss of power leaves it.
pub(crate) fn may_replace(path: &Path) -> Result<bool, Error> {
    let failed = |cause| Error::Checkpoint { path: path.to_owned(), cause };
    let mut begin = Vec::new();
    match File::open(path) {
        Ok(file) => file.take(BEGINNING.len() as u64).read_to_end(&mut begin).map_err(failed)?,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(true),
        Err(cause) => return Err(failed(cause)),
    };
    Ok(BEGINNING.starts_with(&begin) || begin.iter().all(|byte| *byte == 0))
}

/// What a checkpoint says: the output, and what to load into the table of files.
#[derive(Debug)]
pub(crate) struct Saved {
    pub(crate) output: SavedOutput,
    pub(crate) files: Vec<Line>,
}

/// The version before: one object, with the positions of each path.
#[derive(Deserialize)]
struct Version1 {
    output: SavedOutput,
    sources: Vec<Source1>,
}

#[derive(Deserialize)]
struct Source1 {
    path: FullPath,
    at: Time,
    files: Vec<Position>,
}

impl Saved {
    /// Reads the checkpoint at `path`; `None` if there is none yet.
    pub(crate) fn load(path: &Path) -> Result<Option<Saved>, Error> {
        let text = match fs::read(path) {
            Ok(text) => text,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(Error::Checkpoint { path: path.to_owned(), cause }),
        };
        let saved = match serde_json::from_slice::<Version1>(&text) {
            Ok(old) => Ok(Saved::from(old)),
            Err(_) => Saved::replay(&text),
        };
        saved.map(Some).map_err(|why| Error::BadCheckpoint { path: path.to_owned(), why })
    }

    /// Reads a journal, up to the last end of a save.
    fn replay(text: &[u8]) -> Result<Saved, String> {
        let mut lines = text.split_inclusive(|byte| *byte == b'\n').map(serde_json::from_slice);
        match lines.next() {
            Some(Ok(Line::Version(VERSION))) => {}
            Some(Ok(Line::Version(other))) => {
                return Err(format!("its version is {other}, this program knows {VERSION}"));
            }
            Some(Ok(_)) => return Err("it is damaged (it does not begin with a version)".into()),
            Some(Err(error)) => return Err(format!("it is damaged ({error})")),
            None => return Err("it is empty".into()),
        }
        let (mut output, mut files, mut whole) = (None, Vec::new(), 0);
        let mut lines = lines.peekable();
        while let Some(line) = lines.next() {
            match line {
                Ok(Line::Output(now)) => (output, whole) = (Some(now), files.len()),
                Ok(line) => files.push(line),
                // A crash leaves such a line at the end and nowhere else.
                Err(error) if lines.peek().is_some() => {
                    return Err(format!("it is damaged ({error})"));
                }
                Err(_) => {}
            }
        }
        files.truncate(whole);
        let output = output.ok_or("it is damaged (its first save has no end)")?;
        Ok(Saved { output, files })
    }
}

impl From<Version1> for Saved {
    fn from(old: Version1) -> Saved {
        let mut files = Vec::new();
        for Source1 { path, at, files: positions } in old.sources {
            let path = FullPath::of(&path);
            let entry = |position| Line::File(Entry::new(position, None, path.clone()));
            files.extend(positions.into_iter().map(entry));
            files.push(Line::Home { path, at });
        }
        Saved { output: old.output, files }
    }
}

/// The checkpoint of a merge that runs.
#[derive(Debug)]
pub(crate) struct Checkpoint {
    path: PathBuf,
    output: Mutex<Arc<File>>,
    durability: Durability,
    files: Arc<Files>,
    /// Locked before the news is taken, so that it is written in order.
    journal: Mutex<Journal>,
    /// The error that has ended the saves between two appends.
    failed: Mutex<Option<Error>>,
}

#[derive(Debug, Default)]
struct Journal {
    /// The file, once it was written whole.
    file: Option<File>,
    length: usize,
    /// The length of the journal when it was written whole, and the number of its
    /// entries.
    whole: usize,
    entries: usize,
}

impl Checkpoint {
    pub(crate) fn new(
        path: &Path,
        output: &OutputFile,
        length: u64,
        durability: Durability,
        files: Arc<Files>,
    ) -> Checkpoint {
        files.output(output.name(), &output.file, length);
        Checkpoint {
            path: path.to_owned(),
            output: Mutex::new(Arc::clone(&output.file)),
            durability,
            files,
            journal: Mutex::default(),
            failed: Mutex::default(),
        }
    }

    /// Takes another file for the output.
    pub(crate) fn output_is(&self, output: &OutputFile) {
        *self.output.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&output.file);
        self.files.output(output.name(), &output.file, output.length.unwrap_or(0));
    }

    /// Notes an error that has ended the merge: it comes out at the end.
    pub(crate) fn fail(&self, error: Error) {
        *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }

    /// Saves for the last time: as short as can be. Returns also the error of an
    /// earlier save, although this one may have gone well: it is why the merge ends.
    ///
    /// # Blocking
    ///
    /// As [`save`](Checkpoint::save).
    pub(crate) fn finish(&self) -> Result<(), Error> {
        self.save_anew(&mut self.journal.lock().unwrap_or_else(PoisonError::into_inner));
        let saved = self.save();
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner).take();
        failed.map_or(saved, Err)
    }

    /// Saves, if there is news.
    ///
    /// # Blocking
    ///
    /// Writes the changes to the end of the journal, or a new journal beside it, which
    /// is then renamed. With a durability, syncs the output before, and the journal and
    /// its folder after.
    pub(crate) fn save(&self) -> Result<(), Error> {
        let mut journal = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
        self.write(&mut journal).map_err(|cause| {
            // The last write may be incomplete.
            self.save_anew(&mut journal);
            Error::Checkpoint { path: self.path.clone(), cause }
        })
    }

    /// Has the next save write a whole journal, in any case.
    fn save_anew(&self, journal: &mut Journal) {
        journal.file = None;
        self.files.save_soon();
    }

    fn write(&self, journal: &mut Journal) -> io::Result<()> {
        let needed = journal.whole / journal.entries.max(1) * self.files.len();
        let whole = journal.file.is_none() || journal.length > SHORT.max(2 * needed);
        let Some(news) = self.files.news(whole) else { return Ok(()) };
        let text = text(whole.then_some(Line::Version(VERSION)).into_iter().chain(news));
        let synced = self.durability != Durability::None;
        if synced {
            // The output comes first: after a power loss it must have the lines that
            // the checkpoint speaks of.
            let output = self.output.lock().unwrap_or_else(PoisonError::into_inner).clone();
            output.sync_data()?;
        }
        if !whole && let Some(file) = &mut journal.file {
            file.write_all(&text)?;
            journal.length += text.len();
            return if synced { file.sync_data() } else { Ok(()) };
        }
        journal.file = Some(self.write_anew(&text, synced)?);
        (journal.length, journal.whole) = (text.len(), text.len());
        journal.entries = self.files.len();
        Ok(())
    }

    /// Writes a journal, readable by its owner alone, beside the old one, and renames
    /// it over that. No file of another name is touched.
    fn write_anew(&self, text: &[u8], synced: bool) -> io::Result<File> {
        let folder = folder(&self.path);
        let mut prefix = OsString::from(".");
        prefix.push(self.path.file_name().unwrap_or_default());
        prefix.push(".");
        let mut beside = tempfile::Builder::new();
        let beside =
            beside.prefix(&prefix).suffix(".new").permissions(Permissions::from_mode(0o600));
        let mut beside = beside.tempfile_in(&folder)?;
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

/// Writes down lines as JSON.
fn text(lines: impl Iterator<Item = Line>) -> Vec<u8> {
    let mut text = Vec::new();
    for line in lines {
        serde_json::to_writer(&mut text, &line).expect("numbers and strings are JSON");
        text.push(b'\n');
    }
    text
}
