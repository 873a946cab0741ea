//! Asks `stat` where nothing notifies: on a network file system, after a limit was met,
//! for a name that nobody has.
//!
//! A `stat` may hang for as long as a server is away, and must delay no other.
//! So the paths wait in one queue, and one thread works it off and ends. When
//! that thread has taken nothing for a second, another one takes its place. A
//! path that hangs is left out until its `stat` comes back.

use std::collections::VecDeque;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::waking::change::Bell;

/// How long a `stat` may take until another thread goes on with the rest.
const PATIENCE: Duration = Duration::from_secs(1);

/// The most threads. When a `stat` hangs in each, all other paths wait.
const MOST: usize = 16;

/// What `stat` said of a path, as a hash.
type Seen = u64;

/// [`Target::seen`] before the first answer, which is news in any case.
const NEVER: Seen = 0;

/// A path that is watched (a log, or a folder of a pattern), and who is rung
/// when it changes.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) path: Arc<Path>,
    pub(super) bell: Arc<Bell>,
    /// Whether the path is watched, in every folder that leads to it, and the
    /// way has not changed since.
    pub(super) named: AtomicBool,
    /// Whether it waits to be asked, or its `stat` is under way.
    waits: AtomicBool,
    /// What `stat` said the last time.
    seen: AtomicU64,
}

impl Target {
    pub(super) fn new(path: Arc<Path>, bell: &Arc<Bell>) -> Arc<Target> {
        let (named, waits, seen) = (AtomicBool::default(), AtomicBool::default(), NEVER.into());
        Arc::new(Target { path, bell: Arc::clone(bell), named, waits, seen })
    }

    /// Takes the next answer as news, whatever it is.
    pub(super) fn forget(&self) {
        self.seen.store(NEVER, Ordering::SeqCst);
    }

    fn answered(&self, seen: Seen) {
        let news = self.seen.swap(seen, Ordering::SeqCst) != seen;
        self.waits.store(false, Ordering::SeqCst);
        if news {
            self.bell.ring();
        }
    }
}

#[derive(Debug)]
pub(super) struct Poller {
    /// `stat`; a test has one that hangs.
    ask: fn(&Path) -> Seen,
    queue: Mutex<Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    targets: VecDeque<Arc<Target>>,
    /// How many threads there are, including those that hang.
    threads: usize,
    /// How many were started so far: the number of the one that works.
    started: u64,
    /// When that thread last took a target; `None` if it has ended.
    taken: Option<Instant>,
}

impl Poller {
    pub(super) fn new(ask: fn(&Path) -> Seen) -> Arc<Poller> {
        Arc::new(Poller { ask, queue: Mutex::default() })
    }

    /// Queues the targets, except those that still wait for their answer.
    /// [`supervise`](Poller::supervise) starts the threads.
    pub(super) fn ask(&self, targets: impl IntoIterator<Item = Arc<Target>>) {
        let fresh = targets.into_iter().filter(|it| !it.waits.swap(true, Ordering::SeqCst));
        self.queue().targets.extend(fresh);
    }

    /// Starts a thread if there is something to do, and nobody who does it.
    /// Returns when to call this again.
    pub(super) fn supervise(self: &Arc<Poller>, now: Instant) -> Option<Instant> {
        let mut queue = self.queue();
        if queue.targets.is_empty() || queue.threads == MOST {
            return None;
        }
        if queue.taken.is_none_or(|taken| taken + PATIENCE <= now) {
            let (poller, number) = (Arc::clone(self), queue.started + 1);
            let thread = thread::Builder::new().name("poller".into());
            // If the system refuses it, the next time will do.
            if thread.spawn(move || poller.run(number)).is_ok() {
                queue.threads += 1;
                queue.started = number;
                queue.taken = Some(now);
            }
        }
        Some(now + PATIENCE)
    }

    /// Ends the threads. One that hangs is not waited for.
    pub(super) fn end(&self) {
        self.queue().targets.clear();
    }

    /// A thread: asks and rings, until nothing is left or another one has taken
    /// its place.
    fn run(&self, number: u64) {
        let mut queue = self.queue();
        while queue.started == number {
            let Some(target) = queue.targets.pop_front() else {
                queue.taken = None;
                break;
            };
            queue.taken = Some(Instant::now());
            drop(queue);
            target.answered((self.ask)(&target.path));
            queue = self.queue();
        }
        queue.threads -= 1;
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(super) fn threads(&self) -> usize {
        self.queue().threads
    }
}

/// Asks `stat`. The answer changes when the path leads to another file, or its file has
/// changed.
///
/// # Blocking
///
/// Blocks the calling thread for as long as the file system takes.
pub(super) fn stat(path: &Path) -> Seen {
    let mut hasher = DefaultHasher::new();
    if let Ok(it) = fs::metadata(path) {
        let modified = (it.mtime(), it.mtime_nsec());
        let changed = (it.ctime(), it.ctime_nsec());
        (it.dev(), it.ino(), it.len(), modified, changed).hash(&mut hasher);
    }
    hasher.finish().max(NEVER + 1)
}
