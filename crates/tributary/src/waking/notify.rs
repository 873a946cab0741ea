//! The notifier: one thread that knows when a source should look again.
//!
//! It is told by the kernel ([`inotify`](crate::waking::inotify)) where the kernel
//! can tell, and asks `stat` where it cannot: a network file system, a limit
//! that was met, a name that nobody has. Every 30 s it sweeps over all
//! sources, in case something was missed. It never reads a file and decides
//! nothing; it rings the bell of a source, and the source looks.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::ffi::OsString;
use std::fs::{File, Metadata};
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tracing::warn;

use crate::error::Shown;
use crate::following::siblings;
use crate::waking::change::Change;
use crate::waking::inotify::{self, Event, Inotify, Wd};

/// How often all sources are asked by `stat`, whatever was notified.
const SWEEP: Duration = Duration::from_secs(30);

/// The handle on the notifier's thread; the last one to go ends it.
#[derive(Debug, Clone)]
pub(crate) struct Notifier(Arc<Handle>);

#[derive(Debug)]
struct Handle(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// `None` where the system has refused one: then all sources are polled.
    inotify: Option<Inotify>,
    /// Interrupts the thread's wait.
    nudge: PipeWriter,
    ended: AtomicBool,
    /// How often a source is asked that cannot be notified.
    interval: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    sources: Vec<Weak<Watched>>,
    files: HashMap<Wd, Vec<Weak<Armed>>>,
    folders: HashMap<Wd, HashMap<OsString, Vec<Weak<Watched>>>>,
    /// Who wants to know of any name in a folder.
    any: HashMap<Wd, Vec<Weak<Folders>>>,
    all_folders: Vec<Weak<Folders>>,
    deadlines: BinaryHeap<Reverse<(Instant, usize)>>,
    /// How many sources are polled.
    polled: usize,
    /// Whether a met limit was said already.
    said: bool,
}

/// A source, as the notifier sees it.
#[derive(Debug)]
struct Watched {
    path: Arc<Path>,
    change: Arc<Change>,
    /// Whether its name is watched, in every folder that leads to it.
    named: AtomicBool,
    /// Whether it is asked by `stat`, since nobody would tell.
    polled: AtomicBool,
    /// What `stat` said the last time.
    swept: Mutex<Option<Seen>>,
}

/// The folders of a pattern.
#[derive(Debug)]
struct Folders {
    change: Arc<Change>,
    /// Whether a name may have come since they were read.
    due: AtomicBool,
}

impl Folders {
    fn due(&self) -> Arc<Change> {
        self.due.store(true, Ordering::SeqCst);
        Arc::clone(&self.change)
    }
}

/// One watch of one file: whether it would ring, and whom.
#[derive(Debug)]
struct Armed {
    change: Arc<Change>,
    /// Negative while nothing is watched.
    wd: AtomicI32,
}

/// What `stat` said of a path; `None` if there is nothing.
type Seen = Option<(u64, u64, u64, (i64, i64), (i64, i64))>;

impl Notifier {
    /// Starts the thread. `interval` is how often a source is asked that
    /// cannot be notified.
    pub(crate) fn start(interval: Duration) -> io::Result<Notifier> {
        let inotify = Inotify::new().inspect_err(|cause| {
            warn!(
                "file notifications are not to be had, all sources are polled every {interval:?}: {}",
                inotify::limit(cause)
            );
        });
        Notifier::start_with(inotify.ok(), interval)
    }

    fn start_with(inotify: Option<Inotify>, interval: Duration) -> io::Result<Notifier> {
        let (wait, nudge) = io::pipe()?;
        rustix::io::ioctl_fionbio(&wait, true)?;
        rustix::io::ioctl_fionbio(&nudge, true)?;
        let shared = Arc::new(Shared {
            inotify,
            nudge,
            ended: AtomicBool::new(false),
            interval: interval.max(Duration::from_millis(1)),
            state: Mutex::new(State::default()),
        });
        let run = Arc::clone(&shared);
        thread::Builder::new().name("notifier".into()).spawn(move || run.run(&wait))?;
        Ok(Notifier(Arc::new(Handle(shared))))
    }

