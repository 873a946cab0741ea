//! Which files had the name of a log and have lost it, and where they lie now.
//!
//! The kernel tells a rename in two halves, `MOVED_FROM` and `MOVED_TO`, which
//! carry one cookie. So it is known, not guessed, which file had the name, for
//! as long as the name is watched without a gap.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::waking::inotify::Wd;
use crate::waking::watches::{Id, Name};

/// How many departures of one log are kept for a follower that does not ask.
const MOST: usize = 1000;

/// The files that have lost the name of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Departed {
    /// The name was not watched all the time, or others may rename its file
    /// from elsewhere.
    Unknown,
    /// All of them, but for a file over which another one was renamed while it
    /// had the name: that leaves no trace.
    Known {
        /// Where they lie now, in the order in which they lost the name.
        paths: Vec<PathBuf>,
        /// How many more there are that cannot be found: deleted, or moved to where
        /// nobody watches.
        unseen: usize,
    },
}

/// Departures that the followers have not been told of, or have not forgotten. A
/// follower is told of them, opens the files, and forgets then: departures in between
/// stay.
#[derive(Debug, Default)]
pub(super) struct Renames {
    /// The oldest first.
    departures: Vec<Departure>,
    /// The logs of which something was missed, and whether their follower was
    /// told that.
    gaps: BTreeMap<Id, bool>,
}

/// A file that has lost the name of a log.
#[derive(Debug)]
struct Departure {
    log: Id,
    /// Whether the follower was told of it.
    told: bool,
    at: At,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum At {
    Lies(Wd, Name),
    /// Out of a folder. The other half of the rename has not come.
    Moving(Half),
    /// It cannot be found any more.
    Gone,
}

/// One half of a rename: out of a folder, or into one. Both halves have the same
/// cookie; it is nought where a file was made or deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Half {
    pub(super) folder: Wd,
    pub(super) cookie: u32,
}

impl Renames {
    /// Forgets all of a log, since something was missed.
    pub(super) fn gap(&mut self, log: Id) {
        self.departures.retain(|departure| departure.log != log);
        self.gaps.insert(log, false);
    }

    pub(super) fn remove(&mut self, log: Id) {
        self.gap(log);
        self.gaps.remove(&log);
    }

    /// Notes that a folder is watched no longer: the files there are lost from sight.
    pub(super) fn unwatched(&mut self, folder: Wd) {
        let there = |departure: &&Departure| match departure.at {
            At::Lies(wd, _) | At::Moving(Half { folder: wd, .. }) => wd == folder,
            At::Gone => false,
        };
        let logs: Vec<_> = self.departures.iter().filter(there).map(|it| it.log).collect();
        logs.into_iter().for_each(|log| self.gap(log));
    }

    /// Notes that a file has left a name. `logs` are those whose name it is.
    pub(super) fn left(&mut self, from: Half, name: &Name, logs: &[Id]) {
        let here = At::Lies(from.folder, name.clone());
        let to = || if from.cookie == 0 { At::Gone } else { At::Moving(from) };
        for departure in &mut self.departures {
            // It had lost the name of a log before, and loses this one now.
            if departure.at == here {
                departure.at = to();
            }
        }
        for &log in logs {
            if self.departures.iter().filter(|it| it.log == log).count() < MOST {
                self.departures.push(Departure { log, told: false, at: to() });
            } else {
                self.gap(log);
            }
        }
    }

    /// Notes that a file has come to a name. `logs` are those whose name it is.
    pub(super) fn came(&mut self, to: Half, name: &Name, logs: &[Id]) {
        let there = At::Lies(to.folder, name.clone());
        self.departures.retain_mut(|departure| {
            if departure.at == there {
                // Another file was renamed over it.
                departure.at = At::Gone;
            } else if matches!(departure.at, At::Moving(half) if half.cookie == to.cookie) {
                departure.at = there.clone();
                // A file that has got the name back has not departed.
                return !logs.contains(&departure.log);
            }
            true
        });
    }

    /// Notes that the second halves of these will not come.
    pub(super) fn moved_out(&mut self, halves: &[Half]) {
        for departure in &mut self.departures {
            if matches!(&departure.at, At::Moving(half) if halves.contains(half)) {
                departure.at = At::Gone;
            }
        }
    }

    /// Returns the renames of a log's files that are under way.
    pub(super) fn moving(&self, log: Id) -> Vec<Half> {
        let moving = self.departures.iter().filter(|it| it.log == log).map(|it| &it.at);
        moving.filter_map(|at| if let At::Moving(half) = at { Some(*half) } else { None }).collect()
    }

    /// Says which files of a log have lost their name; `path` leads to a place.
    pub(super) fn tell(&mut self, log: Id, path: impl Fn(Wd, &Name) -> PathBuf) -> Departed {
        let (mut paths, mut unseen) = (Vec::new(), 0);
        for departure in self.departures.iter_mut().filter(|it| it.log == log) {
            departure.told = true;
            match &departure.at {
                At::Lies(folder, name) => paths.push(path(*folder, name)),
                At::Moving(_) | At::Gone => unseen += 1,
            }
        }
        match self.gaps.get_mut(&log) {
            Some(told) => {
                *told = true;
                Departed::Unknown
            }
            None => Departed::Known { paths, unseen },
        }
    }

    /// Forgets what the follower was told.
    pub(super) fn forget(&mut self, log: Id) {
        self.departures.retain(|departure| departure.log != log || !departure.told);
        self.forget_gap(log);
    }

    /// Forgets that something was missed, if the follower was told that.
    pub(super) fn forget_gap(&mut self, log: Id) {
        if self.gaps.get(&log) == Some(&true) {
            self.gaps.remove(&log);
        }
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.departures.is_empty() && self.gaps.is_empty()
    }
}
