//! The merged file.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use crate::identity::FileId;
use crate::{Error, Lines, SourceReport, Stop, Written};

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
    file: File,
    written: Written,
    opened: Instant,
    stop: Stop,
    /// The error of the first append that failed. What follows it would tear
    /// the line that it cut, so nothing does.
    failed: Option<(io::ErrorKind, Option<i32>)>,
    finished: bool,
}

impl Output {
    /// Opens the file at `path`, and leaves its bytes alone until
    /// [`truncate`](Output::truncate).
    pub(crate) fn open(path: PathBuf, stop: &Stop) -> Result<Output, Error> {
        let opened = Instant::now();
        // Not `truncate(true)`: first it has to be known whose bytes those are.
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(&path);
        match file {
            Ok(file) => Ok(Output {
                path: path.into(),
                file,
                written: Written {
                    lines: 0,
                    bytes: 0,
                    sources: Vec::new(),
                    duration: opened.elapsed(),
                },
                opened,
                stop: stop.clone(),
                failed: None,
                finished: false,
            }),
            Err(cause) => Err(Error::Create { path, cause }),
        }
    }

    /// Returns device and inode of the output.
    pub(crate) fn id(&self) -> Result<FileId, Error> {
        let metadata = self.file.metadata().map_err(|cause| self.error(cause))?;
        Ok(FileId::of(&metadata))
    }

    /// Empties the file, and notes which sources will be counted.
    pub(crate) fn begin<'a>(
        &mut self,
        sources: impl Iterator<Item = &'a Path>,
    ) -> Result<(), Error> {
        let metadata = self.file.metadata().map_err(|cause| self.error(cause))?;
        // Only if there is something to cut: closing a fresh file after a
        // truncation makes ext4 write it to the disk at once.
        if metadata.is_file() && metadata.len() > 0 {
            self.file.set_len(0).map_err(|cause| self.error(cause))?;
        }
        self.written.sources = sources
            .map(|path| SourceReport { path: path.to_owned(), lines: 0, bytes: 0 })
            .collect();
        Ok(())
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
    /// the reader of a pipe, takes.
    ///
    /// # Errors
    ///
    /// [`Error::Write`] with the path of the output. The merge has then been
    /// asked to stop, and every later append fails in the same way.
    ///
    /// # Panics
    ///
    /// Panics if the lines come from another plan.
    pub fn append(&mut self, lines: &Lines) -> Result<(), Error> {
        if let Some(failed) = self.failed {
            return Err(self.error(again(failed)));
        }
        if let Err(cause) = self.file.write_all(lines.as_bytes()) {
            self.failed = Some((cause.kind(), cause.raw_os_error()));
            self.stop.request();
            return Err(self.error(cause));
        }
        let bytes = lines.as_bytes().len() as u64;
        let source = &mut self.written.sources[lines.source()];
        source.lines += lines.count();
        source.bytes += bytes;
        self.written.lines += lines.count();
        self.written.bytes += bytes;
        Ok(())
    }

    /// Ends the output and says what it took in.
    ///
    /// Every byte is then on its way to the disk: handed to the operating
    /// system, not yet synced.
    ///
    /// # Errors
    ///
    /// [`Error::Write`], if an append has failed.
    pub fn finish(&mut self) -> Result<Written, Error> {
        self.finished = true;
        match self.failed {
            Some(failed) => Err(self.error(again(failed))),
            None => {
                self.written.duration = self.opened.elapsed();
                Ok(self.written.clone())
            }
        }
    }

    fn error(&self, cause: io::Error) -> Error {
        Error::Write { path: self.path.to_path_buf(), cause }
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
    }
}
