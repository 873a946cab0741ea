//! What a source and a pattern hold of the notifier.
//!
//! Their threads ask the file system here, and add the watches of paths, with
//! no lock held: a path on a dead mount holds up its own source alone.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::time::Instant;

use tracing::warn;

use crate::error::Shown;
use crate::following::path;
use crate::waking::change::Bell;
use crate::waking::inotify::{self, Inotify, Wd};
use crate::waking::notifier::{Core, Notifier};
use crate::waking::poller::Target;
use crate::waking::renames::{Departed, Place};
use crate::waking::watches::{Armed, Id, Watches};

/// How often something is tried that others may undo meanwhile.
const AGAIN: usize = 10;

/// What a log holds of the notifier.
#[derive(Debug)]
pub(crate) struct SourceWatch {
    notifier: Notifier,
    id: Id,
    target: Arc<Target>,
    /// Whether a file was found where others rename it from elsewhere.
    network: AtomicBool,
    wake: Option<Instant>,
}

impl SourceWatch {
    pub(super) fn new(notifier: Notifier, id: Id, target: Arc<Target>) -> SourceWatch {
        SourceWatch { notifier, id, target, network: AtomicBool::new(false), wake: None }
    }

    /// Has the source's name watched, if it is not yet; true if that is new,
    /// and a look is due.
    ///
    /// The watches are added before they are entered, so an event in between
    /// rings nobody. What it told of is found by the look that is due. But a
    /// watch may end in between as well (its folder is deleted, or its last
    /// other watcher goes), or a link may lead elsewhere. So all is asked
    /// again once it is entered, and only the same answer counts.
    pub(crate) fn arm_name(&self) -> bool {
        let inotify = self.notifier.core().inotify.as_ref();
        inotify.is_some_and(|inotify| self.arm_name_with(inotify, || self.add_folders(inotify)))
    }

    /// Arms the name with what `add` adds: see [`arm_name`](SourceWatch::arm_name).
    pub(super) fn arm_name_with(
        &self,
        inotify: &Inotify,
        mut add: impl FnMut() -> io::Result<Vec<(PathBuf, Place)>>,
    ) -> bool {
        let core = self.notifier.core();
        if self.is_named() {
            return false;
        }
        for _ in 0..AGAIN {
            // An event from now on takes that back.
            self.target.named.store(true, Ordering::SeqCst);
            let found = add();
            let mut watches = core.lock();
            match found.map(|found| watches.enter(self.id, found, inotify)) {
                Ok(true) => return true,
                Ok(false) => {}
                Err(cause) => {
                    self.say(&mut watches, &cause);
                    break;
                }
            }
        }
        core.lock().leave_all(self.id, inotify);
        false
    }

    /// Adds a watch for each folder that leads to the file.
    pub(super) fn add_folders(&self, inotify: &Inotify) -> io::Result<Vec<(PathBuf, Place)>> {
        let mut found = Vec::new();
        for (folder, name) in path::names(&self.target.path) {
            match inotify.add_folder(&folder) {
                Ok(wd) => found.push((folder, (wd, name))),
                Err(cause) => {
                    let mut watches = self.notifier.core().lock();
                    found.iter().for_each(|(_, (wd, _))| watches.release(*wd, inotify));
                    return Err(cause);
                }
            }
        }
        Ok(found)
    }

    /// Has a file watched, if it is not yet; true if that is new, and a look
    /// is due.
    pub(crate) fn arm_file(&self, file: &File, watch: &mut Option<FileWatch>) -> bool {
        let core = self.notifier.core();
        let Some(inotify) = &core.inotify else { return false };
        let watch = watch.get_or_insert_with(|| FileWatch {
            core: Arc::clone(core),
            armed: Arc::new(Armed { bell: Arc::clone(&self.target.bell), wd: AtomicI32::new(-1) }),
            last: -1,
            network: inotify::on_network(file),
        });
        if watch.network || watch.is_armed() {
            self.network.fetch_or(watch.network, Ordering::SeqCst);
            return false;
        }
        // Locked round both, since the one event must not come before the
        // entry. The file is open, so that its watch asks no file system.
        let mut watches = core.lock();
        match inotify.add_file(file) {
            Ok(wd) => {
                watch.last = wd;
                watches.arm(wd, &watch.armed);
                true
            }
            Err(cause) => {
                self.say(&mut watches, &cause);
                false
            }
        }
    }

