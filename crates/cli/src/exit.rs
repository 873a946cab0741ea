//! The exit codes, and which error has which.

use std::fs;
use std::io::{self, ErrorKind};

use rustix::io::Errno;
use tributary::Error;

/// A source failed while it was read, or was left out, and the rest was merged; or the
/// system refused a thread.
pub(crate) const SOURCE: u8 = 1;
/// What was asked for cannot be done; nothing was changed.
pub(crate) const USAGE: u8 = 2;
/// The output failed, or its checkpoint.
pub(crate) const OUTPUT: u8 = 3;
/// A signal cut the merge short, or a second one ended the process.
pub(crate) const INTERRUPTED: u8 = 130;

/// Returns the exit code of an error.
pub(crate) fn code(error: &Error) -> u8 {
    match error {
        Error::Open { .. }
        | Error::NotAFile { .. }
        | Error::TooManyFiles { .. }
        | Error::OutputIsSource { .. }
        | Error::BadPattern { .. }
        | Error::NothingFits { .. } => USAGE,
        Error::Create { .. }
        | Error::Write { .. }
        | Error::BadOutput { .. }
        | Error::UnknownLines { .. }
        | Error::Checkpoint { .. }
        | Error::NotACheckpoint { .. }
        | Error::BadCheckpoint { .. } => OUTPUT,
        _ => SOURCE,
    }
}

/// Tells whether the reader of the output has gone away.
pub(crate) fn is_closed_pipe(error: &Error) -> bool {
    matches!(error, Error::Write { cause, .. } if cause.kind() == ErrorKind::BrokenPipe)
}

/// Returns an error with its causes, and with what to do at the end, on one line.
pub(crate) fn story(error: Error) -> String {
    let advice = advice(&error);
    let told = format!("{:#}", anyhow::Error::new(error));
    match advice {
        Some(advice) => format!("{told}; {advice}"),
        None => told,
    }
}

/// Says what to do, where the error does not say it itself.
fn advice(error: &Error) -> Option<&'static str> {
    let kind = |cause: &io::Error| cause.kind();
    Some(match error {
        Error::Open { path, cause } => match kind(cause) {
            ErrorKind::NotFound if path.as_os_str().as_encoded_bytes().contains(&b'*') => {
                "nothing fits, or it was quoted; --watch takes a pattern, and waits with --follow"
            }
            ErrorKind::NotFound => "check the name, or wait for the file with --follow",
            ErrorKind::PermissionDenied => "ask for the permission to read it",
            _ => return None,
        },
        Error::NotAFile { what, .. } if what == "a pipe" => {
            "write it to a file first, as with `zcat old.gz > old.log`"
        }
        Error::NotAFile { what, .. } if what == "a directory" => {
            "for the logs in it write --watch 'FOLDER/*.log'"
        }
        Error::NotAFile { .. } => "name regular files",
        // The output is stdout: `> a.log` has emptied the source.
        Error::OutputIsSource { output, path }
            if !output.exists() && fs::metadata(path).is_ok_and(|it| it.len() == 0) =>
        {
            "it is empty: the shell has emptied it before tributary began; use -o, which refuses \
             that before it empties anything"
        }
        Error::OutputIsSource { .. } => "name another output, nothing was changed",
        Error::Create { cause, .. } | Error::Checkpoint { cause, .. } => match kind(cause) {
            ErrorKind::NotFound => "make its folder first",
            ErrorKind::IsADirectory => "name a file in it",
            ErrorKind::PermissionDenied => "ask for the permission to write it",
            ErrorKind::ReadOnlyFilesystem => "name a file elsewhere",
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "make room and start again",
            _ => return None,
        },
        Error::Write { cause, .. } => match kind(cause) {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "make room and start again",
            ErrorKind::FileTooLarge => "rotate it, or raise the limit with `ulimit -f`",
            _ => return None,
        },
        Error::UnknownLines { .. } => {
            "--append goes on behind them, --restart starts the output anew"
        }
        Error::BadCheckpoint { .. } => {
            "restore it; or move it away, and --append goes on behind the lines that are in the \
             output; or --restart starts the output anew"
        }
        Error::Runtime(cause) | Error::Read { cause, .. } if is_too_many_files(cause) => {
            "raise the limit with `ulimit -n`"
        }
        Error::Runtime(_) => "raise the limit of processes with `ulimit -u`",
        _ => return None,
    })
}

/// Tells whether this process, or the system, has no descriptor left.
fn is_too_many_files(cause: &io::Error) -> bool {
    matches!(Errno::from_io_error(cause), Some(Errno::MFILE | Errno::NFILE))
}
