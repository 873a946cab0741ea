//! Where sources and merged files are put.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use tempfile::TempDir;
use tributary::Shown;

use crate::keeping::writable::{folder_of, plain, try_in};
use report::Size;

/// How the names of temporary folders begin.
const PREFIX: &str = "tributary-compare-";
/// Where Linux has files in memory.
const MEMORY: &str = "/dev/shm";
/// How much has to be free there for what is not measured.
const ENOUGH: u64 = 1 << 30;

/// With fewer bytes than this a disk is full: nobody writes less at once.
const LEAST: u64 = 64 * 1024;

/// A folder that is removed at the end, unless it is to be kept.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    /// Removes the folder when it is dropped; `None` if it is kept.
    temporary: Option<TempDir>,
    /// Keeps others out of a folder that is kept, where the system can.
    _lock: Option<File>,
}

impl Folder {
    /// Makes a temporary folder, or takes the one that is to be kept (and makes
    /// it, but not the folder that it is in).
    pub(crate) fn open(keep: Option<&Path>) -> anyhow::Result<Folder> {
        let Some(keep) = keep else {
            let temporary = tempfile::Builder::new().prefix(PREFIX).tempdir();
            let temporary = temporary.map_err(plain).with_context(|| {
                let all = env::temp_dir();
                format!("{}: cannot make a folder here, choose another with TMPDIR", Shown(&all))
            })?;
            let path = temporary.path().to_owned();
            return Ok(Folder { path, temporary: Some(temporary), _lock: None });
        };
        if !keep.is_dir() {
            fs::create_dir(keep).with_context(|| {
                format!("{}: cannot make this folder, name another with --keep", Shown(keep))
            })?;
        }
        try_in(keep).with_context(|| {
            format!("{}: cannot write into this folder, name another with --keep", Shown(keep))
        })?;
        let _lock = lock(keep)?;
        Ok(Folder { path: keep.to_owned(), temporary: None, _lock })
    }

    /// Returns the folder for one job, which is made.
    pub(crate) fn of(&self, job: &str) -> anyhow::Result<PathBuf> {
        let path = self.path.join(job);
        fs::create_dir_all(&path)
            .with_context(|| format!("{}: cannot make this folder", Shown(&path)))?;
        Ok(path)
    }

    /// Returns a folder for what is not kept, and removed with the answer.
    pub(crate) fn passing(&self) -> anyhow::Result<TempDir> {
        tempfile::Builder::new()
            .prefix(PREFIX)
            .tempdir_in(&self.path)
            .map_err(plain)
            .with_context(|| format!("{}: cannot make a folder here", Shown(&self.path)))
    }

    /// Returns a folder for what is not measured, and removed with the answer:
    /// in memory where there is room, since to make thousands of files may take
    /// a disk longer than all that is done with them. Whoever has named a place,
    /// by `TMPDIR`, has it there.
    pub(crate) fn in_memory(&self) -> anyhow::Result<TempDir> {
        let has_named_a_place = env::var_os("TMPDIR").is_some();
        self.temporary((!has_named_a_place).then_some(Path::new(MEMORY)), ENOUGH)
    }

    /// Makes a temporary folder in `memory`, if so many bytes are free there, or
    /// else in this one.
    fn temporary(&self, memory: Option<&Path>, enough: u64) -> anyhow::Result<TempDir> {
        if let Some(memory) = memory
            && has_room(memory, enough)
            && let Ok(folder) = tempfile::Builder::new().prefix(PREFIX).tempdir_in(memory)
        {
            return Ok(folder);
        }
        self.passing()
    }

    /// Returns the path of a merged file.
    pub(crate) fn merged(&self, job: &str, contender: &str) -> PathBuf {
        self.path.join(job).join(format!("merged-by-{contender}.log"))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn is_kept(&self) -> bool {
        self.temporary.is_none()
    }

    /// Fails if fewer bytes than this are free.
    pub(crate) fn need(&self, bytes: u64, job: &str) -> anyhow::Result<()> {
        // A system that cannot tell will say so by a write that fails.
        let Ok(free) = free(&self.path) else { return Ok(()) };
        if free >= bytes {
            return Ok(());
        }
        let (path, choose) = match &self.temporary {
            Some(temporary) => (temporary.path().parent().unwrap_or(&self.path), "TMPDIR"),
            None => (&*self.path, "--keep"),
        };
        bail!(
            "{}: {} free, but {job} needs {}, choose another folder with {choose}",
            Shown(path),
            Size(free),
            Size(bytes)
        )
    }

    /// Fails if there is no room left on the disk of a merged file: then it is not
    /// the contender's mistake that it has failed.
    pub(crate) fn still_has_room(output: &Path) -> anyhow::Result<()> {
        still_has(output, LEAST)
    }

    /// Removes a file of an earlier run, if there is one.
    pub(crate) fn remove(path: &Path) -> anyhow::Result<()> {
        match fs::remove_file(path) {
            Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => {
                Err(cause).with_context(|| format!("{}: cannot remove this file", Shown(path)))
            }
            _ => Ok(()),
        }
    }
}

fn free(path: &Path) -> rustix::io::Result<u64> {
    let disk = rustix::fs::statvfs(path)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Fails if fewer bytes than this are free where an output is.
fn still_has(output: &Path, least: u64) -> anyhow::Result<()> {
    let folder = folder_of(output);
    if !free(folder).is_ok_and(|free| free < least) {
        return Ok(());
    }
    // Nobody has typed the name of a temporary folder, but where it is.
    let is_temporary = |path: &&Path| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(PREFIX))
    };
    let temporary = folder.ancestors().filter(is_temporary).last();
    bail!(
        "{}: no space is left, make room or choose another folder with TMPDIR or --keep",
        Shown(temporary.and_then(Path::parent).unwrap_or(folder))
    )
}

