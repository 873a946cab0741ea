//! What is watched, and who is rung by it: what lies behind the notifier's lock.
//!
//! Nothing in here asks a file system, so the lock is never held for long.

use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Instant;

use tracing::warn;

use crate::waking::change::Bell;
use crate::waking::deadlines::Deadlines;
use crate::waking::inotify::{Event, Inotify, Naming, Wd};
use crate::waking::poller::Target;
use crate::waking::renames::{Departed, Place, Renames};

/// Names a source or a pattern.
pub(super) type Id = u64;

#[derive(Debug, Default)]
pub(super) struct Watches {
    last: Id,
    sources: HashMap<Id, Source>,
    patterns: HashMap<Id, Pattern>,
    files: HashMap<Wd, Vec<Arc<Armed>>>,
    folders: HashMap<Wd, Folder>,
    pub(super) renames: Renames,
    pub(super) deadlines: Deadlines,
    /// How many sources are polled.
    pub(super) polled: usize,
    /// Whether a met limit was said already.
    pub(super) said: bool,
    /// Whether an overflow was.
    said_lost: bool,
}

#[derive(Debug)]
struct Source {
    target: Arc<Target>,
    places: Vec<Place>,
}

#[derive(Debug)]
struct Pattern {
    bell: Arc<Bell>,
    folders: HashMap<PathBuf, Wd>,
}

/// A folder that is watched.
#[derive(Debug, Default)]
struct Folder {
    path: PathBuf,
    /// The sources to which a name leads.
    names: HashMap<OsString, Vec<Id>>,
    /// The patterns that want to know of any name.
    any: HashSet<Id>,
}

/// The watch of a file for one event, and who is rung by it.
#[derive(Debug)]
pub(super) struct Armed {
    pub(super) bell: Arc<Bell>,
    /// Negative while nothing is watched.
    pub(super) wd: AtomicI32,
}

impl Source {
    /// Has the name watched anew, since it may lead elsewhere now.
    fn lost_its_name(&self) -> Arc<Bell> {
        self.target.named.store(false, Ordering::SeqCst);
        Arc::clone(&self.target.bell)
    }
}

impl Watches {
    pub(super) fn add_source(&mut self, target: Arc<Target>) -> Id {
        self.last += 1;
        self.sources.insert(self.last, Source { target, places: Vec::new() });
        self.last
    }

    pub(super) fn add_pattern(&mut self, bell: Arc<Bell>) -> Id {
        self.last += 1;
        self.patterns.insert(self.last, Pattern { bell, folders: HashMap::new() });
        self.last
    }

    pub(super) fn targets(&self) -> impl Iterator<Item = &Arc<Target>> {
        self.sources.values().map(|source| &source.target)
    }

    pub(super) fn patterns(&self) -> impl Iterator<Item = &Arc<Bell>> {
        self.patterns.values().map(|pattern| &pattern.bell)
    }

