//! The notifier: one thread that hears the kernel and keeps the deadlines.
//!
//! It waits for events and for the next deadline, and rings. It never touches
//! a path (no `stat`, no link, no new watch), so no file system can hold it up.
//! What has to be asked by `stat` it hands to the [poller](crate::waking::poller);
//! every 30 s that is all sources, in case something was missed. It never reads
//! a file and decides nothing.

use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tracing::warn;

use crate::waking::change::Bell;
use crate::waking::inotify::{self, Inotify};
use crate::waking::later;
use crate::waking::poller::{self, Poller, Seen, Target};
use crate::waking::watch::{FolderWatch, SourceWatch};
use crate::waking::watches::{Id, Watches};

/// How often all sources are asked by `stat`, whatever was notified.
const SWEEP: Duration = Duration::from_secs(30);

/// The handle on the notifier's threads; the last one to go ends them.
#[derive(Debug, Clone)]
pub(crate) struct Notifier(Arc<Handle>);

#[derive(Debug)]
struct Handle(Arc<Core>);

/// What the notifier's thread and its handles have in common.
#[derive(Debug)]
pub(super) struct Core {
    /// `None` where the system has refused one: then all sources are polled.
    pub(super) inotify: Option<Inotify>,
    /// Interrupts the thread's wait.
    nudge: PipeWriter,
    ended: AtomicBool,
    /// How often a source is asked that cannot be notified.
    pub(super) interval: Duration,
    poller: Arc<Poller>,
    watches: Mutex<Watches>,
}

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
        Notifier::start_with(inotify.ok(), interval, poller::stat)
    }

    pub(super) fn start_with(
        inotify: Option<Inotify>,
        interval: Duration,
        stat: fn(&Path) -> Seen,
    ) -> io::Result<Notifier> {
        let (wait, nudge) = io::pipe()?;
        rustix::io::ioctl_fionbio(&wait, true)?;
        rustix::io::ioctl_fionbio(&nudge, true)?;
        let core = Arc::new(Core {
            inotify,
            nudge,
            ended: AtomicBool::new(false),
            interval: interval.max(Duration::from_millis(1)),
            poller: Poller::new(stat),
            watches: Mutex::default(),
        });
        let run = Arc::clone(&core);
        thread::Builder::new().name("notifier".into()).spawn(move || run.run(&wait))?;
        Ok(Notifier(Arc::new(Handle(core))))
    }

    /// Takes on a log: `bell` is rung when it should be looked at.
    pub(crate) fn watch(&self, path: Arc<Path>, bell: Arc<Bell>) -> SourceWatch {
        let target = Target::new(path, bell);
        let id = self.core().lock().add_source(Arc::clone(&target));
        SourceWatch::new(self.clone(), id, target)
    }

    /// Takes on a pattern: `bell` is rung when its folders should be read.
    pub(crate) fn watch_folders(&self, bell: Arc<Bell>) -> FolderWatch {
        let id = self.core().lock().add_pattern(Arc::clone(&bell));
        FolderWatch::new(self.clone(), id, bell)
    }

    pub(super) fn core(&self) -> &Arc<Core> {
        &self.0.0
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.ended.store(true, Ordering::SeqCst);
        // Not joined: a poller may be inside a `stat` that hangs.
        self.0.poller.end();
        self.0.nudge();
    }
}

impl Core {
    pub(super) fn lock(&self) -> MutexGuard<'_, Watches> {
        self.watches.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in every event that has come, asks `what` then, and rings.
    pub(super) fn drained<T>(&self, what: impl FnOnce(&mut Watches) -> T) -> T {
        let mut rung: Vec<Arc<Bell>> = Vec::new();
        let mut watches = self.lock();
        if let Some(inotify) = &self.inotify {
            inotify.events(|event| watches.apply(event, inotify, &mut rung));
        }
        let answer = what(&mut watches);
        drop(watches);
        // A busy folder rings the same bell for each name.
        rung.dedup_by(|one, other| Arc::ptr_eq(one, other));
        rung.iter().for_each(|bell| bell.ring());
        answer
    }