/// Takes a folder for this process alone: two would write the same files, and
/// each would find those of the other wrong.
fn lock(keep: &Path) -> anyhow::Result<Option<File>> {
    // A folder that nobody may list, or a system that cannot lock one, is used
    // without.
    let Ok(folder) = File::open(keep) else { return Ok(None) };
    match flock(&folder, FlockOperation::NonBlockingLockExclusive) {
        Err(Errno::WOULDBLOCK) => bail!(
            "{}: another `cargo compare` works in this folder, wait for its end or name \
             another with --keep",
            Shown(keep)
        ),
        locked => Ok(locked.is_ok().then_some(folder)),
    }
}

fn has_room(path: &Path, bytes: u64) -> bool {
    free(path).is_ok_and(|free| free >= bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_is_too_small_is_named_with_the_way_to_another() {
        let folder = Folder::open(None).unwrap();
        folder.need(1, "backlog").unwrap();
        let said = folder.need(u64::MAX, "backlog").unwrap_err().to_string();
        // Without a slash at its end, which it may have.
        let all: PathBuf = std::env::temp_dir().components().collect();
        assert!(said.starts_with(&all.display().to_string()), "{said}");
        assert!(said.contains("free, but backlog needs") && said.ends_with("TMPDIR"), "{said}");
    }

    #[test]
    fn what_is_not_measured_is_in_memory_where_there_is_room_and_goes() {
        let folder = Folder::open(None).unwrap();
        let memory = tempfile::tempdir().unwrap();
        let missing = memory.path().join("missing");
        for (named, enough, is_in) in [
            (Some(memory.path()), 1, memory.path()),
            (Some(memory.path()), u64::MAX, &folder.path),
            (Some(&*missing), 1, &folder.path),
            (None, 1, &folder.path),
        ] {
            let temporary = folder.temporary(named, enough).unwrap();
            let path = temporary.path().to_owned();
            assert_eq!(path.parent(), Some(is_in), "{named:?} {enough}");
            fs::write(path.join("file"), "").unwrap();
            drop(temporary);
            assert!(!path.exists());
        }
    }

    #[test]
    fn whoever_has_named_a_place_has_it_there_and_nobody_else() {
        let folder = Folder::open(None).unwrap();
        let in_memory = folder.in_memory().unwrap();
        let is_in_memory = in_memory.path().starts_with(MEMORY);
        let has_named_a_place = env::var_os("TMPDIR").is_some();
        let can_be = has_room(Path::new(MEMORY), ENOUGH) && tempfile::tempdir_in(MEMORY).is_ok();
        assert_eq!(is_in_memory, can_be && !has_named_a_place);
    }

    #[test]
    fn a_disk_that_is_full_is_named_by_what_was_typed() {
        let outer = tempfile::tempdir().unwrap();
        for keep in [None, Some(outer.path())] {
            let folder = Folder::open(keep).unwrap();
            let passing = folder.passing().unwrap();
            let output = passing.path().join("merged.log");
            still_has(&output, 1).unwrap();
            let said = still_has(&output, u64::MAX).unwrap_err().to_string();
            let all: PathBuf = env::temp_dir().components().collect();
            let named = keep.unwrap_or(&all).display();
            assert_eq!(
                said,
                format!(
                    "{named}: no space is left, make room or choose another folder with TMPDIR \
                     or --keep"
                )
            );
        }
    }

    #[test]
    fn a_folder_that_is_kept_is_for_one_at_a_time() {
        let outer = tempfile::tempdir().unwrap();
        let first = Folder::open(Some(outer.path())).unwrap();
        let said = Folder::open(Some(outer.path())).unwrap_err().to_string();
        assert!(said.starts_with(&outer.path().display().to_string()), "{said}");
        assert!(said.contains("another `cargo compare` works in this folder"), "{said}");
        drop(first);
        Folder::open(Some(outer.path())).unwrap();
    }

    #[test]
    fn a_temporary_folder_goes_and_a_kept_one_stays() {
        let temporary = Folder::open(None).unwrap();
        let path = temporary.of("backlog").unwrap();
        drop(temporary);
        assert!(!path.exists());

        let outer = tempfile::tempdir().unwrap();
        let kept = Folder::open(Some(&outer.path().join("kept"))).unwrap();
        let path = kept.of("backlog").unwrap();
        drop(kept);
        assert!(path.exists());
    }
}
