//! Files that are known by their bytes alone: restored from a backup, put into
//! the place of a log by a program that writes a longer one beside it, or copied.

use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use tracing::{info, warn};

use crate::error::Shown;
use crate::following::entry::{Entry, Reader};
use crate::following::file;
use crate::following::identity::{Before, Fingerprint, Position};
use crate::following::path::FullPath;
use crate::following::reading::{before, is_freed};
use crate::following::rotated::rotated;
use crate::following::siblings;

/// What the bytes say of a file whose inode the table does not know.
pub(crate) enum Alike {
    Nothing,
    /// It has the lines of another file, which was read up to this position.
    Until(Position),
    /// It is a copy of a file that is read.
    Copy,
    /// It may be a copy of a file that was truncated, which its log has not seen yet.
    Later,
}

/// Compares a new file with the former files of its path. If one of them is gone and
/// the new file has its lines, returns how far the old one was read.
pub(crate) fn restored(
    path: &Path,
    file: &File,
    entries: Vec<Entry>,
) -> io::Result<Option<Position>> {
    // The youngest first: of a log that was restored twice, it has more lines.
    for entry in entries.into_iter().rev() {
        let position = entry.position.clone();
        let Some(known) = repeats(file, &position)? else { continue };
        // Still there, under another name: it was rotated, and this is new.
        if entry.find().is_some() {
            continue;
        }
        if known {
            info!("{}: another file with the lines that were read, read on", Shown(path));
            return Ok(Some(position));
        }
        warn!(
            "{}: a new file that begins with the lines of the one that is gone, \
             read from its start",
            Shown(path)
        );
    }
    Ok(None)
}

/// Compares a new file with the files of which it may be a copy by its name.
pub(crate) fn copied(
    path: &Path,
    file: &File,
    metadata: &Metadata,
    entries: Vec<Entry>,
) -> io::Result<Alike> {
    // The youngest first: it has the lines of today.
    for entry in entries.into_iter().rev() {
        for truncation in entry.truncations.iter().rev() {
            if let Some(before) = known_by(file, metadata, truncation)? {
                let mut offset = truncation.offset;
                if offset < metadata.len() {
                    offset = whole_lines(offset, &before);
                }
                return Ok(Alike::Until(Position::in_file(file, offset)?));
            }
        }
        match &entry.reader {
            Reader::Log(_, read) => {
                let Ok((original, id)) = file::open(entry.target()) else { continue };
                if id != entry.position.file {
                    continue;
                }
                let (there, size) = (original.metadata()?, metadata.len());
                if size <= there.len() && siblings::is_copy(file, &original, size)? {
                    return Ok(Alike::Copy);
                }
                // Truncated, and its log has not seen that yet.
                if known_by(&original, &there, &read.fingerprint())?.is_none() {
                    return Ok(Alike::Later);
                }
            }
            // If the original is gone, the new file may have the same text written once
            // more.
            _ => match repeats(file, &entry.position)? {
                Some(known) if known || entry.find().is_some() => {
                    return Ok(Alike::Until(entry.position));
                }
                Some(_) => warn!(
                    "{}: begins with the lines of {}, which is gone; read from its start",
                    Shown(path),
                    Shown(entry.target())
                ),
                None => {}
            },
        }
    }
    Ok(Alike::Nothing)
}

/// Returns the paths of which a file of this path may be a copy. Its name begins with
/// their names, or with these less the common ending (`app.log.bak`,
/// `app-20261122.log`).
pub(crate) fn originals(path: &Path) -> Vec<FullPath> {
    let path = FullPath::of(path);
    let name = path.name().as_bytes();
    let ending = name.iter().rposition(|byte| *byte == b'.').map_or(&name[..0], |dot| &name[dot..]);
    let mut originals = Vec::new();
    for cut in (1..name.len()).filter(|at| b".-_~".contains(&name[*at])) {
        originals.push(path.with_name(OsStr::from_bytes(&name[..cut])));
        // `app-error.log` begins like `app.log`, and is no copy of it: what stands
        // before the ending has to be a number or a date.
        let with_ending = [&name[..cut], ending].concat();
        let with_ending = OsStr::from_bytes(&with_ending);
        if rotated(with_ending, path.name()).is_some() {
            originals.push(path.with_name(with_ending));
        }
    }
    originals.retain(|original| *original != path);
    originals
}

/// Tells whether a file has been read as far as `position`.
pub(crate) fn stands_in(file: &File, metadata: &Metadata, position: &Position) -> io::Result<bool> {
    let Position { offset, before: known, .. } = position;
    if metadata.len() < *offset {
        return Ok(false);
    }
    let now = before(file, *offset, known.as_bytes().len())?;
    Ok(now == *known || is_freed(file, *offset, known, &now)?)
}

/// Returns the bytes before an offset, if they have that fingerprint.
fn known_by(
    file: &File,
    metadata: &Metadata,
    fingerprint: &Fingerprint,
) -> io::Result<Option<Before>> {
    let Fingerprint { offset, length, .. } = *fingerprint;
    // A checkpoint that was changed may have any length.
    if metadata.len() < offset || length > Before::MOST as u64 {
        return Ok(None);
    }
    let before = before(file, offset, length as usize)?;
    Ok((Fingerprint::of(offset, &before) == *fingerprint).then_some(before))
}

/// Returns where the line begins that `offset` cuts. A truncation may have handed out
/// the beginning of a line as a line.
fn whole_lines(offset: u64, before: &Before) -> u64 {
    let bytes = before.as_bytes();
    let half = bytes.iter().rev().take_while(|byte| **byte != b'\n').count() as u64;
    if half == bytes.len() as u64 && half < offset { offset } else { offset - half }
}

/// Compares a new file with a file that is gone and was read up to `position`.
/// Returns `None` if the new file has other lines.
///
/// Returns true if they are certainly the same lines, and not the same text that
/// was written once more: many bytes are alike, and either there are more behind
/// them, or the file was modified before it was made, as a file from a backup was.
pub(crate) fn repeats(file: &File, position: &Position) -> io::Result<Option<bool>> {
    let metadata = file.metadata()?;
    if position.offset == 0 || !stands_in(file, &metadata, position)? {
        return Ok(None);
    }
    let many = position.before.as_bytes().len() == Before::MOST;
    let restored = metadata.modified().ok() < metadata.created().ok();
    Ok(Some(many && (metadata.len() > position.offset || restored)))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::following::identity::FileId;

    #[test]
    fn a_log_that_was_restored_twice_is_read_on_from_where_the_second_one_ended() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.log");
        fs::write(&path, "a line of the log\n".repeat(50)).unwrap();
        let file = File::open(&path).unwrap();
        let entry = |(offset, rank)| {
            let position = Position::in_file(&file, offset).unwrap();
            // Both are gone.
            let id = FileId { device: 0, inode: rank };
            Entry::new(Position { file: id, ..position }, None, FullPath::of(&path))
        };
        let entries = [(540, 1), (720, 2)].map(entry).to_vec();
        let found = restored(&path, &file, entries).unwrap();
        assert_eq!(found.unwrap().offset, 720);
    }
}