    /// Enters where the name of a source is watched: for each place, the path
    /// of its folder. True if all of that was entered before, and nothing has
    /// happened to it.
    pub(super) fn enter(
        &mut self,
        id: Id,
        found: Vec<(PathBuf, Place)>,
        inotify: &Inotify,
    ) -> bool {
        let Some(source) = self.sources.get_mut(&id) else { return false };
        if source.places.iter().eq(found.iter().map(|(_, place)| place)) {
            return source.target.named.load(Ordering::SeqCst);
        }
        let places = found.iter().map(|(_, place)| place.clone()).collect();
        let old = std::mem::replace(&mut source.places, places);
        self.renames.enter(id, source.places.last().cloned());
        for (path, (wd, name)) in found {
            let folder = self.folders.entry(wd).or_default();
            folder.path = path;
            let ids = folder.names.entry(name).or_default();
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        self.leave(id, old, inotify);
        false
    }

    /// Takes the name of a source as not watched any more.
    pub(super) fn leave_all(&mut self, id: Id, inotify: &Inotify) {
        let Some(source) = self.sources.get_mut(&id) else { return };
        source.target.named.store(false, Ordering::SeqCst);
        let old = std::mem::take(&mut source.places);
        self.renames.enter(id, None);
        self.leave(id, old, inotify);
    }

    /// Leaves the places where a source does not have its name any more.
    fn leave(&mut self, id: Id, old: Vec<Place>, inotify: &Inotify) {
        for place in old {
            let kept = self.sources.get(&id).is_some_and(|source| source.places.contains(&place));
            let (wd, name) = place;
            let Some(folder) = self.folders.get_mut(&wd).filter(|_| !kept) else { continue };
            if let Some(ids) = folder.names.get_mut(&name) {
                ids.retain(|other| *other != id);
                if ids.is_empty() {
                    folder.names.remove(&name);
                }
            }
            self.release(wd, inotify);
        }
    }

    /// Enters that a pattern watches a folder. True if that was so before.
    pub(super) fn enter_any(&mut self, id: Id, path: &Path, wd: Wd, inotify: &Inotify) -> bool {
        let Some(pattern) = self.patterns.get_mut(&id) else { return false };
        let old = pattern.folders.insert(path.to_owned(), wd);
        let folder = self.folders.entry(wd).or_default();
        folder.path = path.to_owned();
        let new = folder.any.insert(id);
        if let Some(old) = old.filter(|old| *old != wd) {
            self.leave_any(id, old, inotify);
        }
        !new
    }

    /// Leaves a folder that a pattern does not lead to any more.
    pub(super) fn leave_path(&mut self, id: Id, path: &Path, inotify: &Inotify) {
        let Some(pattern) = self.patterns.get_mut(&id) else { return };
        if let Some(old) = pattern.folders.remove(path) {
            self.leave_any(id, old, inotify);
        }
    }

    fn leave_any(&mut self, id: Id, wd: Wd, inotify: &Inotify) {
        let pattern = self.patterns.get(&id);
        let kept = pattern.is_some_and(|pattern| pattern.folders.values().any(|it| *it == wd));
        if let Some(folder) = self.folders.get_mut(&wd).filter(|_| !kept) {
            folder.any.remove(&id);
            self.release(wd, inotify);
        }
    }

    /// Ends the watch of a folder, if nobody is in it.
    pub(super) fn release(&mut self, wd: Wd, inotify: &Inotify) {
        let used = |folder: &Folder| !folder.names.is_empty() || !folder.any.is_empty();
        if !self.folders.get(&wd).is_some_and(used) {
            self.folders.remove(&wd);
            self.renames.unwatched(wd);
            inotify.remove(wd);
        }
    }

    /// Enters the watch of a file.
    pub(super) fn arm(&mut self, wd: Wd, armed: &Arc<Armed>) {
        armed.wd.store(wd, Ordering::SeqCst);
        self.files.entry(wd).or_default().push(Arc::clone(armed));
    }

    /// Ends the watch of a file, if nobody else has it.
    pub(super) fn disarm(&mut self, wd: Wd, armed: &Arc<Armed>, inotify: &Inotify) {
        if let Some(all) = self.files.get_mut(&wd) {
            all.retain(|other| !Arc::ptr_eq(other, armed));
            if !all.is_empty() {
                return;
            }
            self.files.remove(&wd);
        }
        inotify.remove(wd);
    }

    pub(super) fn remove_source(&mut self, id: Id, wake: Option<Instant>) {
        self.sources.remove(&id);
        self.renames.remove(id);
        self.deadlines.remove(id, wake);
    }

    /// Leaves out a pattern, and the folders that it alone has watched.
    pub(super) fn remove_pattern(&mut self, id: Id, inotify: Option<&Inotify>) {
        let folders = self.patterns.remove(&id).map(|pattern| pattern.folders);
        if let Some(inotify) = inotify {
            folders.into_iter().flatten().for_each(|(_, wd)| self.leave_any(id, wd, inotify));
        }
    }

    /// Says which files have had the name of a source, as far as is told yet.
    pub(super) fn departed(&mut self, id: Id) -> Departed {
        let folders = &self.folders;
        self.renames.tell(id, |(wd, name)| Some(folders.get(wd)?.path.join(name)))
    }

    /// Returns the path of a folder that is watched.
    pub(super) fn folder(&self, wd: Wd) -> Option<PathBuf> {
        self.folders.get(&wd).map(|folder| folder.path.clone())
    }

    /// Takes in an event, and adds to `rung` who is to be rung.
    pub(super) fn apply(&mut self, event: Event<'_>, inotify: &Inotify, rung: &mut Vec<Arc<Bell>>) {
        match event {
            Event::Changed(wd) => {
                for armed in self.files.remove(&wd).into_iter().flatten() {
                    armed.wd.store(-1, Ordering::SeqCst);
                    rung.push(Arc::clone(&armed.bell));
                }
                self.folder_gone(wd, inotify, rung);
            }
            Event::Named(wd, name, naming) => self.name_changed(wd, name, naming, rung),
            Event::Lost => self.lost(rung),
        }
    }

    /// A folder was moved or deleted: its watch is of no use.
    fn folder_gone(&mut self, wd: Wd, inotify: &Inotify, rung: &mut Vec<Arc<Bell>>) {
        let Some(folder) = self.folders.remove(&wd) else { return };
        for id in folder.any {
            if let Some(pattern) = self.patterns.get_mut(&id) {
                pattern.folders.retain(|_, other| *other != wd);
                rung.push(Arc::clone(&pattern.bell));
            }
        }
        for id in folder.names.into_values().flatten() {
            if let Some(source) = self.sources.get_mut(&id) {
                source.places.retain(|(other, _)| *other != wd);
                rung.push(source.lost_its_name());
            }
        }
        self.release(wd, inotify);
    }

    fn name_changed(&mut self, wd: Wd, name: &OsStr, naming: Naming, rung: &mut Vec<Arc<Bell>>) {
        let Some(folder) = self.folders.get(&wd) else { return };
        let patterns = folder.any.iter().filter_map(|id| self.patterns.get(id));
        rung.extend(patterns.map(|pattern| Arc::clone(&pattern.bell)));
        let ids = folder.names.get(name).map_or(&[][..], Vec::as_slice);
        if ids.is_empty() && !self.renames.any() {
            // In a busy folder most names are nobody's.
            return;
        }
        for id in ids {
            if let Some(source) = self.sources.get(id) {
                rung.push(source.lost_its_name());
            }
        }
        match naming {
            Naming::Created => {}
            Naming::Deleted => self.renames.deleted(wd, name, ids),
            Naming::MovedFrom(cookie) => self.renames.moved_from(wd, name, cookie, ids),
            Naming::MovedTo(cookie) => {
                let moved = self.renames.moved_to(wd, name, cookie);
                let moved = moved.iter().filter_map(|id| self.sources.get(id));
                rung.extend(moved.map(|source| Arc::clone(&source.target.bell)));
            }
        }
    }

    /// Events were lost: everything is watched anew, and looked at.
    ///
    /// The one event of a file may have been among them, and then its watch is
    /// gone without a word. Folders are still watched, unless they were deleted.
    fn lost(&mut self, rung: &mut Vec<Arc<Bell>>) {
        if !std::mem::replace(&mut self.said_lost, true) {
            warn!(
                "more happened at once than the limit fs.inotify.max_queued_events lets be \
                 notified, now and perhaps again; every file is looked at"
            );
        }
        for source in self.sources.values() {
            rung.push(source.lost_its_name());
        }
        for armed in self.files.drain().flat_map(|(_, armed)| armed) {
            armed.wd.store(-1, Ordering::SeqCst);
        }
        rung.extend(self.patterns().cloned());
        self.renames.lost();
    }

    #[cfg(test)]
    pub(super) fn folders(&self) -> usize {
        self.folders.len()
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.sources.is_empty()
            && self.patterns.is_empty()
            && self.files.is_empty()
            && self.folders.is_empty()
            && self.renames.is_empty()
            && self.deadlines.is_empty()
            && self.polled == 0
    }
}
