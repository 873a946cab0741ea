//! Which files had the name of a log and have lost it, and where they lie now.
//!
//! The kernel tells a rename in two halves, `MOVED_FROM` and `MOVED_TO`, which
//! carry one cookie. So it is known, not guessed, which file had the name, for
//! as long as the name is watched without a gap.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use crate::waking::inotify::Wd;
use crate::waking::watches::Id;

/// How many departures of one log are kept for a follower that does not ask.
const MOST: usize = 1000;

/// A name in a folder that is watched.
pub(super) type Place = (Wd, OsString);

/// The files that have lost the name of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Departed {
    /// The name was not watched all the time, or others may rename its file
    /// from elsewhere.
    Unknown,
    /// All of them, except that one over which another file was renamed while
    /// it had the name leaves no trace.
    Known {
        /// Where they lie now, in the order in which they lost the name.
        paths: Vec<PathBuf>,
        /// How many more there are, which are not to be found: deleted, or
        /// moved to where nobody watches.
        unseen: usize,
    },
}

#[derive(Debug, Default)]
pub(super) struct Renames {
    logs: HashMap<Id, Log>,
    /// The oldest first.
    departures: Vec<Departure>,
    /// The number of the last departure.
    last: u64,
}

#[derive(Debug, Default)]
struct Log {
    /// Where its file is renamed, if that is watched.
    place: Option<Place>,
    unseen: usize,
    /// How often it was not watched for a while.
    gaps: u64,
    /// How many of these gaps the follower knows of, and has made up for.
    closed: u64,
    /// What the follower was told last.
    told: Told,
}

#[derive(Debug, Default)]
struct Told {
    last: u64,
    unseen: usize,
    gaps: u64,
}

/// A file that has lost the name of a log.
#[derive(Debug)]
struct Departure {
    log: Id,
    number: u64,
    at: At,
}

#[derive(Debug, PartialEq, Eq)]
enum At {
    Lies(Place),
    /// Out of this folder; the second half of the rename has not come.
    Moving(Wd, u32),
}

impl At {
    fn is(&self, folder: Wd, name: &OsStr) -> bool {
        matches!(self, At::Lies((wd, other)) if *wd == folder && other == name)
    }

    fn folder(&self) -> Wd {
        match self {
            At::Lies((wd, _)) | At::Moving(wd, _) => *wd,
        }
    }
}

impl Renames {
    /// Takes on a log, or another place of one.
    pub(super) fn enter(&mut self, id: Id, place: Option<Place>) {
        if self.logs.entry(id).or_default().place != place {
            self.gap(id);
            self.logs.entry(id).or_default().place = place;
        }
    }

    pub(super) fn remove(&mut self, id: Id) {
        self.logs.remove(&id);
        self.departures.retain(|departure| departure.log != id);
    }

    /// Notes that events were lost.
    pub(super) fn lost(&mut self) {
        let logs: Vec<_> = self.logs.keys().copied().collect();
        logs.into_iter().for_each(|id| self.gap(id));
    }

    /// Notes that a folder is watched no longer.
    pub(super) fn unwatched(&mut self, folder: Wd) {
        for log in self.logs.values_mut() {
            if log.place.as_ref().is_some_and(|(wd, _)| *wd == folder) {
                log.place = None;
                log.gaps += 1;
            }
        }
        let there = self.departures.iter().filter(|departure| departure.at.folder() == folder);
        let logs: Vec<_> = there.map(|departure| departure.log).collect();
        logs.into_iter().for_each(|id| self.gap(id));
    }

    /// Tells whether an event of a name that is no log's can matter.
    pub(super) fn any(&self) -> bool {
        !self.departures.is_empty()
    }

    /// The first half of a rename, of a name which `ids` have as theirs.
    pub(super) fn moved_from(&mut self, folder: Wd, name: &OsStr, cookie: u32, ids: &[Id]) {
        for departure in &mut self.departures {
            if departure.at.is(folder, name) {
                departure.at = At::Moving(folder, cookie);
            }
        }
        for log in self.named(folder, name, ids) {
            if self.departures.len() >= MOST
                && self.departures.iter().filter(|it| it.log == log).count() >= MOST
            {
                self.gap(log);
            }
            self.last += 1;
            let at = At::Moving(folder, cookie);
            self.departures.push(Departure { log, number: self.last, at });
        }
    }

