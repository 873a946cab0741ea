//! Who reads which file: one source, whatever the names are.
//!
//! `tributary a.log a.log.1` names two files until the first rotation, which
//! gives the second name to the first file. Without an agreement that file
//! would be read twice.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use crate::following::identity::{FileId, Position};

/// How long it is remembered how far a file was read that was let go.
const REMEMBERED: Duration = Duration::from_secs(300);

/// The files that the logs of one plan read, and what a checkpoint has to know
/// of them that no line tells.
#[derive(Debug, Default)]
pub(crate) struct Claims {
    output: OnceLock<FileId>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    files: HashMap<FileId, Claim>,
    /// How many files were claimed so far.
    count: u64,
    /// The path of each log, and when it last knew all files that it has named.
    looked: HashMap<usize, (Arc<Path>, SystemTime)>,
}

#[derive(Debug)]
enum Claim {
    /// This log reads it. Its number says which file came first.
    Held(usize, u64),
    /// A log has read it so far, and let it go then.
    Left(Box<Position>, Instant),
}

/// What a log holds.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) path: Arc<Path>,
    /// Until when all files are known that the path has named.
    pub(crate) at: SystemTime,
    /// The oldest first.
    pub(crate) files: Vec<FileId>,
}

/// The answer to a log that wants to read a file.
#[derive(Debug)]
pub(crate) enum Claimed {
    /// It may, from the start.
    Yours,
    /// It may, from where another log stood.
    From(Box<Position>),
    /// It may not: another log does.
    Anothers,
    /// It may not: this is the output of the merge.
    Output,
}

impl Claims {
    /// Says which file is the output, once that is known.
    pub(crate) fn output(&self, id: FileId) {
        let _ = self.output.set(id);
    }

    /// Tells whether a file is the output of the merge.
    pub(crate) fn is_output(&self, id: FileId) -> bool {
        self.output.get() == Some(&id)
    }

    /// Asks for a file on behalf of a log. Files are claimed in the order in
    /// which the path has named them.
    pub(crate) fn claim(&self, id: FileId, log: usize) -> Claimed {
        if self.is_output(id) {
            return Claimed::Output;
        }
        let mut state = self.state();
        match state.files.get(&id) {
            Some(Claim::Held(other, _)) if *other != log => return Claimed::Anothers,
            Some(Claim::Held(..)) => return Claimed::Yours,
            Some(Claim::Left(..)) | None => {}
        }
        state.count += 1;
        let claim = Claim::Held(log, state.count);
        match state.files.insert(id, claim) {
            Some(Claim::Left(position, _)) => Claimed::From(position),
            _ => Claimed::Yours,
        }
    }

    /// Notes that a log knows all files that its path has named until then.
    pub(crate) fn looked(&self, log: usize, path: &Arc<Path>, at: SystemTime) {
        self.state().looked.insert(log, (Arc::clone(path), at));
    }

    /// Returns what each log holds.
    pub(crate) fn held(&self) -> Vec<Held> {
        let state = self.state();
        let mut claims: Vec<_> = state.files.iter().collect();
        claims.sort_by_key(|(_, claim)| match claim {
            Claim::Held(_, count) => *count,
            Claim::Left(..) => 0,
        });
        let mut files: HashMap<usize, Vec<FileId>> = HashMap::new();
        for (id, claim) in claims {
            if let Claim::Held(log, _) = claim {
                files.entry(*log).or_default().push(*id);
            }
        }
        let logs = state.looked.iter().map(|(log, (path, at))| Held {
            path: Arc::clone(path),
            at: *at,
            files: files.remove(log).unwrap_or_default(),
        });
        logs.collect()
    }

    /// Tells whether a file is read by a log, or was not long ago.
    pub(crate) fn knows(&self, id: FileId) -> bool {
        self.state().files.contains_key(&id)
    }

    /// Lets a file go, which has been read as far as `position`.
    pub(crate) fn release(&self, position: Position) {
        let now = Instant::now();
        let mut state = self.state();
        state.files.retain(|_, claim| match claim {
            Claim::Held(..) => true,
            Claim::Left(_, since) => now.duration_since(*since) < REMEMBERED,
        });
        state.files.insert(position.file, Claim::Left(Box::new(position), now));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
