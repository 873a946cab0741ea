//! The kernel's notifications for a merge that takes them in on its own thread: a hop
//! between threads costs more than a notification.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::Arc;
use std::time::Duration;

use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};

use crate::waking::notifier::Notifier;

const NEVER: Timespec = Timespec { tv_sec: i64::MAX, tv_nsec: 0 };

/// The operating system's notifications of the sources of a plan, for a merge that
/// takes them in on its own thread; from
/// [`Plan::notifications`](crate::Plan::notifications).
///
/// Its descriptor becomes readable when there is something to
/// [`take_in`](Notifications::take_in). Until it is dropped, the thread of the notifier
/// leaves the kernel's events alone.
#[derive(Debug)]
pub struct Notifications {
    notifier: Arc<Notifier>,
    /// An `epoll` set of the kernel's queue of events and of `timer`; one of them is
    /// waited for at a time.
    either: OwnedFd,
    timer: OwnedFd,
    /// Whether events gather until the timer ends, and wake nobody.
    gathers: bool,
}

impl Notifications {
    /// Takes over from the notifier's thread; `None` if there is nothing to take over.
    pub(crate) fn of(notifier: &Arc<Notifier>) -> Option<Notifications> {
        let events = notifier.inotify.fd()?;
        let prepared = || -> rustix::io::Result<_> {
            let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::CLOEXEC)?;
            let either = epoll::create(CreateFlags::CLOEXEC)?;
            epoll::add(&either, events, EventData::new_u64(0), EventFlags::IN)?;
            epoll::add(&either, &timer, EventData::new_u64(0), EventFlags::IN)?;
            Ok((either, timer))
        };
        // Without a free descriptor, the notifier's thread goes on.
        let (either, timer) = prepared().ok()?;
        notifier.hear_elsewhere(true);
        Some(Notifications { notifier: Arc::clone(notifier), either, timer, gathers: false })
    }

    /// Takes in every event that has come. The sources that these concern are in
    /// [`Plan::ready`](crate::Plan::ready) then; [`Ready::changed`] does not wake.
    ///
    /// Events within [`Options::latency`](crate::Options::latency) after one that was
    /// taken in are gathered, and become readable together.
    ///
    /// # Errors
    ///
    /// The operating system refuses to wait for what comes next.
    ///
    /// [`Ready::changed`]: crate::Ready::changed
    pub fn take_in(&mut self) -> io::Result<()> {
        let latency = self.notifier.latency;
        let gathers = self.notifier.take_in() && !latency.is_zero();
        if gathers || self.gathers {
            // Nought stops the timer.
            let until = if gathers { latency } else { Duration::ZERO };
            let until = Timespec::try_from(until).unwrap_or(NEVER);
            let once = Itimerspec { it_value: until, it_interval: Timespec::default() };
            timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &once)?;
        }
        if gathers == self.gathers {
            return Ok(());
        }
        let Some(events) = self.notifier.inotify.fd() else { return Ok(()) };
        if gathers {
            // Removed: a masked member of the set would wake all the same.
            epoll::delete(&self.either, events)?;
        } else {
            // What has come since is told now.
            epoll::add(&self.either, events, EventData::new_u64(0), EventFlags::IN)?;
        }
        self.gathers = gathers;
        Ok(())
    }
}

impl AsFd for Notifications {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.either.as_fd()
    }
}

impl AsRawFd for Notifications {
    fn as_raw_fd(&self) -> RawFd {
        self.either.as_raw_fd()
    }
}

impl Drop for Notifications {
    fn drop(&mut self) {
        self.notifier.hear_elsewhere(false);
    }
}
