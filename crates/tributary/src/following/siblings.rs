//! Files that were rotated away between two looks.
//!
//! A rotation gives the name of a log to a new file. Two rotations between two
//! looks leave a file that the name led to for a moment only, when nobody
//! looked. It still lies in the folder, under a name of its own.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirEntryExt, FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::following::file;
use crate::following::identity::FileId;

/// How far the clock of a file system may lag behind ours: it ticks.
const TICK: Duration = Duration::from_millis(20);

/// How old a file may be that is taken for a log without a look at its
/// beginning. A copy of a log is not made in the moment of its rotation.
const RECENT: Duration = Duration::from_secs(1);

/// How often a folder is read that changes while it is read.
const AGAIN: usize = 10;

/// Where a symbolic link is no longer followed: what the kernel allows.
const MOST_LINKS: usize = 40;

/// Names that a rotated log has when it was packed: the same lines once more,
/// in bytes that are none.
const PACKED: [&str; 6] = ["gz", "bz2", "xz", "zst", "lz4", "zip"];

/// Returns the files that had the name `path` after `since` and have lost it
/// again, the oldest first.
///
/// Counted as such is a regular file in the same folder that was born since
/// then and before `next`, and that is called as rotated logs are: the name
/// with something behind it, or with something before its ending. `next` is
/// the file that was found under the name. It need not have it any more: what
/// came after it is found by the look after this one. `known` are files that
/// are accounted for. A file that begins as `last` does, which had the name
/// before, is a copy.
///
/// # Blocking
///
/// Reads a folder: blocks the calling thread.
pub(crate) fn between(
    path: &Path,
    last: Option<&File>,
    next: &File,
    since: SystemTime,
    known: impl Fn(FileId) -> bool,
) -> Vec<(File, FileId)> {
    let (folder, name) = place(path);
    let Ok(after) = next.metadata() else { return Vec::new() };
    let before = last.and_then(|last| last.metadata().ok()).map(|metadata| born(&metadata));
    // Younger than the one before, too: with that, what lay there when the
    // merge began is out of the question.
    let since = before.unwrap_or(SystemTime::UNIX_EPOCH).max(since - TICK);
    let until = born(&after);
    let next = FileId::of(&after);

    let mut found: Vec<(_, _, _, File, FileId)> = Vec::new();
    for _ in 0..AGAIN {
        let stamp = changed(&folder);
        let Ok(entries) = fs::read_dir(&folder) else { break };
        let mut complete = true;
        for entry in entries.flatten().filter(|entry| is_rotated(&name, &entry.file_name())) {
            let Ok(metadata) = entry.metadata() else {
                complete = false;
                continue;
            };
            let (id, birth) = (FileId::of(&metadata), born(&metadata));
            let had = known(id) || id == next || found.iter().any(|(.., other)| *other == id);
            if had || birth < since || until < birth {
                continue;
            }
            let Ok((file, opened)) = file::open(&entry.path()) else {
                complete = false;
                continue;
            };
            let fresh = birth + RECENT > SystemTime::now();
            if opened != id {
                complete = false;
            } else if fresh || !last.is_some_and(|last| begin_alike(&file, last)) {
                found.push((birth, metadata.mtime(), metadata.mtime_nsec(), file, id));
            }
        }
        // A file that is renamed while the folder is read may be passed over.
        if complete && stamp == changed(&folder) {
            break;
        }
    }
    found.sort_by_key(|(birth, modified, nanoseconds, ..)| (*birth, *modified, *nanoseconds));
    found.into_iter().map(|(.., file, id)| (file, id)).collect()
}

/// Finds a file in the folder in which `path` is renamed, under whatever name
/// it has there.
///
/// # Blocking
///
/// Reads a folder: blocks the calling thread.
pub(crate) fn find(path: &Path, id: FileId) -> Option<File> {
    let (folder, _) = place(path);
    for _ in 0..AGAIN {
        let stamp = changed(&folder);
        let entries = fs::read_dir(&folder).ok()?;
        // The inode comes with the entry, and spares a `stat` of all the others.
        let mut same = entries.flatten().filter(|entry| entry.ino() == id.inode);
        let found = same.find_map(|entry| {
            let (file, opened) = file::open(&entry.path()).ok()?;
            (opened == id).then_some(file)
        });
        // Passed over, if it was renamed while the folder was read.
        if found.is_some() || stamp == changed(&folder) {
            return found;
        }
    }
    None
}

