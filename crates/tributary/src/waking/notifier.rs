//! The notifier: one thread that hears the kernel and keeps the deadlines.
//!
//! It waits for events and for the next deadline, and rings. It never touches
//! a path (no `stat`, no link, no new watch), so no file system can hold it up.
//! What has to be asked by `stat` it hands to the [poller](crate::waking::poller);
//! every 30 s that is everything, in case something was missed. It never reads
//! a file and decides nothing.

use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tracing::warn;

use crate::waking::change::Bell;
use crate::waking::inotify::{self, Inotify};
use crate::waking::poller::{self, Poller};
use crate::waking::watches::Watches;

/// How often every path is asked by `stat`, whatever was notified.
const SWEEP: Duration = Duration::from_secs(30);

/// The handle on the notifier's threads; the last one to go ends them.
#[derive(Debug, Clone)]
pub(crate) struct Notifier(Arc<Handle>);

#[derive(Debug)]
struct Handle {
    core: Arc<Core>,
    /// Interrupts the wait of the thread, which ends when the pipe is closed.
    nudge: PipeWriter,
}

/// What the notifier's thread and its handles have in common.
#[derive(Debug)]
pub(super) struct Core {
    /// `None` where the system has refused one: then all sources are polled.
    pub(super) inotify: Option<Arc<Inotify>>,
    /// How often a path is asked that cannot be notified.
    pub(super) interval: Duration,
    /// Whether a met limit was told already.
    pub(super) told_limit: AtomicBool,
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
        stat: fn(&Path) -> u64,
    ) -> io::Result<Notifier> {
        let (wait, nudge) = io::pipe()?;
        rustix::io::ioctl_fionbio(&wait, true)?;
        rustix::io::ioctl_fionbio(&nudge, true)?;
        let inotify = inotify.map(Arc::new);
        let core = Arc::new(Core {
            inotify: inotify.clone(),
            interval: interval.max(Duration::from_millis(1)),
            told_limit: AtomicBool::new(false),
            poller: Poller::new(stat),
            watches: Mutex::new(Watches::new(inotify)),
        });
        let run = Arc::clone(&core);
        thread::Builder::new().name("notifier".into()).spawn(move || run.run(&wait))?;
        Ok(Notifier(Arc::new(Handle { core, nudge })))
    }

    pub(super) fn core(&self) -> &Arc<Core> {
        &self.0.core
    }

    /// Has the thread ask anew what it waits for.
    pub(super) fn nudge(&self) {
        // A full pipe has nudged already.
        let _ = (&self.0.nudge).write(&[0]);
    }

    /// Rings `bell` at `when`, or before. `wake` is the time set last.
    pub(super) fn ring_at(&self, when: Instant, bell: &Arc<Bell>, wake: &mut Option<Instant>) {
        let now = Instant::now();
        if wake.is_some_and(|wake| now < wake && wake <= when) {
            return;
        }
        *wake = Some(when);
        if self.core().lock().ring_at(when, bell) {
            self.nudge();
        }
    }
}

impl Core {
    pub(super) fn lock(&self) -> MutexGuard<'_, Watches> {
        self.watches.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in every event that has come, asks `what` then, and rings.
    pub(super) fn drained<T>(&self, what: impl FnOnce(&mut Watches) -> T) -> T {
        let mut watches = self.lock();
        if let Some(inotify) = &self.inotify {
            inotify.events(|event| watches.apply(event));
        }
        let answer = what(&mut watches);
        let rung = watches.take_rung();
        drop(watches);
        rung.iter().for_each(|bell| bell.ring());
        answer
    }

    /// The thread: waits, rings, waits.
    fn run(&self, wait: &PipeReader) {
        let now = Instant::now();
        let (mut sweep, mut polls) = (now.checked_add(SWEEP), now.checked_add(self.interval));
        loop {
            let hung = self.poller.supervise(Instant::now());
            let (polled, deadline) = {
                let watches = self.lock();
                (!watches.polled.is_empty(), watches.deadline())
            };
            let next = [sweep, polls.filter(|_| polled), deadline, hung];
            if !self.wait(wait, next.into_iter().flatten().min()) {
                return self.poller.end();
            }
            let now = Instant::now();
            self.drained(|watches| watches.time(now));
            if sweep.is_some_and(|sweep| sweep <= now) {
                self.poller.ask(self.lock().targets().cloned());
                sweep = now.checked_add(SWEEP);
            }
            if polls.is_some_and(|polls| polls <= now) {
                self.poller.ask(self.lock().polled.values().cloned());
                polls = now.checked_add(self.interval);
            }
        }
    }

    /// Waits for an event, a nudge or `until`; false if nobody is left to ring.
    fn wait(&self, mut wait: &PipeReader, until: Option<Instant>) -> bool {
        let mut fds = vec![PollFd::new(&wait, PollFlags::IN)];
        if let Some(inotify) = &self.inotify {
            fds.push(PollFd::new(&**inotify, PollFlags::IN));
        }
        let timeout = until.map(|until| until.saturating_duration_since(Instant::now()));
        let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        // Whatever has ended the wait: the caller asks for all that may be due.
        let _ = poll(&mut fds, timeout.as_ref());
        !matches!(wait.read(&mut [0; 64]), Ok(0))
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
