//! What a log and a pattern hold of the notifier.
//!
//! Their threads ask the file system here, and add the watches of paths, with
//! no lock held: a path on a dead mount holds up its own source alone.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use tracing::warn;

use crate::error::Shown;
use crate::following::path;
use crate::waking::change::Bell;
use crate::waking::inotify::{self, Inotify, Wd};
use crate::waking::notifier::Notifier;
use crate::waking::poller::Target;
use crate::waking::renames::Departed;
use crate::waking::watches::{Found, Id, Name};

/// How often something is tried that others may undo meanwhile.
const AGAIN: usize = 10;

/// The watch of one path: of a log, or of a folder of a pattern.
#[derive(Debug)]
pub(super) struct Watch {
    notifier: Arc<Notifier>,
    id: Id,
    pub(super) target: Arc<Target>,
}

/// What came of adding watches: those that were added, and the error that kept
/// from adding the others.
type Added = (Found, io::Result<()>);

impl Watch {
    fn new(notifier: &Arc<Notifier>, path: Arc<Path>, bell: &Arc<Bell>) -> Watch {
        let target = Target::new(path, bell);
        let id = notifier.lock().add(Arc::clone(&target));
        Watch { notifier: Arc::clone(notifier), id, target }
    }

    /// Adds the watches of the path by `add`, and enters them.
    ///
    /// The watches are added before they are entered, so an event in between rings
    /// nobody. The look that is due finds what the event told of. But a watch may end
    /// in between as well (its folder is deleted, or it is ended for the last target
    /// that it rang), and a link may lead elsewhere by now. So everything is added once
    /// more after it was entered, and counts only if the answer is the same.
    pub(super) fn arm(&self, mut add: impl FnMut() -> Added) -> io::Result<bool> {
        for _ in 0..AGAIN {
            // An event from now on takes that back.
            self.target.named.store(true, Ordering::SeqCst);
            let (found, complete) = add();
            let mut watches = self.notifier.lock();
            let same = watches.enter(self.id, found);
            if let Err(cause) = complete {
                watches.leave(self.id);
                return Err(cause);
            }
            if same {
                return Ok(true);
            }
        }
        self.notifier.lock().leave(self.id);
        Ok(false)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.notifier.lock().remove(self.id);
    }
}

/// Adds a watch for each folder. Where no name is given, every name counts.
fn add(inotify: &Inotify, places: impl IntoIterator<Item = (PathBuf, Option<Name>)>) -> Added {
    let mut found = Found::new();
    for (folder, name) in places {
        match inotify.add_folder(&folder) {
            Ok(wd) => found.push((folder, (wd, name))),
            Err(cause) => return (found, Err(cause)),
        }
    }
    (found, Ok(()))
}

/// What a log holds of the notifier.
#[derive(Debug)]
pub(crate) struct SourceWatch {
    pub(super) name: Watch,
    polled: bool,
    /// Whether a file was found on a network file system, where others may rename it
    /// unseen.
    network: bool,
    /// Whether a warning was given that its folder cannot be watched.
    told: AtomicBool,
    wake: Option<Instant>,
}

impl SourceWatch {
    /// Takes on a log: `bell` is rung when it should be looked at.
    pub(crate) fn new(notifier: &Arc<Notifier>, path: Arc<Path>, bell: &Arc<Bell>) -> SourceWatch {
        let name = Watch::new(notifier, path, bell);
        SourceWatch {
            name,
            polled: false,
            network: false,
            told: AtomicBool::new(false),
            wake: None,
        }
    }

    /// Has the log's name watched, in each folder that leads to its file.
    /// Returns true if it was not watched before: look once more.
    pub(crate) fn arm_name(&self) -> bool {
        if self.is_named() {
            return false;
        }
        self.name.arm(|| self.add_folders()).unwrap_or_else(|cause| {
            self.tell(&cause);
            false
        })
    }

    /// Adds a watch for each folder that leads to the file.
    pub(super) fn add_folders(&self) -> Added {
        let names = path::names(&self.name.target.path).into_iter();
        add(&self.name.notifier.inotify, names.map(|(folder, name)| (folder, Some(name.into()))))
    }

    /// Tells whether the name is watched, so that a change of it is notified.
    pub(crate) fn is_named(&self) -> bool {
        self.name.target.named.load(Ordering::SeqCst)
    }

    /// As [`is_named`](SourceWatch::is_named), after the events so far were taken in. A
    /// merge that takes events in by itself has done so, and looks again after later
    /// ones.
    pub(crate) fn is_named_now(&self) -> bool {
        if !self.name.notifier.is_heard_elsewhere() {
            self.name.notifier.drained(|_| ());
        }
        self.is_named()
    }

    /// Has a file watched. Returns true if it was not watched before: look once
    /// more.
    pub(crate) fn arm_file(&mut self, file: &File, watch: &mut Option<FileWatch>) -> bool {
        let Watch { notifier, id, .. } = &self.name;
        let watch = watch.get_or_insert_with(|| {
            let network = inotify::is_network(rustix::fs::fstatfs(file));
            FileWatch { notifier: Arc::clone(notifier), log: *id, wd: None, network }
        });
        self.network |= watch.network;
        if watch.network || watch.is_armed() {
            return false;
        }
        // Locked round both, since an event must not come before the entry. The
        // file is open, so that its watch asks no file system.
        let mut watches = notifier.lock();
        let added = notifier.inotify.add_file(file);
        if let Ok(wd) = added {
            watches.enter_file(wd, *id);
            watch.wd = Some(wd);
        }
        drop(watches);
        added.map_err(|cause| self.tell(&cause)).is_ok()
    }

