//! The merged file.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use tracing::warn_span;

use crate::following::identity::FileId;
use crate::keeping::checkpoint::{self, Checkpoint};
use crate::keeping::saver::Saver;
use crate::{Durability, Error, Lines, Shown, SourceReport, Stop, Written};

/// Where the merged lines go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A file, or a pipe that has a name.
    Path(PathBuf),
    /// The standard output of this process.
    Stdout,
}

impl From<PathBuf> for Target {
    fn from(path: PathBuf) -> Target {
        Target::Path(path)
    }
}

impl From<&PathBuf> for Target {
    fn from(path: &PathBuf) -> Target {
        Target::Path(path.clone())
    }
}

impl From<&Path> for Target {
    fn from(path: &Path) -> Target {
        Target::Path(path.to_owned())
    }
}

impl From<&str> for Target {
    fn from(path: &str) -> Target {
        Target::Path(path.into())
    }
}

/// The merged file: chunks of whole lines go in, one after the other.
///
/// [`append`](Output::append) takes `&mut self`, so that sharing an output
/// between threads or tasks needs a guard. That guard is what the stages are
/// about, and without it they do not compile.
///
/// An output that fails, or that is dropped before it was finished, requests
/// the stop of its merge.
#[derive(Debug)]
pub struct Output {
    path: Arc<Path>,
    file: Arc<File>,
    lines: u64,
    bytes: u64,
    /// Path, lines and bytes of each source.
    sources: Vec<(Arc<Path>, u64, u64)>,
    /// Whether the file is ours to cut. What the shell has opened is not:
    /// `>> out` is to keep what was there.
    ours: bool,
    /// The length of a file of ours up to its last whole line, in bytes.
    length: Option<u64>,
    durability: Durability,
    checkpoint: Option<(Arc<Checkpoint>, Option<Saver>)>,
    opened: Instant,
    stop: Stop,
    /// The error of the first append that failed. What follows it would tear
    /// the line that it cut, so nothing does.
    failed: Option<(io::ErrorKind, Option<i32>)>,
    finished: bool,
}

impl Output {
    /// Opens the target, and leaves its bytes alone until one of `anew`,
    /// `behind` and `cut`. With `create`, it is made if it is not there.
    pub(crate) fn open(
        target: Target,
        create: bool,
        durability: Durability,
        stop: &Stop,
    ) -> Result<Output, Error> {
        let opened = Instant::now();
        let ours = target != Target::Stdout;
        let (path, file) = match target {
            // Not `truncate`: first it has to be known whose bytes those are.
            // Appending, so that the end stays the end, whoever cuts the file.
            Target::Path(path) => {
                let file = OpenOptions::new().append(true).create(create).open(&path);
                (path, file)
            }
            Target::Stdout => {
                let file = io::stdout().as_fd().try_clone_to_owned().map(File::from);
                ("standard output".into(), file)
            }
        };
        let file = match file {
            Ok(file) => file,
            Err(cause) => return Err(Error::Create { path, cause }),
        };
        Ok(Output {
            path: path.into(),
            file: Arc::new(file),
            lines: 0,
            bytes: 0,
            sources: Vec::new(),
            ours,
            length: None,
            durability,
            checkpoint: None,
            opened,
            stop: stop.clone(),
            failed: None,
            finished: false,
        })
    }

    /// Returns device and inode of the output, and its length if it is a
    /// regular file that is ours to cut.
    pub(crate) fn identify(&self) -> Result<(FileId, Option<u64>), Error> {
        let metadata = self.file.metadata().map_err(|cause| self.error(cause))?;
        let cut = self.ours && metadata.is_file();
        Ok((FileId::of(&metadata), cut.then_some(metadata.len())))
    }

