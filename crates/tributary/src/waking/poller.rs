//! Asks `stat` where nobody would tell: on a network file system, after a limit
//! was met, for a name that nobody has.
//!
//! A `stat` may hang for as long as a server is away, and must delay no other.
//! So the paths wait in one queue, and one thread works it off. When it has
//! taken nothing for a second, another thread goes on with the rest. The path
//! that hangs is left out until its `stat` comes back.

use std::collections::VecDeque;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::waking::change::Bell;

/// How long a `stat` may take until another thread goes on with the rest.
const PATIENCE: Duration = Duration::from_secs(1);

/// The most threads. When a `stat` hangs in each, all other paths wait.
const MOST: usize = 16;

/// What `stat` said of a path; `None` if there is nothing.
pub(super) type Seen = Option<(u64, u64, u64, (i64, i64), (i64, i64))>;

/// A log, as the notifier sees it: what is asked about, and who is rung when
/// the answer is another one.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) path: Arc<Path>,
    pub(super) bell: Arc<Bell>,
    /// Whether its name is watched, in every folder that leads to it, and
    /// nothing has happened to it since.
    pub(super) named: AtomicBool,
    /// Whether it is asked every interval, since nobody would tell.
    pub(super) polled: AtomicBool,
    /// Whether it waits to be asked, or its `stat` is under way.
    waits: AtomicBool,
    /// What `stat` said the last time.
    seen: Mutex<Option<Seen>>,
}

#[derive(Debug)]
pub(super) struct Poller {
    /// `stat`; a test has one that hangs.
    ask: fn(&Path) -> Seen,
    queue: Mutex<Queue>,
    more: Condvar,
}

#[derive(Debug)]
struct Queue {
    targets: VecDeque<Arc<Target>>,
    threads: usize,
    /// How many of the threads wait for something to do.
    idle: usize,
    /// When a thread has taken something, or was started to, for the last time.
    taken: Instant,
    ended: bool,
}

impl Target {
    pub(super) fn new(path: Arc<Path>, bell: Arc<Bell>) -> Arc<Target> {
        let (named, polled, waits) = Default::default();
        Arc::new(Target { path, bell, named, polled, waits, seen: Mutex::default() })
    }

    /// Takes the next answer as news, whatever it is.
    pub(super) fn forget(&self) {
        *lock(&self.seen) = None;
    }

    fn answered(&self, seen: Seen) {
        let news = lock(&self.seen).replace(seen) != Some(seen);
        self.waits.store(false, Ordering::SeqCst);
        if news {
            self.bell.ring();
        }
    }
}

impl Poller {
    /// Makes a poller without a thread: the first comes with the first target.
    pub(super) fn new(ask: fn(&Path) -> Seen) -> Arc<Poller> {
        let queue = Queue {
            targets: VecDeque::new(),
            threads: 0,
            idle: 0,
            taken: Instant::now(),
            ended: false,
        };
        Arc::new(Poller { ask, queue: Mutex::new(queue), more: Condvar::new() })
    }

    /// Has the targets asked, but for those that wait for their answer.
    pub(super) fn ask(&self, targets: impl IntoIterator<Item = Arc<Target>>) {
        let fresh = targets.into_iter().filter(|it| !it.waits.swap(true, Ordering::SeqCst));
        lock(&self.queue).targets.extend(fresh);
        self.more.notify_one();
    }

    /// Starts a thread if there is none, or if all that there are hang. Returns
    /// when to ask for that again.
    pub(super) fn supervise(self: &Arc<Poller>, now: Instant) -> Option<Instant> {
        let mut queue = lock(&self.queue);
        if queue.targets.is_empty() || queue.threads == MOST {
            return None;
        }
        let hangs = queue.idle == 0 && queue.taken + PATIENCE <= now;
        if queue.threads == 0 || hangs {
            let poller = Arc::clone(self);
            let started = thread::Builder::new().name("poller".into()).spawn(move || poller.run());
            // If the system refuses it, the next time will do.
            queue.threads += usize::from(started.is_ok());
            queue.taken = now;
        }
        Some(now + PATIENCE)
    }

    pub(super) fn end(&self) {
        lock(&self.queue).ended = true;
        self.more.notify_all();
    }

    #[cfg(test)]
    pub(super) fn threads(&self) -> usize {
        lock(&self.queue).threads
    }

    /// A thread: asks, rings, waits for more.
    fn run(&self) {
        let mut queue = lock(&self.queue);
        while !queue.ended {
            if let Some(target) = queue.targets.pop_front() {
                queue.taken = Instant::now();
                drop(queue);
                target.answered((self.ask)(&target.path));
                queue = lock(&self.queue);
            } else if queue.idle > 0 {
                // Back from a `stat` that hung: one that waits is enough.
                break;
            } else {
                queue.idle += 1;
                queue = self.more.wait(queue).unwrap_or_else(PoisonError::into_inner);
                queue.idle -= 1;
            }
        }
        queue.threads -= 1;
    }
}

/// Asks `stat`.
///
/// # Blocking
///
/// Blocks the calling thread for as long as the file system takes.
pub(super) fn stat(path: &Path) -> Seen {
    let seen = |metadata: Metadata| {
        let modified = (metadata.mtime(), metadata.mtime_nsec());
        let changed = (metadata.ctime(), metadata.ctime_nsec());
        (metadata.dev(), metadata.ino(), metadata.len(), modified, changed)
    };
    fs::metadata(path).ok().map(seen)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
