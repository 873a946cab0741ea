//! Which file a source reads: how it is opened, and how it is known again.
//!
//! A path names one file today and another tomorrow; device and inode name
//! the file itself. Whatever a source has to know about that is in here, so
//! that [`Source`](crate::Source) is about lines alone.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;

use crate::Error;

/// Names a file, whatever its path: device and inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct FileId {
    pub(crate) device: u64,
    pub(crate) inode: u64,
}

impl FileId {
    pub(crate) fn of(metadata: &Metadata) -> FileId {
        FileId { device: metadata.dev(), inode: metadata.ino() }
    }
}

/// The file that a source reads now.
#[derive(Debug)]
pub(crate) struct Followed {
    file: File,
    id: FileId,
}

impl Followed {
    /// Opens the file at `path`, which must be a regular one.
    pub(crate) fn open(path: &Path) -> Result<Followed, Error> {
        let failed = |cause| Error::Open { path: path.to_owned(), cause };
        // Opened without waiting: a pipe without a writer would hang us here,
        // and for a regular file the flag means nothing.
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
            .open(path)
            .map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        if let Some(what) = not_a_log_file(&metadata) {
            let path = path.to_owned();
            return Err(Error::NotAFile { path, what });
        }
        let id = FileId::of(&metadata);
        Ok(Followed { file, id })
    }

    pub(crate) fn id(&self) -> FileId {
        self.id
    }

    /// Returns the size of the file now, in bytes.
    pub(crate) fn size(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    /// Reads into `buffer` from `offset` on; returns how many bytes came, 0 at
    /// the end of the file.
    pub(crate) fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        loop {
            match self.file.read_at(buffer, offset) {
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
                read => return read,
            }
        }
    }
}

/// Says what a file is that is not a regular one.
fn not_a_log_file(metadata: &Metadata) -> Option<&'static str> {
    let kind = metadata.file_type();
    if kind.is_file() {
        None
    } else if kind.is_dir() {
        Some("a directory")
    } else if kind.is_fifo() {
        Some("a pipe")
    } else if kind.is_socket() {
        Some("a socket")
    } else {
        Some("a device")
    }
}
