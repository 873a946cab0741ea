//! The table of watches: who is rung by what, and when. It lies behind the
//! notifier's lock.
//!
//! Nothing in here asks a file system, so the lock is never held for long.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::OsStr;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Instant;

use tracing::warn;

use crate::waking::change::Bell;
use crate::waking::inotify::{Inotify, Wd};
use crate::waking::poller::Target;
use crate::waking::renames::{Departed, Half, Renames};

/// Names a target: a log, or a folder of a pattern.
pub(super) type Id = u64;

/// A name in a folder.
pub(super) type Name = Arc<OsStr>;

/// What is watched: a name in a folder; without a name, the file or folder
/// itself, and all that happens in it.
pub(super) type Place = (Wd, Option<Name>);

/// The places that name a path, each with the path of its folder.
pub(super) type Found = Vec<(PathBuf, Place)>;

#[derive(Debug, Default)]
pub(super) struct Watches {
    inotify: Arc<Inotify>,
    last: Id,
    watched: HashMap<Id, Watched>,
    /// Who is rung by what happens where.
    rings: BTreeSet<(Place, Id)>,
    /// The paths of the folders that are watched.
    folders: HashMap<Wd, PathBuf>,
    pub(super) renames: Renames,
    /// The targets whose path is polled every interval, since nothing notifies.
    pub(super) polled: HashMap<Id, Arc<Target>>,
    /// Who is rung when. A bell that is gone stays in here until its time.
    deadlines: BTreeMap<Instant, Vec<Weak<Bell>>>,
    /// The bells that the events taken in have to ring: each is marked.
    rung: Vec<Arc<Bell>>,
    /// Whether a warning about an overflow was given.
    told_lost: bool,
}

#[derive(Debug)]
struct Watched {
    target: Arc<Target>,
    /// Where the path is watched. At the last place its file is renamed.
    places: Vec<Place>,
}

impl Watches {
    pub(super) fn new(inotify: Arc<Inotify>) -> Watches {
        Watches { inotify, ..Watches::default() }
    }

    pub(super) fn add(&mut self, target: Arc<Target>) -> Id {
        self.last += 1;
        self.watched.insert(self.last, Watched { target, places: Vec::new() });
        self.last
    }

    pub(super) fn remove(&mut self, id: Id) {
        self.leave(id);
        self.watched.remove(&id);
        self.polled.remove(&id);
        self.renames.remove(id);
    }

    pub(super) fn targets(&self) -> impl Iterator<Item = &Arc<Target>> {
        self.watched.values().map(|watched| &watched.target)
    }

    /// Enters where a path is watched. Returns true if all of that was entered
    /// before, and the way to the file has not changed since.
    pub(super) fn enter(&mut self, id: Id, found: Found) -> bool {
        let Some(watched) = self.watched.get_mut(&id) else { return false };
        if watched.places.iter().eq(found.iter().map(|(_, place)| place)) {
            return watched.target.named.load(Ordering::SeqCst);
        }
        let places: Vec<_> = found.iter().map(|(_, place)| place.clone()).collect();
        let old = std::mem::replace(&mut watched.places, places.clone());
        if old.last() != places.last() {
            self.renames.gap(id);
        }
        for (path, place) in found {
            self.folders.insert(place.0, path);
            self.rings.insert((place, id));
        }
        for place in old.into_iter().filter(|place| !places.contains(place)) {
            self.leave_place(place, id);
        }
        false
    }

    /// Notes that a path is watched no longer.
    pub(super) fn leave(&mut self, id: Id) {
        if let Some(watched) = self.watched.get(&id) {
            watched.target.named.store(false, Ordering::SeqCst);
            self.enter(id, Found::new());
        }
    }

    /// Enters the watch of a file.
    pub(super) fn enter_file(&mut self, wd: Wd, id: Id) {
        self.rings.insert(((wd, None), id));
    }

    /// Has a place ring a target no longer, and ends the watch if it rings
    /// nobody else.
    pub(super) fn leave_place(&mut self, place: Place, id: Id) {
        let wd = place.0;
        self.rings.remove(&(place, id));
        if self.rung_by(wd).next().is_none() {
            if self.folders.remove(&wd).is_some() {
                self.renames.unwatched(wd);
            }
            self.inotify.remove(wd);
        }
    }

    /// Has a bell rung at `when`; true if no other time comes before.
    pub(super) fn ring_at(&mut self, when: Instant, bell: &Arc<Bell>) -> bool {
        self.deadlines.entry(when).or_default().push(Arc::downgrade(bell));
        self.deadline() == Some(when)
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.deadlines.first_key_value().map(|(when, _)| *when)
    }

