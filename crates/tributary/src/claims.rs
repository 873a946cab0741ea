//! Who reads which file: one source, whatever the names are.
//!
//! `tributary a.log a.log.1` names two files until the first rotation, which
//! gives the second name to the first file. Without an agreement that file
//! would be read twice.

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use crate::identity::{FileId, Position};

/// How long it is remembered how far a file was read that was let go.
const REMEMBERED: Duration = Duration::from_secs(300);

/// The files that the sources of one plan read.
#[derive(Debug, Default)]
pub(crate) struct Claims {
    output: OnceLock<FileId>,
    files: Mutex<HashMap<FileId, Claim>>,
}

#[derive(Debug)]
enum Claim {
    /// This source reads it.
    Held(usize),
    /// A source has read it so far, and let it go then.
    Left(Box<Position>, Instant),
}

/// The answer to a source that wants to read a file.
#[derive(Debug)]
pub(crate) enum Claimed {
    /// It may, from the start.
    Yours,
    /// It may, from where another source stood.
    From(Box<Position>),
    /// It may not: another source does.
    Anothers,
    /// It may not: this is the output of the merge.
    Output,
}

impl Claims {
    /// Says which file is the output, once that is known.
    pub(crate) fn output(&self, id: FileId) {
        let _ = self.output.set(id);
    }

    /// Asks for a file on behalf of `source`.
    pub(crate) fn claim(&self, id: FileId, source: usize) -> Claimed {
        if self.output.get() == Some(&id) {
            return Claimed::Output;
        }
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        match files.insert(id, Claim::Held(source)) {
            Some(Claim::Held(other)) if other != source => {
                files.insert(id, Claim::Held(other));
                Claimed::Anothers
            }
            Some(Claim::Left(position, _)) => Claimed::From(position),
            _ => Claimed::Yours,
        }
    }

    /// Tells whether a file was let go.
    pub(crate) fn is_released(&self, id: FileId) -> bool {
        let files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        matches!(files.get(&id), Some(Claim::Left(..)))
    }

    /// Lets a file go, which has been read as far as `position`.
    pub(crate) fn release(&self, position: Position) {
        let now = Instant::now();
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.retain(|_, claim| match claim {
            Claim::Held(_) => true,
            Claim::Left(_, since) => now.duration_since(*since) < REMEMBERED,
        });
        files.insert(position.file, Claim::Left(Box::new(position), now));
    }
}
