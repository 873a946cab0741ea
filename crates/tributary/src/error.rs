//! What can go wrong; every error about a file names its path.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};

/// Why a merge did not begin, or ended before its time.
///
/// `Display` says one part of the story and leaves the cause to
/// [`source`](std::error::Error::source), so that a chain printed as a whole
/// says nothing twice.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A source could not be opened.
    #[error("{}: cannot open this source", Shown(path))]
    Open {
        /// The path of the source.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// A source could not be read.
    #[error("{}: cannot read this source", Shown(path))]
    Read {
        /// The path of the source.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// The output could not be created or opened.
    #[error("{}: cannot open the output", Shown(path))]
    Create {
        /// The path of the output.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// The output could not be written.
    #[error("{}: cannot write the output", Shown(path))]
    Write {
        /// The path of the output.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// A source is something that cannot be merged: a directory, a pipe, a device.
    #[error("{}: this is {what}, not a log file", Shown(path))]
    NotAFile {
        /// The path of the source.
        path: PathBuf,
        /// What it is, with its article.
        what: String,
    },
    /// The process has reached its limit of open files.
    #[error(
        "{}: too many open files, the limit is {limit}; raise it with `ulimit -n NUMBER`",
        Shown(path)
    )]
    TooManyFiles {
        /// The path of the source that found no descriptor.
        path: PathBuf,
        /// The soft limit of this process.
        limit: u64,
    },
    /// The output is one of the sources, by name or through a link.
    #[error("{}: the output is also a source (as {})", Shown(output), Shown(path))]
    OutputIsSource {
        /// The path of the output.
        output: PathBuf,
        /// The path of the source that is the same file.
        path: PathBuf,
    },
    /// A pattern of paths cannot be understood.
    #[error("{pattern:?}: this pattern cannot be understood: {why}")]
    BadPattern {
        /// The pattern.
        pattern: String,
        /// Why.
        why: String,
    },
    /// No file fits a pattern of paths, and the merge does not wait for one.
    #[error("{pattern:?}: no file fits this pattern{hint}")]
    NothingFits {
        /// The pattern.
        pattern: String,
        /// What to type instead, after a semicolon; empty if there is no guess.
        hint: String,
    },
    /// The output cannot be used as the plan says.
    #[error("{}: {why}", Shown(path))]
    BadOutput {
        /// The path of the output.
        path: PathBuf,
        /// Why, and what to do.
        why: String,
    },
    /// The output has lines, and no checkpoint knows them.
    #[error("{}: it has {bytes} bytes, and no checkpoint says which lines they are", Shown(path))]
    UnknownLines {
        /// The path of the output.
        path: PathBuf,
        /// Its length.
        bytes: u64,
    },
    /// The checkpoint could not be read or written.
    #[error("{}: cannot keep the checkpoint", Shown(path))]
    Checkpoint {
        /// The path of the checkpoint.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// The path of the checkpoint leads to something that a checkpoint must not replace: a
    /// source, a folder, a pipe, a device, or a file that is no checkpoint.
    #[error("{}: no checkpoint can be kept here, since this is {what}; name another", Shown(path))]
    NotACheckpoint {
        /// The path of the checkpoint.
        path: PathBuf,
        /// What it is, with its article.
        what: String,
    },
    /// The checkpoint cannot be understood or does not fit. Without it nobody knows
    /// which lines are in the output.
    #[error("{}: this checkpoint is of no use: {why}", Shown(path))]
    BadCheckpoint {
        /// The path of the checkpoint.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// A thread or an event loop could not be started.
    #[error("cannot start a thread or an event loop")]
    Runtime(#[source] io::Error),
    /// The thread that writes is gone: never the cause, always the
    /// consequence of a panic that comes out when the thread is joined.
    #[error("the writer thread is gone")]
    WriterGone,
}

impl Error {
    /// Says why a source could not be opened.
    pub(crate) fn of_open(path: &Path, cause: io::Error) -> Error {
        let path = path.to_owned();
        if cause.kind() == io::ErrorKind::InvalidInput && cause.raw_os_error().is_none() {
            Error::NotAFile { path, what: cause.to_string() }
        } else if Errno::from_io_error(&cause) == Some(Errno::MFILE) {
            let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
            Error::TooManyFiles { path, limit }
        } else {
            Error::Open { path, cause }
        }
    }

    /// Returns the path that the error is about, if it is about one.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Error::Open { path, .. }
            | Error::Read { path, .. }
            | Error::Create { path, .. }
            | Error::Write { path, .. }
            | Error::NotAFile { path, .. }
            | Error::TooManyFiles { path, .. }
            | Error::BadOutput { path, .. }
            | Error::UnknownLines { path, .. }
            | Error::Checkpoint { path, .. }
            | Error::NotACheckpoint { path, .. }
            | Error::BadCheckpoint { path, .. } => Some(path),
            Error::OutputIsSource { output, .. } => Some(output),
            Error::BadPattern { .. }
            | Error::NothingFits { .. }
            | Error::Runtime(_)
            | Error::WriterGone => None,
        }
    }
}

/// A path on one line: control characters and bytes that are not UTF-8 are
/// escaped, everything else is shown as it is.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a>(pub &'a Path);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use std::os::unix::ffi::OsStrExt;
        for chunk in self.0.as_os_str().as_bytes().utf8_chunks() {
            for c in chunk.valid().chars() {
                if c.is_control() {
                    write!(f, "{}", c.escape_default())?;
                } else {
                    write!(f, "{c}")?;
                }
            }
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        Ok(())
    }
}