    /// Rings `bell` at `when`, or before. `wake` is the time set last.
    pub(super) fn wake_at(
        &self,
        when: Instant,
        id: Id,
        bell: &Arc<Bell>,
        wake: &mut Option<Instant>,
    ) {
        let now = Instant::now();
        if wake.is_some_and(|wake| now < wake && wake <= when) {
            return;
        }
        let mut watches = self.lock();
        watches.deadlines.remove(id, wake.replace(when));
        watches.deadlines.set(id, when, bell);
        if watches.deadlines.next() == Some(when) {
            self.nudge();
        }
    }

    /// Has the thread ask anew what it waits for.
    pub(super) fn nudge(&self) {
        // A full pipe has nudged already.
        let _ = (&self.nudge).write(&[0]);
    }

    /// The thread: waits, rings, waits.
    fn run(&self, wait: &PipeReader) {
        let now = Instant::now();
        let (mut sweep, mut polls) = (later(now, SWEEP), later(now, self.interval));
        loop {
            let hung = self.poller.supervise(Instant::now());
            let (polled, deadline) = {
                let watches = self.lock();
                (watches.polled > 0, watches.deadlines.next())
            };
            let next = [sweep, polls.filter(|_| polled), deadline, hung];
            self.wait(wait, next.into_iter().flatten().min());
            if self.ended.load(Ordering::SeqCst) {
                return;
            }
            let now = Instant::now();
            let due = self.drained(|watches| watches.deadlines.take_due(now));
            due.iter().for_each(|bell| bell.ring());
            if sweep.is_some_and(|sweep| sweep <= now) {
                self.sweep();
                sweep = later(now, SWEEP);
            }
            if polls.is_some_and(|polls| polls <= now) {
                self.poll();
                polls = later(now, self.interval);
            }
        }
    }

    /// Waits for an event, a nudge or `until`.
    fn wait(&self, mut wait: &PipeReader, until: Option<Instant>) {
        let mut fds = vec![PollFd::new(&wait, PollFlags::IN)];
        if let Some(inotify) = &self.inotify {
            fds.push(PollFd::new(inotify, PollFlags::IN));
        }
        let timeout = until.map(|until| until.saturating_duration_since(Instant::now()));
        let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        // Whatever woke us, what is due is asked afterwards.
        let _ = poll(&mut fds, timeout.as_ref());
        let _ = wait.read(&mut [0; 64]);
    }

    /// Has everything looked at, in case something was missed.
    fn sweep(&self) {
        let watches = self.lock();
        let targets: Vec<_> = watches.targets().cloned().collect();
        let patterns: Vec<_> = watches.patterns().cloned().collect();
        drop(watches);
        self.poller.ask(targets);
        patterns.iter().for_each(|bell| bell.ring());
    }

    /// Has the sources asked that are polled.
    fn poll(&self) {
        let watches = self.lock();
        if watches.polled == 0 {
            return;
        }
        let polled = |target: &&Arc<Target>| target.polled.load(Ordering::SeqCst);
        let targets: Vec<_> = watches.targets().filter(polled).cloned().collect();
        drop(watches);
        self.poller.ask(targets);
    }

    #[cfg(test)]
    pub(super) fn pollers(&self) -> usize {
        self.poller.threads()
    }

    /// Returns how many watches the kernel has.
    #[cfg(test)]
    pub(super) fn kernel_watches(&self) -> usize {
        use std::os::fd::{AsFd, AsRawFd};
        let fd = self.inotify.as_ref().map_or(-1, |inotify| inotify.as_fd().as_raw_fd());
        let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{fd}")).unwrap();
        info.lines().filter(|line| line.starts_with("inotify ")).count()
    }
}
