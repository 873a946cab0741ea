//! The notifier: one thread that hears the kernel and keeps the deadlines.
//!
//! It waits for events and for the next deadline, and rings. It never touches
//! a path (no `stat`, no link, no new watch), so no file system can hold it up.
//! What has to be asked by `stat` it hands to the [poller](crate::waking::poller);
//! every 30 s that is everything, in case something was missed. It never reads
//! a file and decides nothing.

use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
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

/// What the thread and the sources have in common. The thread ends with the last
/// handle.
#[derive(Debug)]
pub(crate) struct Notifier {
    pub(super) inotify: Arc<Inotify>,
    /// How often a path is polled that cannot be notified.
    pub(super) interval: Duration,
    /// How long after a ring the next events wait to be taken in together.
    pub(super) latency: Duration,
    /// Whether a merge takes events in by itself, and the thread leaves them alone.
    heard_elsewhere: AtomicBool,
    /// Whether a warning about a limit was given.
    pub(super) told_limit: AtomicBool,
    /// Interrupts the wait of the thread.
    nudge: PipeWriter,
    poller: Arc<Poller>,
    watches: Mutex<Watches>,
}

impl Notifier {
    /// Starts the thread. `interval` is how often a source is polled that cannot be
    /// notified, `latency` how long events are gathered.
    pub(crate) fn start(interval: Duration, latency: Duration) -> io::Result<Arc<Notifier>> {
        let inotify = Inotify::new().unwrap_or_else(|cause| {
            warn!(
                "file notifications are not to be had, all sources are polled every {interval:?}: {}",
                inotify::limit(&cause).unwrap_or_else(|| cause.to_string())
            );
            Inotify::default()
        });
        Notifier::start_with(inotify, interval, latency, poller::stat)
    }

    pub(super) fn start_with(
        inotify: Inotify,
        interval: Duration,
        latency: Duration,
        stat: fn(&Path) -> u64,
    ) -> io::Result<Arc<Notifier>> {
        let (wait, nudge) = io::pipe()?;
        rustix::io::ioctl_fionbio(&wait, true)?;
        rustix::io::ioctl_fionbio(&nudge, true)?;
        let inotify = Arc::new(inotify);
        let notifier = Arc::new(Notifier {
            inotify: Arc::clone(&inotify),
            interval: interval.max(Duration::from_millis(1)),
            latency,
            heard_elsewhere: AtomicBool::new(false),
            told_limit: AtomicBool::new(false),
            nudge,
            poller: Poller::new(stat),
            watches: Mutex::new(Watches::new(Arc::clone(&inotify))),
        });
        let (handle, poller) = (Arc::downgrade(&notifier), Arc::clone(&notifier.poller));
        let run = move || run(&handle, &wait, &inotify, &poller);
        thread::Builder::new().name("notifier".into()).spawn(run)?;
        Ok(notifier)
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Watches> {
        self.watches.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the thread ask anew what it waits for.
    pub(super) fn nudge(&self) {
        // A full pipe has nudged already.
        let _ = (&self.nudge).write(&[0]);
    }

    /// Takes in every event that has come, calls `what`, and rings.
    pub(super) fn drained<T>(&self, what: impl FnOnce(&mut Watches) -> T) -> T {
        let mut watches = self.lock();
        self.inotify.events(&mut watches);
        let answer = what(&mut watches);
        let rung = watches.take_rung();
        drop(watches);
        Bell::ring_marked(&rung);
        answer
    }

    /// Takes in every event that has come, for a merge that is awake: lists the sources
    /// that they concern, and wakes nobody. Returns true if there was one.
    #[cfg(target_os = "linux")]
    pub(super) fn take_in(&self) -> bool {
        let mut watches = self.lock();
        self.inotify.events(&mut watches);
        let rung = watches.take_rung();
        drop(watches);
        Bell::list_marked(&rung);
        !rung.is_empty()
    }

    /// Says whether a merge takes events in by itself from now on.
    #[cfg(target_os = "linux")]
    pub(super) fn hear_elsewhere(&self, elsewhere: bool) {
        self.heard_elsewhere.store(elsewhere, Ordering::SeqCst);
        self.nudge();
    }

    pub(super) fn is_heard_elsewhere(&self) -> bool {
        self.heard_elsewhere.load(Ordering::SeqCst)
    }

    /// Rings `bell` at `when`, or before. `wake` is the time set last.
    pub(super) fn ring_at(&self, when: Instant, bell: &Arc<Bell>, wake: &mut Option<Instant>) {
        let now = Instant::now();
        if wake.is_some_and(|wake| now < wake && wake <= when) {
            return;
        }
        *wake = Some(when);
        if self.lock().ring_at(when, bell) {
            self.nudge();
        }
    }

    #[cfg(test)]
    pub(super) fn pollers(&self) -> usize {
        self.poller.threads()
    }
}

/// The thread: rings the bells that are due, waits, and repeats.
fn run(handle: &Weak<Notifier>, wait: &PipeReader, inotify: &Inotify, poller: &Arc<Poller>) {
    let started = Instant::now();
    let (mut sweep, mut polls) = (started.checked_add(SWEEP), Some(started));
    while let Some(notifier) = handle.upgrade() {
        let now = Instant::now();
        let elsewhere = notifier.is_heard_elsewhere();
        let (until, hears) = notifier.drained(|watches| {
            // Each event costs a wake-up. So after a ring, the next events are gathered
            // for a moment and taken in together.
            let gathers = now.checked_add(notifier.latency);
            let gathers = gathers.filter(|_| watches.rings() && !elsewhere);
            watches.ring_due(now);
            if sweep.is_some_and(|sweep| sweep <= now) {
                poller.ask(watches.targets().cloned());
                sweep = now.checked_add(SWEEP);
            }
            if polls.is_some_and(|polls| polls <= now) {
                poller.ask(watches.polled.values().cloned());
                polls = now.checked_add(notifier.interval);
            }
            let polls = polls.filter(|_| !watches.polled.is_empty());
            let next = [sweep, polls, watches.deadline(), poller.supervise(now), gathers];
            (next.into_iter().flatten().min(), gathers.is_none() && !elsewhere)
        });
        drop(notifier);
        wait_for(wait, inotify.fd().filter(|_| hears), until);
    }
    poller.end();
}

/// Waits for an event, if it is asked for, for a nudge, for the last handle to go, or
/// until a time. The caller asks for all that may be due, whatever has ended the wait.
fn wait_for(mut nudges: &PipeReader, events: Option<BorrowedFd<'_>>, until: Option<Instant>) {
    let mut fds = vec![PollFd::new(nudges, PollFlags::IN)];
    fds.extend(events.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)));
    let timeout = until.map(|until| until.saturating_duration_since(Instant::now()));
    let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
    let _ = poll(&mut fds, timeout.as_ref());
    if !fds[0].revents().is_empty() {
        let _ = nudges.read(&mut [0; 64]);
    }
}