    /// The second half. Returns the logs whose files these are.
    pub(super) fn moved_to(&mut self, folder: Wd, name: &OsStr, cookie: u32) -> Vec<Id> {
        // What lay there has been replaced.
        self.lose(|departure| departure.at.is(folder, name));
        let mut moved = Vec::new();
        let logs = &self.logs;
        self.departures.retain_mut(|departure| {
            if !matches!(departure.at, At::Moving(_, other) if other == cookie) {
                return true;
            }
            let place = (folder, name.to_owned());
            moved.push(departure.log);
            let back = logs.get(&departure.log).and_then(|log| log.place.as_ref()) == Some(&place);
            departure.at = At::Lies(place);
            !back
        });
        moved
    }

    pub(super) fn deleted(&mut self, folder: Wd, name: &OsStr, ids: &[Id]) {
        self.lose(|departure| departure.at.is(folder, name));
        for id in self.named(folder, name, ids) {
            self.logs.entry(id).or_default().unseen += 1;
        }
    }

    /// Returns the departures of a log whose second half has not come, and the
    /// folder that each is from.
    pub(super) fn moving(&self, id: Id) -> Vec<(u64, Wd)> {
        let mine = self.departures.iter().filter(|departure| departure.log == id);
        mine.filter_map(|departure| match departure.at {
            At::Moving(wd, _) => Some((departure.number, wd)),
            At::Lies(_) => None,
        })
        .collect()
    }

    /// Notes that the second half of these will not come.
    pub(super) fn moved_out(&mut self, moving: &[(u64, Wd)]) {
        self.lose(|it| {
            matches!(it.at, At::Moving(..)) && moving.iter().any(|(number, _)| *number == it.number)
        });
    }

    /// Says which files of a log have lost their name; `path` leads to a place.
    pub(super) fn tell(&mut self, id: Id, path: impl Fn(&Place) -> Option<PathBuf>) -> Departed {
        let Some(log) = self.logs.get_mut(&id) else { return Departed::Unknown };
        log.told = Told { last: self.last, unseen: log.unseen, gaps: log.gaps };
        if log.place.is_none() || log.gaps != log.closed {
            return Departed::Unknown;
        }
        let mine = self.departures.iter().filter(|departure| departure.log == id);
        let paths = mine.filter_map(|departure| match &departure.at {
            At::Lies(place) => path(place),
            At::Moving(..) => None,
        });
        Departed::Known { paths: paths.collect(), unseen: log.unseen }
    }

    /// Forgets what was told last, and only that: what came since is not known
    /// to the follower yet.
    pub(super) fn forget(&mut self, id: Id) {
        let Some(log) = self.logs.get_mut(&id) else { return };
        log.closed = log.told.gaps;
        log.unseen -= log.told.unseen;
        log.told.unseen = 0;
        let last = log.told.last;
        self.departures.retain(|departure| departure.log != id || departure.number > last);
    }

    /// Forgets all of a log, since something was missed.
    fn gap(&mut self, id: Id) {
        if let Some(log) = self.logs.get_mut(&id) {
            log.gaps += 1;
            log.unseen = 0;
            log.told.unseen = 0;
        }
        self.departures.retain(|departure| departure.log != id);
    }

    /// Returns which of the logs have their file there, not only a link to it.
    fn named(&self, folder: Wd, name: &OsStr, ids: &[Id]) -> Vec<Id> {
        let there = |id: &&Id| {
            let place = self.logs.get(id).and_then(|log| log.place.as_ref());
            place.is_some_and(|(wd, other)| *wd == folder && other == name)
        };
        ids.iter().filter(there).copied().collect()
    }

    /// Drops departures of files that are not to be found any more.
    fn lose(&mut self, gone: impl Fn(&Departure) -> bool) {
        let logs = &mut self.logs;
        self.departures.retain(|departure| {
            let gone = gone(departure);
            if gone && let Some(log) = logs.get_mut(&departure.log) {
                log.unseen += 1;
            }
            !gone
        });
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.logs.is_empty() && self.departures.is_empty()
    }
}