    /// Says which files have lost the name since the last
    /// [`forget_departed`](SourceWatch::forget_departed), as of now.
    ///
    /// Open them, and ask again: if the answer is another one, they may have
    /// been renamed meanwhile.
    ///
    /// # Blocking
    ///
    /// May read an entry of a folder in which a file was renamed.
    pub(crate) fn departed(&self) -> Departed {
        if self.network {
            return Departed::Unknown;
        }
        for _ in 0..AGAIN {
            let halves = match self.name.notifier.drained(|watches| watches.departed(self.name.id))
            {
                Ok(departed) => return departed,
                Err(halves) => halves,
            };
            // The kernel tells both halves of a rename before it unlocks the
            // folder. To read the folder takes that lock, and waits for them.
            for half in &halves {
                let folder = self.name.notifier.lock().folder(half.folder);
                let _ = folder.map(|folder| fs::read_dir(folder).map(|mut entries| entries.next()));
            }
            self.name.notifier.drained(|watches| watches.renames.moved_out(&halves));
        }
        Departed::Unknown
    }

    /// Forgets the files that were told last. If the name is watched, all that
    /// lose it from now on will be known.
    pub(crate) fn forget_departed(&self) {
        self.name.notifier.lock().renames.forget(self.name.id);
    }

    /// Forgets that something was missed, but not which files have departed since: a
    /// follower that had to guess may have looked before.
    pub(crate) fn forget_gap(&self) {
        self.name.notifier.lock().renames.forget_gap(self.name.id);
    }

    /// Has the path asked by `stat` every interval, or no longer.
    pub(crate) fn poll(&mut self, polled: bool) {
        if std::mem::replace(&mut self.polled, polled) == polled {
            return;
        }
        let Watch { notifier, id, target } = &self.name;
        let mut watches = notifier.lock();
        if !polled {
            watches.polled.remove(id);
            return;
        }
        target.forget();
        watches.polled.insert(*id, Arc::clone(target));
        if watches.polled.len() == 1 {
            notifier.nudge();
        }
    }

    /// Rings the source at `when`, or before; with `None`, never.
    pub(crate) fn wake_at(&mut self, when: Option<Instant>) {
        if let Some(when) = when {
            self.name.notifier.ring_at(when, &self.name.target.bell, &mut self.wake);
        }
    }

    /// Warns that a limit was met, once for all, or that a folder cannot be watched, once
    /// for each log.
    fn tell(&self, cause: &io::Error) {
        // A folder that is not there is no limit: the name is polled until it is.
        // That there are no notifications at all was told at the start.
        use io::ErrorKind::{NotADirectory, NotFound, Unsupported};
        if [NotFound, NotADirectory, Unsupported].contains(&cause.kind()) {
            return;
        }
        let notifier = &self.name.notifier;
        let (told, who, why) = match inotify::limit(cause) {
            Some(limit) => (&notifier.told_limit, "it and any further one", limit),
            None => (&self.told, "it", cause.to_string()),
        };
        if !told.swap(true, Ordering::SeqCst) {
            let path = Shown(&self.name.target.path);
            let interval = notifier.interval;
            warn!(
                "{path}: cannot be notified of changes, {who} is polled every {interval:?}: {why}"
            );
        }
    }
}

/// The watch of one file of a log.
#[derive(Debug)]
pub(crate) struct FileWatch {
    notifier: Arc<Notifier>,
    log: Id,
    wd: Option<Wd>,
    /// Whether the file is on a network file system, where writes are not notified.
    network: bool,
}

impl FileWatch {
    /// Tells whether a write to the file rings.
    pub(crate) fn is_armed(&self) -> bool {
        self.wd.is_some()
    }
}

impl Drop for FileWatch {
    fn drop(&mut self) {
        if let Some(wd) = self.wd {
            self.notifier.lock().leave_place((wd, None), self.log);
        }
    }
}

/// What a pattern holds of the notifier: the folders in which something may
/// come to fit.
#[derive(Debug)]
pub(crate) struct FolderWatch {
    notifier: Arc<Notifier>,
    bell: Arc<Bell>,
    folders: HashMap<PathBuf, Watch>,
    wake: Option<Instant>,
}

impl FolderWatch {
    /// Takes on a pattern: `bell` is rung when its folders should be read.
    pub(crate) fn new(notifier: &Arc<Notifier>, bell: &Arc<Bell>) -> FolderWatch {
        let (notifier, bell) = (Arc::clone(notifier), Arc::clone(bell));
        FolderWatch { notifier, bell, folders: HashMap::new(), wake: None }
    }

    /// Has a folder watched; false if that is refused, or it is not there, or
    /// others may write to it from elsewhere. Arm first and read then: what
    /// comes in between is found.
    pub(crate) fn arm(&mut self, folder: &Path) -> bool {
        let FolderWatch { notifier, bell, folders, .. } = self;
        let watch = folders
            .entry(folder.to_owned())
            .or_insert_with(|| Watch::new(notifier, folder.into(), bell));
        watch.arm(|| add(&notifier.inotify, [(folder.to_owned(), None)])).unwrap_or(false)
            && !inotify::is_network(rustix::fs::statfs(folder))
    }

    /// Has all other folders not watched any more.
    pub(crate) fn keep(&mut self, folders: &HashSet<PathBuf>) {
        self.folders.retain(|folder, _| folders.contains(folder));
    }

    /// Has the folders read at `when`, or before.
    pub(crate) fn retry_at(&mut self, when: Instant) {
        self.notifier.ring_at(when, &self.bell, &mut self.wake);
    }
}