    /// Locks a regular file against a second merge.
    pub(crate) fn lock(&self) -> Result<(), Error> {
        match flock(&*self.file, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::WOULDBLOCK) => Err(self.bad("another merge writes to it; end that first")),
            // Some file systems have no locks: then it is as it was without.
            _ => Ok(()),
        }
    }

    /// Starts the file anew, or leaves alone what cannot be cut.
    pub(crate) fn anew(&mut self) -> Result<(), Error> {
        // Only if there is something to cut: closing a fresh file after a
        // truncation makes ext4 write it to the disk at once.
        if self.identify()?.1.is_some_and(|length| length > 0) {
            self.file.set_len(0).map_err(|cause| self.error(cause))?;
        }
        self.length = self.identify()?.1;
        Ok(())
    }

    /// Goes on behind what is there; a half line at the end is ended first.
    pub(crate) fn behind(&mut self) -> Result<(), Error> {
        self.length = self.identify()?.1;
        let Some(length @ 1..) = self.length else { return Ok(()) };
        // Opened for writing alone: reading it takes another descriptor.
        let mut last = [0];
        let read = File::open(&self.path).and_then(|file| file.read_at(&mut last, length - 1));
        read.map_err(|cause| self.error(cause))?;
        if last != *b"\n" {
            (&*self.file).write_all(b"\n").map_err(|cause| self.error(cause))?;
            self.length = Some(length + 1);
        }
        Ok(())
    }

    /// Cuts the file back to `length`, as a checkpoint says.
    pub(crate) fn cut(&mut self, length: u64) -> Result<(), Error> {
        match self.identify()?.1 {
            Some(now) if now < length => Err(self.bad(&format!(
                "it has {now} bytes, and the checkpoint speaks of {length}; lines are missing. \
                 Remove the checkpoint to start anew"
            ))),
            _ => {
                self.file.set_len(length).map_err(|cause| self.error(cause))?;
                self.length = Some(length);
                Ok(())
            }
        }
    }

    /// Returns the length up to the last whole line, if it is a regular file.
    pub(crate) fn length(&self) -> Option<u64> {
        self.length
    }

    /// Notes a source that will be counted.
    pub(crate) fn count(&mut self, path: &Arc<Path>) {
        self.sources.push((Arc::clone(path), 0, 0));
    }

    /// Keeps a checkpoint from now on. With `follow`, a thread saves what no
    /// append comes after.
    pub(crate) fn keep(&mut self, checkpoint: Checkpoint, follow: bool) -> Result<(), Error> {
        // Before the first byte: a merge that is killed at once knows where
        // it began.
        checkpoint.save(&self.file)?;
        let checkpoint = Arc::new(checkpoint);
        let saver = follow.then(|| self.saver(&checkpoint)).transpose();
        self.checkpoint = Some((checkpoint, saver.map_err(Error::Runtime)?));
        Ok(())
    }

    fn saver(&self, checkpoint: &Arc<Checkpoint>) -> io::Result<Saver> {
        let (checkpoint, file) = (Arc::clone(checkpoint), Arc::clone(&self.file));
        let stop = self.stop.clone();
        Saver::start(checkpoint::EVERY, move || {
            // The error comes out at the end, which is to be soon.
            checkpoint.save(&file).inspect_err(|_| stop.request()).is_ok()
        })
    }

    /// Returns the path of the output, as it was given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes all of `lines` behind what is there.
    ///
    /// # Blocking
    ///
    /// Writes a file: blocks the calling thread for as long as the disk, or
    /// the reader of a pipe, takes. With [`Durability::Fsync`] until it is on
    /// the disk. With a checkpoint, every 200 ms also for as long as that takes
    /// to write.
    ///
    /// # Errors
    ///
    /// [`Error::Write`] with the path of the output, or [`Error::Checkpoint`]
    /// with that of the checkpoint. The merge has then been asked to stop, and
    /// every later append fails in the same way. A regular file is cut back to
    /// its last whole line.
    pub fn append(&mut self, lines: &Lines) -> Result<(), Error> {
        let source = Shown(&lines.path);
        let _span = warn_span!(target: "tributary", "append", %source).entered();
        if let Some(failed) = self.failed {
            return Err(self.error(again(failed)));
        }
        let appended = self.append_and_note(lines);
        if let Err(cause) = appended {
            self.failed = Some((cause.kind(), cause.raw_os_error()));
            self.stop.request();
            if let Some(length) = self.length {
                // A disk that is full still lets itself be cut.
                let _ = self.file.set_len(length);
            }
            return Err(self.error(cause));
        }
        if let Some((checkpoint, _)) = &self.checkpoint {
            let saved = checkpoint.save_if_due(&self.file);
            return saved.inspect_err(|_| self.stop.request());
        }
        Ok(())
    }

    fn append_and_note(&mut self, lines: &Lines) -> io::Result<()> {
        // Held over the write: a checkpoint is of a moment between two appends.
        let mut ledger = self.checkpoint.as_ref().map(|(checkpoint, _)| checkpoint.ledger());
        (&*self.file).write_all(lines.as_bytes())?;
        if self.durability == Durability::Fsync {
            sync(&self.file)?;
        }
        let news = ledger.as_mut().is_some_and(|ledger| ledger.note(lines));
        drop(ledger);
        if let Some((_, Some(saver))) = &self.checkpoint
            && news
        {
            saver.soon();
        }
        let bytes = lines.as_bytes().len() as u64;
        self.length = self.length.map(|length| length + bytes);
        self.lines += lines.count();
        self.bytes += bytes;
        // Logs that join by a pattern come later than the plan, and not in order.
        while self.sources.len() <= lines.source() {
            self.count(&lines.path);
        }
        let (path, source_lines, source_bytes) = &mut self.sources[lines.source()];
        path.clone_from(&lines.path);
        *source_lines += lines.count();
        *source_bytes += bytes;
        Ok(())
    }

    /// Ends the output and says what it took in.
    ///
    /// Every byte is then on its way to the disk: handed to the operating
    /// system, and synced if the [`Durability`] asks for it. A checkpoint
    /// speaks of all of it.
    ///
    /// # Blocking
    ///
    /// Blocks the calling thread for as long as the syncs take that were asked
    /// for, and the last checkpoint.
    ///
    /// # Errors
    ///
    /// [`Error::Write`], if an append has failed or the sync does;
    /// [`Error::Checkpoint`], if the last one cannot be written.
    pub fn finish(&mut self) -> Result<Written, Error> {
        let output = Shown(&self.path);
        let _span = warn_span!(target: "tributary", "finish", %output).entered();
        self.finished = true;
        // Also after a failure: the next run is to begin where this one ended.
        let saved = match &self.checkpoint {
            Some((checkpoint, _)) => checkpoint.save(&self.file),
            None => Ok(()),
        };
        if let Some(failed) = self.failed {
            return Err(self.error(again(failed)));
        }
        if self.durability == Durability::Flush {
            sync(&self.file).map_err(|cause| self.error(cause))?;
        }
        saved?;
        let sources = self.sources.iter().map(|(path, lines, bytes)| SourceReport {
            path: path.to_path_buf(),
            lines: *lines,
            bytes: *bytes,
        });
        Ok(Written {
            lines: self.lines,
            bytes: self.bytes,
            sources: sources.collect(),
            duration: self.opened.elapsed(),
        })
    }

    fn error(&self, cause: io::Error) -> Error {
        Error::Write { path: self.path.to_path_buf(), cause }
    }

    fn bad(&self, why: &str) -> Error {
        Error::BadOutput { path: self.path.to_path_buf(), why: why.to_owned() }
    }
}

/// Syncs a file; for a pipe or a device there is nothing to sync.
fn sync(file: &File) -> io::Result<()> {
    match file.sync_data() {
        Err(cause) if Errno::from_io_error(&cause) == Some(Errno::INVAL) => Ok(()),
        synced => synced,
    }
}

/// Says the same error once more: an `io::Error` cannot be cloned.
fn again((kind, code): (io::ErrorKind, Option<i32>)) -> io::Error {
    code.map_or_else(|| kind.into(), io::Error::from_raw_os_error)
}

impl Drop for Output {
    fn drop(&mut self) {
        if !self.finished {
            self.stop.request();
        }
        // Not left to the last descriptor: the saver may have one for a
        // moment longer, and the next merge is to find the output free.
        let _ = flock(&*self.file, FlockOperation::Unlock);
    }
}