    /// Takes on a source: `change` is rung when it should look.
    pub(crate) fn watch(&self, path: Arc<Path>, change: Arc<Change>) -> SourceWatch {
        let watched = Arc::new(Watched {
            path,
            change,
            named: AtomicBool::new(false),
            polled: AtomicBool::new(false),
            swept: Mutex::new(None),
        });
        let mut state = self.0.0.lock();
        let index = state.sources.len();
        state.sources.push(Arc::downgrade(&watched));
        SourceWatch { notifier: self.clone(), watched, index, wake: None }
    }
}

impl Notifier {
    /// Takes on a pattern: `change` is rung when its folders should be read.
    pub(crate) fn watch_folders(&self, change: Arc<Change>) -> FolderWatch {
        let folders = Arc::new(Folders { change, due: AtomicBool::new(true) });
        self.0.0.lock().all_folders.push(Arc::downgrade(&folders));
        FolderWatch { notifier: self.clone(), folders }
    }
}

/// What a pattern holds of the notifier.
#[derive(Debug)]
pub(crate) struct FolderWatch {
    notifier: Notifier,
    folders: Arc<Folders>,
}

impl FolderWatch {
    /// Has a folder watched. Where that is refused, the sweep makes up for it.
    pub(crate) fn arm(&self, folder: &Path) {
        let shared = &self.notifier.0.0;
        let Some(inotify) = &shared.inotify else { return };
        let mut state = shared.lock();
        if let Ok(wd) = inotify.add_folder(folder) {
            let watchers = state.any.entry(wd).or_default();
            if !watchers.iter().any(|other| other.as_ptr() == Arc::as_ptr(&self.folders)) {
                watchers.push(Arc::downgrade(&self.folders));
            }
        }
    }

    /// Tells whether the folders are to be read, and takes that as done.
    pub(crate) fn take_due(&self) -> bool {
        self.folders.due.swap(false, Ordering::SeqCst)
    }
}

/// What a source holds of the notifier.
#[derive(Debug)]
pub(crate) struct SourceWatch {
    notifier: Notifier,
    watched: Arc<Watched>,
    index: usize,
    wake: Option<Instant>,
}

impl SourceWatch {
    /// Has the source's name watched, if it is not yet; true if that is new,
    /// and a look is due.
    pub(crate) fn arm_name(&self) -> bool {
        let shared = &self.notifier.0.0;
        let Some(inotify) = &shared.inotify else { return false };
        if self.watched.named.swap(true, Ordering::SeqCst) {
            return false;
        }
        let mut state = shared.lock();
        for (folder, name) in siblings::names(&self.watched.path) {
            match inotify.add_folder(&folder) {
                Ok(wd) => {
                    let watchers = state.folders.entry(wd).or_default().entry(name).or_default();
                    watchers.retain(|other| other.strong_count() > 0);
                    if !watchers.iter().any(|other| other.as_ptr() == Arc::as_ptr(&self.watched)) {
                        watchers.push(Arc::downgrade(&self.watched));
                    }
                }
                Err(cause) => {
                    self.watched.named.store(false, Ordering::SeqCst);
                    self.say(&mut state, &cause);
                    return false;
                }
            }
        }
        true
    }

