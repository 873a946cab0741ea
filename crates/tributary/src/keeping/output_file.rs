//! The file that an output writes to, and what has become of its name.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Seek, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::sync::Arc;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use tracing::warn;

use crate::following::identity::FileId;
use crate::{Error, Shown, Target};

/// A file that is open for appending, under the name that it had then.
#[derive(Debug)]
pub(crate) struct OutputFile {
    pub(crate) path: Arc<Path>,
    pub(crate) file: Arc<File>,
    pub(crate) id: FileId,
    /// The length up to the last whole line. `None` for an output that is not ours to
    /// cut: a pipe, a device, and standard output, since `>> out` has to keep its
    /// lines.
    pub(crate) length: Option<u64>,
    /// Whether this is a stream, to which the merge sends the lines.
    pub(crate) is_stream: bool,
}

/// Where the name of the output leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Named {
    /// To the file that we write to, or nobody can say.
    Ours,
    /// To another file or to none: ours was renamed.
    Renamed,
    /// To another file or to none: ours was removed.
    Removed,
}

impl OutputFile {
    /// Opens the target, a file that is made if there is none, and leaves its
    /// bytes alone.
    pub(crate) fn open(target: &Target) -> Result<OutputFile, Error> {
        let path = match target {
            Target::Path(path) => path,
            Target::Stdout => Path::new("standard output"),
            Target::Stream(name) => Path::new(name),
        };
        OutputFile::open_at(path, target)
            .map_err(|cause| Error::Create { path: path.to_owned(), cause })
    }

    fn open_at(path: &Path, target: &Target) -> io::Result<OutputFile> {
        let file = match target {
            // Not `truncate`: whose bytes these are is not known yet. `append` writes
            // to the end of the file, whoever cuts it.
            Target::Path(path) => OpenOptions::new().append(true).create(true).open(path)?,
            Target::Stdout => io::stdout().as_fd().try_clone_to_owned()?.into(),
            // Nothing is written to this stand-in.
            Target::Stream(_) => OpenOptions::new().append(true).open("/dev/null")?,
        };
        let metadata = file.metadata()?;
        let ours = *target != Target::Stdout && metadata.is_file();
        Ok(OutputFile {
            path: path.into(),
            file: Arc::new(file),
            id: FileId::of(&metadata),
            length: ours.then_some(metadata.len()),
            is_stream: matches!(target, Target::Stream(_)),
        })
    }

    /// Returns the path by which another file may become the output.
    pub(crate) fn name(&self) -> Option<&Path> {
        (!self.is_stream).then_some(&self.path)
    }

    /// Locks a regular file against a second merge.
    pub(crate) fn lock(&self) -> io::Result<()> {
        if self.length.is_some() { lock(&self.file) } else { Ok(()) }
    }

    /// Goes on behind what is there; a half line at the end is ended first.
    pub(crate) fn behind(&mut self) -> io::Result<()> {
        let Some(known) = self.length else { return Ok(()) };
        let there = self.file.metadata()?.len();
        if there < known {
            warn!(
                "{}: it was truncated, from {known} bytes to {there}; the merge goes on behind those",
                Shown(&self.path)
            );
        }
        self.length = Some(there);
        if there == 0 {
            return Ok(());
        }
        // Opened for writing alone: reading it takes another descriptor.
        let mut last = [0];
        File::open(&self.path)?.read_at(&mut last, there - 1)?;
        if last == *b"\n" { Ok(()) } else { self.write(b"\n") }
    }

    /// Writes all of `bytes` behind what is there.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut file = &*self.file;
        write_all(file, bytes)?;
        let Some(known) = self.length else { return Ok(()) };
        // Asked, not added up: somebody else may have cut the file. After an append,
        // the offset is the end of the file.
        let end = file.stream_position()?;
        if end < known + bytes.len() as u64 {
            warn!(
                "{}: it was truncated while the merge wrote to it; the merge goes on behind what \
                 was left",
                Shown(&self.path)
            );
        }
        self.length = Some(end);
        Ok(())
    }

    /// Tells whether the file is shorter than it was left.
    pub(crate) fn is_truncated(&self) -> io::Result<bool> {
        Ok(self.length.is_some_and(|known| self.file.metadata().is_ok_and(|it| it.len() < known)))
    }

    /// Cuts the file to `length`. It never becomes longer than it is: that
    /// would fill it with NULs.
    pub(crate) fn cut(&mut self, length: u64) -> io::Result<()> {
        // Only if there is something to cut: closing a fresh file after a
        // truncation makes ext4 write it to the disk at once.
        if self.length.is_some() && self.file.metadata()?.len() > length {
            self.file.set_len(length)?;
            self.length = Some(length);
        }
        Ok(())
    }

    /// Asks where the name leads now.
    pub(crate) fn named(&self) -> io::Result<Named> {
        match fs::metadata(&self.path) {
            Ok(metadata) if FileId::of(&metadata) == self.id => return Ok(Named::Ours),
            Ok(_) => {}
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
            Err(_) => return Ok(Named::Ours),
        }
        let removed = self.file.metadata()?.nlink() == 0;
        Ok(if removed { Named::Removed } else { Named::Renamed })
    }

    /// Opens the name anew: a file that is made if there is none, locked, and
    /// gone on with behind what is there. `None` if it is the same file again. A file
    /// that the merge has another use of is refused: a source would be read and written
    /// for ever.
    pub(crate) fn reopen(
        &self,
        has_use_of: impl FnOnce(FileId, &Metadata) -> bool,
    ) -> io::Result<Option<OutputFile>> {
        // A FIFO would wait for its reader.
        if fs::metadata(&self.path).is_ok_and(|it| !it.is_file()) {
            return Err(io::Error::other("its name leads to something that is no regular file"));
        }
        let target = Target::Path(self.path.to_path_buf());
        let mut new = OutputFile::open_at(&self.path, &target)?;
        if new.id == self.id {
            return Ok(None);
        }
        if has_use_of(new.id, &new.file.metadata()?) {
            let what = "its name leads to a source or to the checkpoint of the merge";
            return Err(io::Error::other(what));
        }
        new.lock()?;
        new.behind()?;
        Ok(Some(new))
    }
}

impl Drop for OutputFile {
    fn drop(&mut self) {
        // Not left to the last descriptor: the saver may have one for a moment longer,
        // and the next merge must find the output free.
        if self.length.is_some() {
            let _ = flock(&*self.file, FlockOperation::Unlock);
        }
    }
}

/// Writes all of `bytes`. A pipe that answers "not now" is waited for: some
/// programs hand on a stdout of that kind.
fn write_all(mut file: &File, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match file.write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => bytes = &bytes[written..],
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
            Err(cause) if cause.kind() == io::ErrorKind::WouldBlock => {
                match poll(&mut [PollFd::new(&file, PollFlags::OUT)], None) {
                    Ok(_) | Err(Errno::INTR) => {}
                    Err(cause) => return Err(cause.into()),
                }
            }
            Err(cause) => return Err(cause),
        }
    }
    Ok(())
}

pub(crate) fn lock(file: &File) -> io::Result<()> {
    match flock(file, FlockOperation::NonBlockingLockExclusive) {
        Err(Errno::WOULDBLOCK) => {
            let why = "another merge writes to it; end that first";
            Err(io::Error::new(io::ErrorKind::ResourceBusy, why))
        }
        // Some file systems have no locks: their files stay unlocked.
        _ => Ok(()),
    }
}