    /// Tells whether the name is watched, so that a change of it is notified.
    pub(crate) fn is_named(&self) -> bool {
        self.target.named.load(Ordering::SeqCst)
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
        let core = self.notifier.core();
        if self.network.load(Ordering::SeqCst) {
            return Departed::Unknown;
        }
        for _ in 0..AGAIN {
            let told = core.drained(|watches| match watches.renames.moving(self.id) {
                moving if moving.is_empty() => Ok(watches.departed(self.id)),
                moving => {
                    let folders = moving.iter().filter_map(|(_, wd)| watches.folder(*wd));
                    Err((folders.collect::<Vec<_>>(), moving))
                }
            });
            let (folders, moving) = match told {
                Ok(departed) => return departed,
                Err(halves) => halves,
            };
            // The kernel tells both halves of a rename before it unlocks the
            // folder. To read the folder takes that lock, and waits for them.
            for folder in folders {
                let _ = fs::read_dir(folder).map(|mut entries| entries.next());
            }
            core.drained(|watches| watches.renames.moved_out(&moving));
        }
        Departed::Unknown
    }

    /// Forgets the files that were told last. If the name is watched, all that
    /// lose it from now on will be known.
    pub(crate) fn forget_departed(&self) {
        self.notifier.core().lock().renames.forget(self.id);
    }

    /// Has the source asked by `stat` every interval, or no longer.
    pub(crate) fn poll(&self, polled: bool) {
        if self.target.polled.swap(polled, Ordering::SeqCst) == polled {
            return;
        }
        let core = self.notifier.core();
        let mut watches = core.lock();
        if polled {
            self.target.forget();
            watches.polled += 1;
            if watches.polled == 1 {
                core.nudge();
            }
        } else {
            watches.polled -= 1;
        }
    }

    /// Rings the source at `when`, or before; with `None`, never.
    pub(crate) fn wake_at(&mut self, when: Option<Instant>) {
        if let Some(when) = when {
            let bell = &self.target.bell;
            self.notifier.core().wake_at(when, self.id, bell, &mut self.wake);
        }
    }

    fn say(&self, watches: &mut Watches, cause: &io::Error) {
        // A folder that is not there is no limit: the name is polled until it is.
        let missing = [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory];
        if missing.contains(&cause.kind()) || std::mem::replace(&mut watches.said, true) {
            return;
        }
        warn!(
            "{}: cannot be notified of changes, it and any further one is polled every {:?}: {}",
            Shown(&self.target.path),
            self.notifier.core().interval,
            inotify::limit(cause)
        );
    }
}

impl Drop for SourceWatch {
    fn drop(&mut self) {
        self.poll(false);
        let core = self.notifier.core();
        let mut watches = core.lock();
        if let Some(inotify) = &core.inotify {
            watches.leave_all(self.id, inotify);
        }
        watches.remove_source(self.id, self.wake);
    }
}

/// The watch of one file of a source.
#[derive(Debug)]
pub(crate) struct FileWatch {
    core: Arc<Core>,
    armed: Arc<Armed>,
    /// The watch that was added last. It may still be there when its events
    /// were lost.
    last: Wd,
    /// Whether nobody would tell, since others write to it from elsewhere.
    network: bool,
}

impl FileWatch {
    /// Tells whether a write to the file rings.
    pub(crate) fn is_armed(&self) -> bool {
        self.armed.wd.load(Ordering::SeqCst) >= 0
    }
}

impl Drop for FileWatch {
    fn drop(&mut self) {
        if let Some(inotify) = self.core.inotify.as_ref().filter(|_| self.last >= 0) {
            self.core.lock().disarm(self.last, &self.armed, inotify);
        }
    }
}

/// What a pattern holds of the notifier.
#[derive(Debug)]
pub(crate) struct FolderWatch {
    notifier: Notifier,
    id: Id,
    bell: Arc<Bell>,
    wake: Option<Instant>,
}

impl FolderWatch {
    pub(super) fn new(notifier: Notifier, id: Id, bell: Arc<Bell>) -> FolderWatch {
        FolderWatch { notifier, id, bell, wake: None }
    }

    /// Has a folder watched; false if that is refused, or it is not there, or
    /// others may write to it from elsewhere. Arm first and read then: what
    /// comes in between is found.
    ///
    /// As in [`SourceWatch::arm_name`], only the same answer twice counts.
    pub(crate) fn arm(&self, folder: &Path) -> bool {
        let core = self.notifier.core();
        let Some(inotify) = &core.inotify else { return false };
        for _ in 0..AGAIN {
            let Ok(wd) = inotify.add_folder(folder) else { break };
            if core.lock().enter_any(self.id, folder, wd, inotify) {
                return !inotify::is_on_network(folder);
            }
        }
        core.lock().leave_path(self.id, folder, inotify);
        false
    }

    /// Tells whether the folders are to be read, and takes that as done.
    #[cfg(test)]
    pub(crate) fn take_due(&self) -> bool {
        self.bell.take()
    }

    /// Has the folders read at `when`, or before.
    pub(crate) fn retry_at(&mut self, when: Instant) {
        self.notifier.core().wake_at(when, self.id, &self.bell, &mut self.wake);
    }
}

impl Drop for FolderWatch {
    fn drop(&mut self) {
        let core = self.notifier.core();
        let mut watches = core.lock();
        watches.remove_pattern(self.id, core.inotify.as_ref());
        watches.deadlines.remove(self.id, self.wake);
    }
}
