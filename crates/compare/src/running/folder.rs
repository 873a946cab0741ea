//! Where sources and merged files are put.

use std::env;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use report::Size;
use tempfile::TempDir;
use tributary::Shown;

use crate::asking::places::take_folder;

/// The beginning of the names of temporary folders.
const PREFIX: &str = "tributary-compare-";
/// With fewer bytes free than this, a disk counts as full.
const LEAST: u64 = 64 * 1024;

/// A folder that is removed at the end, unless `--keep` names it.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    /// Removes the folder on drop; `None` under `--keep`.
    temporary: Option<TempDir>,
}

impl Folder {
    /// Makes a temporary folder, or takes the one of `--keep`.
    pub(crate) fn open(keep: Option<&Path>, force: bool) -> anyhow::Result<Folder> {
        if let Some(keep) = keep {
            take_folder(keep, "--keep", force)?;
            return Ok(Folder { path: keep.to_owned(), temporary: None });
        }
        let temporary = temporary_in(&env::temp_dir(), ", choose another with TMPDIR")?;
        Ok(Folder { path: temporary.path().to_owned(), temporary: Some(temporary) })
    }

    /// Makes the folder of a job, if it is missing, and returns its path.
    pub(crate) fn of(&self, job: &str) -> anyhow::Result<PathBuf> {
        let path = self.path.join(job);
        fs::create_dir_all(&path)
            .with_context(|| format!("{}: cannot make this folder", Shown(&path)))?;
        Ok(path)
    }

    /// Makes a folder in this one that is removed on drop, under `--keep` too.
    pub(crate) fn passing(&self) -> anyhow::Result<TempDir> {
        temporary_in(&self.path, "")
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

    /// Fails if fewer than `bytes` are free.
    pub(crate) fn need(&self, bytes: u64, job: &str) -> anyhow::Result<()> {
        // Where the system does not tell, a full disk shows as a failed write.
        let Some(free) = free(&self.path).filter(|free| *free < bytes) else { return Ok(()) };
        bail!(
            "{}: {} free, but {job} needs {}, choose another folder with TMPDIR or --keep",
            Shown(&self.path),
            Size(free),
            Size(bytes)
        )
    }

    /// Says whether the disk of a merged file is full: then its failure is not the
    /// contender's mistake.
    pub(crate) fn is_full(output: &Path) -> bool {
        output.parent().and_then(free).is_some_and(|free| free < LEAST)
    }

    /// Removes a file; a missing one is no error.
    pub(crate) fn remove(path: &Path) -> anyhow::Result<()> {
        match fs::remove_file(path) {
            Err(cause) if cause.kind() != ErrorKind::NotFound => {
                Err(cause).with_context(|| format!("{}: cannot remove this file", Shown(path)))
            }
            _ => Ok(()),
        }
    }
}

fn temporary_in(folder: &Path, advice: &str) -> anyhow::Result<TempDir> {
    let made = tempfile::Builder::new().prefix(PREFIX).tempdir_in(folder);
    made.with_context(|| format!("{}: cannot make a folder here{advice}", Shown(folder)))
}

/// The bytes free on the disk of `path`, if the system tells.
fn free(path: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(path).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_is_too_small_is_named_with_the_way_to_another() {
        let folder = Folder::open(None, false).unwrap();
        folder.need(1, "backlog").unwrap();
        let said = folder.need(u64::MAX, "backlog").unwrap_err().to_string();
        assert!(said.starts_with(&folder.path.display().to_string()), "{said}");
        assert!(said.contains("free, but backlog needs") && said.contains("TMPDIR"), "{said}");
    }
}