    /// Says which files have lost the name of a log; or, as an error, which
    /// renames of these are under way.
    pub(super) fn departed(&mut self, log: Id) -> Result<Departed, Vec<Half>> {
        let halves = self.renames.moving(log);
        if !halves.is_empty() {
            return Err(halves);
        }
        let folders = &self.folders;
        let departed = self.renames.tell(log, |folder, name| folders[&folder].join(&**name));
        let is_watched = self.watched.get(&log).is_some_and(|it| !it.places.is_empty());
        Ok(if is_watched { departed } else { Departed::Unknown })
    }

    /// Returns the path of a folder that is watched.
    pub(super) fn folder(&self, wd: Wd) -> Option<PathBuf> {
        self.folders.get(&wd).cloned()
    }

    /// Rings the bells that are due `now`.
    pub(super) fn ring_due(&mut self, now: Instant) {
        while let Some(first) = self.deadlines.first_entry().filter(|it| *it.key() <= now) {
            let due = first.remove().into_iter().filter_map(|bell| Weak::upgrade(&bell));
            self.rung.extend(due.inspect(|bell| bell.mark()));
        }
    }

    /// Tells whether there is somebody to ring.
    pub(super) fn rings(&self) -> bool {
        !self.rung.is_empty()
    }

    /// Takes the bells that have to ring.
    pub(super) fn take_rung(&mut self) -> Vec<Arc<Bell>> {
        let mut rung = std::mem::take(&mut self.rung);
        // A busy folder rings the same bell for each name.
        rung.dedup_by(|one, other| Arc::ptr_eq(one, other));
        rung
    }

    /// Takes in that a file has changed, or that a folder was moved or deleted.
    pub(super) fn changed(&mut self, wd: Wd) {
        let is_folder = self.folders.contains_key(&wd);
        let rung: Vec<_> = self.rung_by(wd).map(|(_, id)| *id).collect();
        for id in rung {
            if is_folder {
                self.leave(id);
                self.ring(id);
            } else if let Some(bell) = self.bell(id)
                && bell.mark_written()
            {
                self.rung.push(bell);
            }
        }
    }

    /// Takes in that a name came to a folder, or left it. By a rename, both
    /// carry one cookie; otherwise, that is nought.
    pub(super) fn name_changed(&mut self, half: Half, name: &OsStr, came: bool) {
        let (wd, name) = (half.folder, Name::from(name));
        if !self.folders.contains_key(&wd) {
            // Told before its watch was ended.
            return;
        }
        self.at((wd, None)).into_iter().for_each(|id| self.ring(id));
        let place = (wd, Some(name.clone()));
        let mut logs = self.at(place.clone());
        for log in &logs {
            // The name may lead elsewhere now, and has to be watched anew.
            self.watched[log].target.named.store(false, Ordering::SeqCst);
            self.ring(*log);
        }
        // The name of a link is not that of the file.
        logs.retain(|log| self.watched[log].places.last() == Some(&place));
        if came {
            self.renames.came(half, &name, &logs);
        } else {
            self.renames.left(half, &name, &logs);
        }
    }

    /// Takes in that events were lost: has every name watched anew, and everything
    /// looked at. Files are still watched, and so are folders, unless they were
    /// deleted.
    pub(super) fn lost(&mut self) {
        if !std::mem::replace(&mut self.told_lost, true) {
            warn!(
                "more happened at once than the limit fs.inotify.max_queued_events lets be \
                 notified, now and perhaps again; every file is looked at"
            );
        }
        for (id, Watched { target, .. }) in &self.watched {
            target.named.store(false, Ordering::SeqCst);
            target.bell.mark();
            self.rung.push(Arc::clone(&target.bell));
            self.renames.gap(*id);
        }
    }

    fn ring(&mut self, id: Id) {
        let bell = self.bell(id);
        self.rung.extend(bell.inspect(|bell| bell.mark()));
    }

    fn bell(&self, id: Id) -> Option<Arc<Bell>> {
        // A file's watch may outlive that of its log for a moment.
        self.watched.get(&id).map(|it| Arc::clone(&it.target.bell))
    }

    /// Returns who is rung by a watch, whatever it tells.
    fn rung_by(&self, wd: Wd) -> impl Iterator<Item = &(Place, Id)> {
        self.rings.range(((wd, None), 0)..).take_while(move |((other, _), _)| *other == wd)
    }

    /// Returns who is rung by a place.
    fn at(&self, place: Place) -> Vec<Id> {
        let range = (place.clone(), 0)..=(place, Id::MAX);
        self.rings.range(range).map(|(_, id)| *id).collect()
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.watched.is_empty()
            && self.rings.is_empty()
            && self.folders.is_empty()
            && self.renames.is_empty()
            && self.polled.is_empty()
    }
}
