//! Files that were rotated away between two looks.
//!
//! A rotation gives the name of a log to a new file. Two rotations between two
//! looks leave a file that the name led to for a moment only, when nobody
//! looked. It still lies in the folder, under a name of its own.

use std::cmp::Ordering;
use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::{DirEntryExt, FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::following::file;
use crate::following::identity::{Before, FileId};
use crate::following::path;
use crate::following::reading::before;
use crate::following::rotated::{Rotated, rotated};

/// How far the clock of a file system may lag behind ours: it ticks.
const TICK: Duration = Duration::from_millis(20);

/// The same for a file system that does not know when a file was born: most of these
/// count whole seconds.
const COARSE_TICK: Duration = Duration::from_secs(2);

/// A file that is younger is taken for a log without comparing its bytes with those of
/// the last file: nobody copies a log in the moment of its rotation.
const RECENT: Duration = Duration::from_secs(1);

/// How often a folder is read again if it changes while it is read.
const AGAIN: usize = 10;

/// A file that was found in a folder.
#[derive(Debug)]
pub(crate) struct Sibling {
    pub(crate) path: PathBuf,
    pub(crate) file: File,
    pub(crate) id: FileId,
}

/// What was found between two files of a name.
#[derive(Debug, Default)]
pub(crate) struct Between {
    /// The oldest first.
    pub(crate) files: Vec<Sibling>,
    /// The present name of the older one of the two, if rotated logs do not have such
    /// names: then others may have one, too.
    pub(crate) unknown_name: Option<OsString>,
}

/// Guesses which files had the name `path` after `since` and have lost it
/// again, where nobody watched.
///
/// `last` is the file that had the name before, `next` the file that was found under it
/// just now. A file between them lies in the same folder and has the name of a rotated
/// log. It was born after `since` and before `next`. Its name says that it is younger
/// than `last`, if both have a number or a date. A file that begins with the same bytes
/// as `last`, and ends with those that `last` has there, is a copy; if only its first
/// bytes are the same, its program begins each log in the same way. Files that are
/// `known` are left out. `next` may have lost the name by now: the next look finds the
/// files that came after it.
///
/// # Blocking
///
/// Reads a folder: blocks the calling thread.
pub(crate) fn between(
    path: &Path,
    last: Option<&File>,
    next: &File,
    since: SystemTime,
    known: impl Fn(FileId, &Metadata) -> bool,
) -> Between {
    let (folder, name) = path::target(path);
    let Ok(after) = next.metadata() else { return Between::default() };
    let last = last.and_then(|file| Some((file, file.metadata().ok()?)));
    let last_name = last.as_ref().filter(|(_, last)| last.nlink() > 0).and_then(|(_, last)| {
        let found = find(&folder, FileId::of(last)).ok()??;
        Some(found.path.file_name()?.to_owned())
    });
    if last.as_ref().is_some_and(|(_, last)| last.nlink() > 0) && last_name.is_none() {
        // It lies elsewhere: a link leads to another folder now.
        return Between::default();
    }
    let last_rotated = last_name.as_deref().and_then(|last| rotated(&name, last));
    let window = Window::new(last.as_ref().map(|(_, last)| last), &after, since);

    let mut found: Vec<(Rotated, Metadata, Sibling)> = Vec::new();
    for _ in 0..AGAIN {
        let stamp = changed(&folder);
        let Ok(entries) = fs::read_dir(&folder) else { break };
        let mut complete = true;
        for entry in entries.flatten() {
            let Some(kind) = rotated(&name, &entry.file_name()) else { continue };
            let Ok(metadata) = entry.metadata() else {
                complete = false;
                continue;
            };
            let id = FileId::of(&metadata);
            let had = known(id, &metadata)
                || id == FileId::of(&after)
                || found.iter().any(|(.., other)| other.id == id);
            let order = last_rotated.as_ref().and_then(|last| kind.partial_cmp(last));
            if had || !window.holds(&metadata, order) {
                continue;
            }
            let path = entry.path();
            let Ok((file, opened)) = file::open(&path) else {
                complete = false;
                continue;
            };
            // A birth in the future, however far, is no age.
            let age = SystemTime::now().duration_since(born(&metadata));
            let fresh = age.map_or(true, |age| age < RECENT);
            let copy = || {
                let last = last.as_ref().map(|(last, _)| last);
                let size = metadata.len();
                last.is_some_and(|last| is_copy(&file, last, size).unwrap_or(false))
            };
            if opened != id {
                complete = false;
            } else if fresh || !copy() {
                found.push((kind, metadata, Sibling { path, file, id }));
            }
        }
        // A file that is renamed while the folder is read may be passed over.
        if complete && stamp == changed(&folder) {
            break;
        }
    }
    found.sort_by(|(kind, one, _), (other_kind, other, _)| {
        let times = |it: &Metadata| (born(it), it.mtime(), it.mtime_nsec());
        let by_times = times(one).cmp(&times(other));
        if window.births { by_times } else { kind.partial_cmp(other_kind).unwrap_or(by_times) }
    });
    let unknown_name = last_name.filter(|last| *last != name && last_rotated.is_none());
    Between { files: found.into_iter().map(|(.., sibling)| sibling).collect(), unknown_name }
}

/// When a file must have been born to be between two others.
struct Window {
    since: SystemTime,
    until: SystemTime,
    /// Whether the file system knows births. A last write may be much later,
    /// and on a file system without births its clock mostly ticks by seconds.
    births: bool,
}

impl Window {
    fn new(last: Option<&Metadata>, next: &Metadata, since: SystemTime) -> Window {
        let births = next.created().is_ok();
        // Younger than the file before, too: that excludes files that lay there when
        // the merge began.
        let last = last.map_or(SystemTime::UNIX_EPOCH, born);
        let since = if births { last.max(since - TICK) } else { since - COARSE_TICK };
        Window { since, until: born(next), births }
    }

    /// Tells whether a file is between; `order` says whether its name is older
    /// (less) than that of the file before, where names say so.
    fn holds(&self, metadata: &Metadata, order: Option<Ordering>) -> bool {
        let birth = born(metadata);
        if self.births {
            return self.since <= birth && birth <= self.until;
        }
        order.map_or(self.since <= birth, |order| order == Ordering::Greater)
    }
}

/// Finds a file in a folder, under whatever name it has there. The device is not
/// compared: a boot renumbers it.
///
/// # Blocking
///
/// Reads the folder: blocks the calling thread.
pub(crate) fn find(folder: &Path, id: FileId) -> io::Result<Option<Sibling>> {
    for _ in 0..AGAIN {
        let stamp = changed(folder);
        let entries = fs::read_dir(folder)?;
        // The inode comes with the entry, and spares a `stat` of all the others.
        let mut same = entries.flatten().filter(|entry| entry.ino() == id.inode);
        let found = same.find_map(|entry| {
            let path = entry.path();
            let (file, opened) = file::open(&path).ok()?;
            (opened.inode == id.inode).then_some(Sibling { path, file, id: opened })
        });
        // Passed over, if it was renamed while the folder was read.
        if found.is_some() || stamp == changed(folder) {
            return Ok(found);
        }
    }
    Ok(None)
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

/// Tells whether a file of `size` bytes is a copy of the first `size` bytes of another
/// one: both begin and end alike.
pub(crate) fn is_copy(copy: &File, original: &File, size: u64) -> io::Result<bool> {
    Ok(size > 0
        && begin_alike(copy, original)
        && before(copy, size, Before::MOST)? == before(original, size, Before::MOST)?)
}

/// Returns when a file was made; if the file system does not know, when it was last
/// written.
fn born(metadata: &Metadata) -> SystemTime {
    metadata.created().or_else(|_| metadata.modified()).unwrap_or(SystemTime::UNIX_EPOCH)
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
            let found = between(&self.path, Some(last), next, since, |id, _| id == self::id(last));
            found.files.into_iter().map(|sibling| sibling.id).collect()
        }
    }

    fn id(file: &File) -> FileId {
        FileId::of(&file.metadata().unwrap())
    }

    #[test]
    fn a_log_that_begins_as_the_one_before_is_no_copy_of_it() {
        let mut logs = Logs::new();
        let lines = |last: &str| "what a program says at each start\n".repeat(20) + last;
        let last = logs.create();
        fs::write(&logs.path, lines("1\n")).unwrap();
        logs.rotate(3);
        let [other, copy] = [("2\n", 2), ("", 1)].map(|(end, number)| {
            let file = logs.create();
            fs::write(&logs.path, lines(end)).unwrap();
            logs.rotate(number);
            file
        });
        // Nobody compares files that are just made.
        let old = || born(&copy.metadata().unwrap()) + RECENT < SystemTime::now();
        testkit::until("the files are old enough", old);
        let next = logs.create();
        assert_eq!(logs.between(&last, &next), [id(&other)]);
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
}
