//! Where sources and merged files are put.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use rustix::fs::StatVfs;
use tempfile::TempDir;
use tributary::Shown;

use results::Size;

/// How the names of temporary folders begin.
const PREFIX: &str = "tributary-compare-";

/// A folder that is removed at the end, unless it is to be kept.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    /// Removes the folder when it is dropped; `None` if it is kept.
    temporary: Option<TempDir>,
}

impl Folder {
    /// Makes a temporary folder, or takes the one that is to be kept (and makes
    /// it, but not the folder that it is in).
    pub(crate) fn open(keep: Option<&Path>) -> anyhow::Result<Folder> {
        let Some(keep) = keep else {
            let temporary = tempfile::Builder::new().prefix(PREFIX).tempdir();
            let temporary = temporary.with_context(|| {
                let all = env::temp_dir();
                format!("{}: cannot make a folder here, choose another with TMPDIR", Shown(&all))
            })?;
            return Ok(Folder { path: temporary.path().to_owned(), temporary: Some(temporary) });
        };
        if !keep.is_dir() {
            fs::create_dir(keep).with_context(|| {
                format!("{}: cannot make this folder, name another with --keep", Shown(keep))
            })?;
        }
        Ok(Folder { path: keep.to_owned(), temporary: None })
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
            .with_context(|| format!("{}: cannot make a folder here", Shown(&self.path)))
    }

    /// Returns a folder for what is not measured, and removed with the answer:
    /// in memory where there is room, since to make thousands of files may take
    /// a disk longer than all that is done with them. Whoever has named a place,
    /// by `TMPDIR`, has it there.
    pub(crate) fn in_memory(&self) -> anyhow::Result<TempDir> {
        const MEMORY: &str = "/dev/shm";
        const ENOUGH: u64 = 1 << 30;
        let free = |disk: StatVfs| disk.f_bavail.saturating_mul(disk.f_frsize);
        let is_there = rustix::fs::statvfs(MEMORY).is_ok_and(|disk| free(disk) >= ENOUGH);
        if is_there
            && env::var_os("TMPDIR").is_none()
            && let Ok(folder) = tempfile::Builder::new().prefix(PREFIX).tempdir_in(MEMORY)
        {
            return Ok(folder);
        }
        self.passing()
    }

    /// Returns the path of a merged file.
    pub(crate) fn merged(&self, job: &str, contender: &str) -> PathBuf {
        self.path.join(job).join(format!("merged-by-{contender}.log"))
    }

    pub(crate) fn is_kept(&self) -> bool {
        self.temporary.is_none()
    }

    /// Fails if fewer bytes than this are free.
    pub(crate) fn need(&self, bytes: u64, job: &str) -> anyhow::Result<()> {
        // A system that cannot tell will say so by a write that fails.
        let Ok(disk) = rustix::fs::statvfs(&self.path) else { return Ok(()) };
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
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
    fn what_is_not_measured_has_a_folder_that_goes() {
        let folder = Folder::open(None).unwrap();
        let in_memory = folder.in_memory().unwrap();
        let path = in_memory.path().to_owned();
        assert!(path.starts_with("/dev/shm") || path.starts_with(&folder.path), "{path:?}");
        fs::write(path.join("file"), "").unwrap();
        drop(in_memory);
        assert!(!path.exists());
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
