//! A person's own files, read once before anything runs.

use std::collections::HashSet;
use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, bail};
use runner::Interrupt;
use tributary::Shown;

/// Readable files, each once.
#[derive(Debug)]
pub(crate) struct OwnFiles {
    paths: Vec<PathBuf>,
    seen: Vec<Seen>,
}

/// The identity of a file, and the fields that change when it is written to.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Seen {
    device_and_inode: (u64, u64),
    bytes: u64,
    modified: Option<SystemTime>,
}

impl Seen {
    fn of(metadata: &Metadata) -> Seen {
        Seen {
            device_and_inode: (metadata.dev(), metadata.ino()),
            bytes: metadata.len(),
            modified: metadata.modified().ok(),
        }
    }
}

impl OwnFiles {
    /// Reads every file once. A file that is named twice, or through a link, is taken
    /// once. The read warms the page cache for all contenders alike, and finds an
    /// unreadable file before a stage does.
    pub(crate) fn open(files: &[PathBuf], interrupt: &Interrupt) -> anyhow::Result<OwnFiles> {
        let mut own = OwnFiles { paths: Vec::new(), seen: Vec::new() };
        let mut known = HashSet::new();
        for path in files {
            interrupt.check()?;
            let seen = read_once(path)?;
            if known.insert(seen.device_and_inode) {
                own.paths.push(path.clone());
                own.seen.push(seen);
            }
        }
        Ok(own)
    }

    pub(crate) fn paths(&self) -> &[PathBuf] {
        &self.paths
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.seen.iter().map(|seen| seen.bytes).sum()
    }

    /// Fails if a file has changed since: figures and findings would be about different
    /// bytes.
    pub(crate) fn still_the_same(&self) -> anyhow::Result<()> {
        for (path, seen) in self.paths.iter().zip(&self.seen) {
            let now = fs::metadata(path).map(|metadata| Seen::of(&metadata));
            if !now.is_ok_and(|now| now == *seen) {
                bail!(
                    "{}: the file has changed meanwhile, copy it and compare the copy",
                    Shown(path)
                );
            }
        }
        Ok(())
    }
}

fn read_once(path: &Path) -> anyhow::Result<Seen> {
    let cannot = || format!("{}: cannot read this file", Shown(path));
    let metadata = fs::metadata(path).with_context(cannot)?;
    if metadata.is_dir() {
        bail!("{}: this is a directory, name the files in it", Shown(path));
    }
    if !metadata.is_file() {
        bail!("{}: this is no regular file, leave it out", Shown(path));
    }
    let mut file = File::open(path).with_context(cannot)?;
    io::copy(&mut file, &mut io::sink()).with_context(cannot)?;
    Ok(Seen::of(&metadata))
}
