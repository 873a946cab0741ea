//! Files that were rotated away between two looks.
//!
//! A rotation gives the name of a log to a new file. Two rotations between two
//! looks leave a file that the name led to for a moment only, when nobody
//! looked. It still lies in the folder, under a name of its own.

use std::ffi::OsStr;
use std::fs::{self, File, Metadata};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::file;
use crate::identity::FileId;

/// How far the clock of a file system may lag behind ours: it ticks.
const TICK: Duration = Duration::from_millis(20);

/// How old a file may be that is taken for a log without a look at its
/// beginning. A copy of a log is not made in the moment of its rotation.
const RECENT: Duration = Duration::from_secs(1);

/// Names that a rotated log has when it was packed: the same lines once more,
/// in bytes that are none.
const PACKED: [&str; 6] = ["gz", "bz2", "xz", "zst", "lz4", "zip"];

/// Returns the files that had the name `path` after `since` and have lost it
/// again, the oldest first.
///
/// Counted as such is a regular file in the same folder that was born since
/// then and before the one that has the name now, and that is called as
/// rotated logs are: the name with something behind it, or with something
/// before its ending. `known` are files that are accounted for.
/// A file that begins as `last` does, which had the name before, is a copy.
///
/// # Blocking
///
/// Reads a folder: blocks the calling thread.
pub(crate) fn between(
    path: &Path,
    last: &File,
    since: SystemTime,
    known: impl Fn(FileId) -> bool,
) -> Vec<(File, FileId)> {
    // Through symbolic links: it is where the file lies that it is renamed.
    let Ok(path) = path.canonicalize() else { return Vec::new() };
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return Vec::new() };
    let (Ok(entries), Ok(now)) = (fs::read_dir(folder), fs::metadata(&path)) else {
        return Vec::new();
    };
    // Younger than the one before, too: with that, what lay there when the
    // merge began is out of the question.
    let Ok(last_born) = last.metadata().map(|metadata| born(&metadata)) else { return Vec::new() };
    let (since, until) = (last_born.max(since - TICK), born(&now));

    let mut found = Vec::new();
    for entry in entries.flatten().filter(|entry| is_rotated(name, &entry.file_name())) {
        let Ok(metadata) = entry.metadata() else { continue };
        let (id, birth) = (FileId::of(&metadata), born(&metadata));
        if known(id) || id == FileId::of(&now) || birth < since || until < birth {
            continue;
        }
        let Ok((file, opened)) = file::open(&entry.path()) else { continue };
        let fresh = birth + RECENT > SystemTime::now();
        if opened == id && (fresh || !begin_alike(&file, last)) {
            found.push((birth, metadata.mtime(), metadata.mtime_nsec(), file, id));
        }
    }
    found.sort_by_key(|(birth, modified, nanoseconds, ..)| (*birth, *modified, *nanoseconds));
    found.into_iter().map(|(.., file, id)| (file, id)).collect()
}

/// Tells whether two files begin with the same bytes.
fn begin_alike(one: &File, other: &File) -> bool {
    let begin = |file: &File| {
        let mut bytes = [0; 256];
        file.read_at(&mut bytes, 0).map(|read| (read, bytes))
    };
    match (begin(one), begin(other)) {
        (Ok((read, one)), Ok((_, other))) => read > 0 && one[..read] == other[..read],
        _ => false,
    }
}

/// Returns when a file was made; where no file system knows, when it was
/// written last, which is not before.
fn born(metadata: &Metadata) -> SystemTime {
    metadata.created().or_else(|_| metadata.modified()).unwrap_or(SystemTime::UNIX_EPOCH)
}

/// Tells whether `other` is what a log called `name` is called once rotated:
/// `app.log.1`, `app.log-20261122`, `app-2026-11-22.log`.
fn is_rotated(name: &OsStr, other: &OsStr) -> bool {
    let packed = Path::new(other).extension().is_some_and(|end| PACKED.iter().any(|e| end == *e));
    if packed || name == other {
        return false;
    }
    let marked = |rest: &[u8]| rest.first().is_some_and(|byte| b".-_".contains(byte));
    let behind = other.as_bytes().strip_prefix(name.as_bytes()).is_some_and(marked);
    let path = Path::new(name);
    let (Some(stem), Some(ending)) = (path.file_stem(), path.extension()) else { return behind };
    let before = || {
        let rest = other.as_bytes().strip_prefix(stem.as_bytes())?;
        let rest = rest.strip_suffix(ending.as_bytes())?.strip_suffix(b".")?;
        Some(marked(rest))
    };
    behind || before().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_names_of_rotated_logs() {
        let rotated = |name: &str, other: &str| is_rotated(name.as_ref(), other.as_ref());
        for other in ["app.log.1", "app.log-20261122", "app-2026.log", "app.1.log", "app.log.old"] {
            assert!(rotated("app.log", other), "{other}");
        }
        for other in ["app.log", "app.log.1.gz", "app2.log", "apple.log", "other.log", "app", ""] {
            assert!(!rotated("app.log", other), "{other}");
        }
        assert!(rotated("syslog", "syslog.1"));
        assert!(!rotated("syslog", "syslogd"));
    }
}