/// Returns the folder in which a file of the name `path` is renamed, and its
/// name there: through symbolic links, and whether there is such a file now or
/// not.
pub(crate) fn place(path: &Path) -> (PathBuf, OsString) {
    names(path).pop().unwrap_or_else(|| (folder(path), OsString::new()))
}

/// Returns the folders in which a name leads to `path`, with that name: its
/// own, and one more for each symbolic link on the way.
pub(crate) fn names(path: &Path) -> Vec<(PathBuf, OsString)> {
    let mut names = Vec::new();
    let mut path = path.to_owned();
    while names.len() < MOST_LINKS {
        let Some(name) = path.file_name() else { break };
        let folder = folder(&path);
        names.push((folder.clone(), name.to_owned()));
        let Ok(target) = fs::read_link(&path) else { break };
        path = folder.join(target);
    }
    names
}

fn folder(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Returns when a name in the folder has come or gone last.
fn changed(folder: &Path) -> Option<(i64, i64)> {
    fs::metadata(folder).ok().map(|metadata| (metadata.ctime(), metadata.ctime_nsec()))
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

    /// Logs in a folder, each of them born in a tick of its own.
    struct Logs {
        path: PathBuf,
        youngest: SystemTime,
        _folder: tempfile::TempDir,
    }

    impl Logs {
        fn new() -> Logs {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("app.log");
            Logs { path, youngest: SystemTime::UNIX_EPOCH, _folder: folder }
        }

        fn create(&mut self) -> File {
            loop {
                let file = File::create_new(&self.path).unwrap();
                let birth = born(&file.metadata().unwrap());
                if birth > self.youngest {
                    self.youngest = birth;
                    return File::open(&self.path).unwrap();
                }
                fs::remove_file(&self.path).unwrap();
            }
        }

        fn rotate(&self, number: u32) {
            fs::rename(&self.path, self.path.with_extension(format!("log.{number}"))).unwrap();
        }

        fn between(&self, last: &File, next: &File) -> Vec<FileId> {
            let since = last.metadata().unwrap().modified().unwrap();
            let found = between(&self.path, Some(last), next, since, |id| id == self::id(last));
            found.into_iter().map(|(_, id)| id).collect()
        }
    }

    fn id(file: &File) -> FileId {
        FileId::of(&file.metadata().unwrap())
    }

    #[test]
    fn a_rotation_in_the_midst_of_the_search_neither_hides_nor_doubles_a_file() {
        let mut logs = Logs::new();
        let last = logs.create();
        logs.rotate(1);
        let passed_over = logs.create();
        logs.rotate(2);
        let next = logs.create();
        assert_eq!(logs.between(&last, &next), [id(&passed_over)]);
        // From now on the name has gone on, and the search is still for what
        // came before `next`.
        logs.rotate(3);
        assert_eq!(logs.between(&last, &next), [id(&passed_over)], "the name is nobody's");
        let _ = logs.create();
        assert_eq!(logs.between(&last, &next), [id(&passed_over)], "the name is another's");
        logs.rotate(4);
        let _ = logs.create();
        assert_eq!(logs.between(&last, &next), [id(&passed_over)], "two have come since");
    }

    #[test]
    fn finds_the_place_of_a_name_through_links_and_without_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("logs")).unwrap();
        std::os::unix::fs::symlink("logs/current", at("app.log")).unwrap();
        std::os::unix::fs::symlink("real.log", at("logs/current")).unwrap();
        assert_eq!(place(&at("app.log")), (at("logs"), "real.log".into()));
        assert_eq!(place(&at("other")), (folder.path().to_owned(), "other".into()));
        assert_eq!(place(Path::new("here")), (".".into(), "here".into()));
    }

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