    /// Has a file watched, if it is not yet; true if that is new, and a look
    /// is due.
    pub(crate) fn arm_file(&self, file: &File, watch: &mut Option<FileWatch>) -> bool {
        let shared = &self.notifier.0.0;
        let Some(inotify) = &shared.inotify else { return false };
        let watch = watch.get_or_insert_with(|| FileWatch {
            shared: Arc::clone(shared),
            armed: Arc::new(Armed {
                change: Arc::clone(&self.watched.change),
                wd: AtomicI32::new(-1),
            }),
            network: inotify::on_network(file),
        });
        if watch.network || watch.armed.wd.load(Ordering::SeqCst) >= 0 {
            return false;
        }
        // Locked round both: the thread must not see the event before the entry.
        let mut state = shared.lock();
        match inotify.add_file(file) {
            Ok(wd) => {
                watch.armed.wd.store(wd, Ordering::SeqCst);
                state.files.entry(wd).or_default().push(Arc::downgrade(&watch.armed));
                true
            }
            Err(cause) => {
                self.say(&mut state, &cause);
                false
            }
        }
    }

    /// Tells whether the name is watched, so that a change of it is notified.
    pub(crate) fn is_named(&self) -> bool {
        self.watched.named.load(Ordering::SeqCst)
    }

    /// Has the source asked by `stat` every interval, or no longer.
    pub(crate) fn poll(&self, polled: bool) {
        if self.watched.polled.swap(polled, Ordering::SeqCst) == polled {
            return;
        }
        let shared = &self.notifier.0.0;
        let mut state = shared.lock();
        if polled {
            *lock(&self.watched.swept) = None;
            state.polled += 1;
            if state.polled == 1 {
                shared.nudge();
            }
        } else {
            state.polled -= 1;
        }
    }

    /// Rings the source at `when`, or before.
    pub(crate) fn wake_at(&mut self, when: Instant) {
        let now = Instant::now();
        if self.wake.is_some_and(|wake| now < wake && wake <= when) {
            return;
        }
        self.wake = Some(when);
        let shared = &self.notifier.0.0;
        let mut state = shared.lock();
        state.deadlines.push(Reverse((when, self.index)));
        if state.deadlines.peek().is_some_and(|Reverse((next, _))| *next == when) {
            shared.nudge();
        }
    }

    fn say(&self, state: &mut State, cause: &io::Error) {
        // A folder that is not there is no limit: the name is polled until it is.
        let missing = [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory];
        if missing.contains(&cause.kind()) || std::mem::replace(&mut state.said, true) {
            return;
        }
        warn!(
            "{}: cannot be notified of changes, it and any further one is polled every {:?}: {}",
            Shown(&self.watched.path),
            self.notifier.0.0.interval,
            inotify::limit(cause)
        );
    }
}

impl Drop for SourceWatch {
    fn drop(&mut self) {
        self.poll(false);
    }
}

/// The watch of one file of a source.
#[derive(Debug)]
pub(crate) struct FileWatch {
    shared: Arc<Shared>,
    armed: Arc<Armed>,
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
        let mut state = self.shared.lock();
        let wd = self.armed.wd.load(Ordering::SeqCst);
        if let Some(watchers) = state.files.get_mut(&wd) {
            watchers.retain(|other| other.as_ptr() != Arc::as_ptr(&self.armed));
            if watchers.is_empty() {
                state.files.remove(&wd);
                if let Some(inotify) = &self.shared.inotify {
                    inotify.remove(wd);
                }
            }
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    fn nudge(&self) {
        // A full pipe has nudged already.
        let _ = (&self.nudge).write(&[0]);
    }

    /// The thread: waits, rings, waits.
    fn run(&self, wait: &PipeReader) {
        let mut sweep = Instant::now() + SWEEP;
        let mut polls = Instant::now() + self.interval;
        loop {
            let (polled, deadline) = {
                let state = self.lock();
                let deadline = state.deadlines.peek().map(|Reverse((when, _))| *when);
                let unseen = self.inotify.is_none() && !state.all_folders.is_empty();
                (state.polled > 0 || unseen, deadline)
            };
            let next = [Some(sweep), polled.then_some(polls), deadline];
            self.wait(wait, next.into_iter().flatten().min().unwrap_or(sweep));
            if self.ended.load(Ordering::SeqCst) {
                return;
            }
            self.events();
            let now = Instant::now();
            self.deadlines(now);
            if sweep <= now {
                self.ask(|_| true);
                self.read_folders();
                sweep = Instant::now() + SWEEP;
            }
            if polls <= now {
                if polled {
                    self.ask(|watched| watched.polled.load(Ordering::SeqCst));
                }
                if self.inotify.is_none() {
                    self.read_folders();
                }
                polls = Instant::now() + self.interval;
            }
        }
    }

    /// Waits for an event, a nudge or `until`.
    fn wait(&self, mut wait: &PipeReader, until: Instant) {
        let mut fds = vec![PollFd::new(&wait, PollFlags::IN)];
        if let Some(inotify) = &self.inotify {
            fds.push(PollFd::new(inotify, PollFlags::IN));
        }
        let timeout = until.saturating_duration_since(Instant::now());
        // Whatever woke us, what is due is asked afterwards.
        let _ = poll(&mut fds, Timespec::try_from(timeout).ok().as_ref());
        let _ = wait.read(&mut [0; 64]);
    }

    /// Rings whom the kernel has named.
    fn events(&self) {
        let Some(inotify) = &self.inotify else { return };
        let mut rung: Vec<Arc<Change>> = Vec::new();
        let mut state = self.lock();
        inotify.events(|event| match event {
            Event::Changed(wd) => {
                for armed in state.files.remove(&wd).into_iter().flatten() {
                    if let Some(armed) = armed.upgrade() {
                        armed.wd.store(-1, Ordering::SeqCst);
                        rung.push(Arc::clone(&armed.change));
                    }
                }
                for folders in state.any.remove(&wd).into_iter().flatten() {
                    rung.extend(folders.upgrade().map(|folders| folders.due()));
                }
                // A folder that was moved or deleted: its watch is of no use.
                for watched in state.folders.remove(&wd).into_iter().flatten().flat_map(|(_, w)| w)
                {
                    rung.extend(watched.upgrade().map(|watched| watched.lost_its_name()));
                    inotify.remove(wd);
                }
            }
            Event::Named(wd, name) => {
                for folders in state.any.get(&wd).into_iter().flatten().filter_map(Weak::upgrade) {
                    rung.push(folders.due());
                }
                let watchers = state.folders.get_mut(&wd).and_then(|names| names.get_mut(&name));
                for watched in watchers.into_iter().flatten().filter_map(|other| other.upgrade()) {
                    rung.push(watched.lost_its_name());
                }
            }
            Event::Lost => {
                let all = state.sources.iter().filter_map(Weak::upgrade);
                rung.extend(all.map(|watched| watched.lost_its_name()));
                rung.extend(state.all_folders.iter().filter_map(Weak::upgrade).map(|it| it.due()));
            }
        });
        drop(state);
        rung.iter().for_each(|change| change.ring());
    }

    /// Rings whose time has come.
    fn deadlines(&self, now: Instant) {
        let mut due = Vec::new();
        let mut state = self.lock();
        while let Some(Reverse((when, index))) = state.deadlines.peek() {
            if *when > now {
                break;
            }
            due.extend(state.sources[*index].upgrade());
            state.deadlines.pop();
        }
        drop(state);
        due.iter().for_each(|watched| watched.change.ring());
    }

    /// Has the folders of all patterns read.
    fn read_folders(&self) {
        let all: Vec<_> = self.lock().all_folders.iter().filter_map(Weak::upgrade).collect();
        all.iter().for_each(|folders| folders.due().ring());
    }

    /// Asks `stat` about the sources that are `meant`, and rings where the
    /// answer is another one.
    fn ask(&self, meant: impl Fn(&Watched) -> bool) {
        // Not under the lock: `stat` may hang where a network does.
        let sources: Vec<_> = self.lock().sources.iter().filter_map(Weak::upgrade).collect();
        for watched in sources.iter().filter(|watched| meant(watched)) {
            let seen = std::fs::metadata(&watched.path).ok().map(|metadata| seen(&metadata));
            if lock(&watched.swept).replace(seen) != Some(seen) {
                watched.change.ring();
            }
        }
    }
}

impl Watched {
    /// Has the name watched anew, since it may lead elsewhere now.
    fn lost_its_name(&self) -> Arc<Change> {
        self.named.store(false, Ordering::SeqCst);
        Arc::clone(&self.change)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.ended.store(true, Ordering::SeqCst);
        // Not joined: the thread may be inside a `stat` that hangs.
        self.0.nudge();
    }
}

fn seen(metadata: &Metadata) -> (u64, u64, u64, (i64, i64), (i64, i64)) {
    let modified = (metadata.mtime(), metadata.mtime_nsec());
    let changed = (metadata.ctime(), metadata.ctime_nsec());
    (metadata.dev(), metadata.ino(), metadata.len(), modified, changed)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use event_listener::Listener;

    use super::*;

    /// Waits for a bell, for as long as only a bug can make it.
    fn rings(change: &Change, seen: usize) -> bool {
        change.since(seen).wait_timeout(Duration::from_secs(60)).is_some()
    }

    fn watched(notifier: &Notifier, path: &Path) -> (SourceWatch, Arc<Change>) {
        let change = Arc::new(Change::default());
        (notifier.watch(path.into(), Arc::clone(&change)), change)
    }

    #[test]
    fn polls_where_the_system_refuses_to_notify() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let mut file = File::create(&path).unwrap();
        let notifier = Notifier::start_with(None, Duration::from_millis(1)).unwrap();
        let (watch, change) = watched(&notifier, &path);
        assert!(!watch.arm_name());
        assert!(!watch.is_named());
        assert!(!watch.arm_file(&file, &mut None));
        watch.poll(true);
        // The first answer of `stat` is news in any case.
        assert!(rings(&change, 0));
        let seen = change.count();
        file.write_all(b"line\n").unwrap();
        assert!(rings(&change, seen));
    }

    #[test]
    fn polls_a_name_in_a_folder_that_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("later/log");
        let notifier = Notifier::start(Duration::from_millis(1)).unwrap();
        let (watch, change) = watched(&notifier, &path);
        assert!(!watch.arm_name());
        watch.poll(true);
        assert!(rings(&change, 0));
        let seen = change.count();
        std::fs::create_dir(path.parent().unwrap()).unwrap();
        File::create(&path).unwrap();
        assert!(rings(&change, seen));
        assert!(watch.arm_name(), "the folder is there now");
    }

    #[test]
    fn rings_at_a_deadline_and_ends_with_its_last_handle() {
        let folder = tempfile::tempdir().unwrap();
        let notifier = Notifier::start(Duration::from_secs(3600)).unwrap();
        let (mut watch, change) = watched(&notifier, folder.path());
        watch.wake_at(Instant::now() + Duration::from_millis(1));
        assert!(rings(&change, 0));
        let shared = Arc::downgrade(&notifier.0.0);
        drop((watch, notifier));
        let bound = Instant::now() + Duration::from_secs(60);
        while shared.strong_count() > 0 {
            assert!(Instant::now() < bound, "the thread of the notifier goes on");
            thread::yield_now();
        }
    }

    #[test]
    fn two_sources_may_watch_the_same_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let mut file = File::create(&path).unwrap();
        let notifier = Notifier::start(Duration::from_secs(3600)).unwrap();
        let (one, rung_one) = watched(&notifier, &path);
        let (two, rung_two) = watched(&notifier, &path);
        let (mut watch_one, mut watch_two) = (None, None);
        assert!(one.arm_file(&file, &mut watch_one));
        assert!(two.arm_file(&file, &mut watch_two));
        assert!(!two.arm_file(&file, &mut watch_two), "armed already");
        drop(watch_one);
        file.write_all(b"line\n").unwrap();
        assert!(rings(&rung_two, 0));
        assert_eq!(rung_one.count(), 0, "rung for a file that was let go");
        assert!(two.arm_file(&file, &mut watch_two), "one event, one ring");
    }
}
