//! How a watch sleeps while all workers rest, where hooks of the runtime wake it.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::thread::{self, Thread};

/// Wakes the watch of a runtime.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    watch: OnceLock<Thread>,
    /// The runtime has the hook that rings.
    is_hooked: AtomicBool,
    is_asleep: AtomicBool,
}

impl Bell {
    /// Has the bell wake this thread.
    pub(crate) fn wakes_this_thread(&self) {
        let _ = self.watch.set(thread::current());
    }

    /// Notes that every worker of the runtime rings when it goes on.
    pub(crate) fn is_hooked(&self) {
        // It is written once, for it is read at every ring.
        if !self.is_hooked.load(Ordering::Relaxed) {
            self.is_hooked.store(true, Ordering::Relaxed);
        }
    }

    /// Wakes the watch if it sleeps. The caller is known to be at work before.
    pub(crate) fn ring(&self) {
        // Either this thread sees that the watch sleeps, or the watch sees, before it
        // sleeps, that somebody is at work: tokio's counters have no order of their own.
        fence(Ordering::SeqCst);
        if self.is_asleep.load(Ordering::Relaxed)
            && self.is_asleep.swap(false, Ordering::Relaxed)
            && let Some(watch) = self.watch.get()
        {
            watch.unpark();
        }
    }

    /// Sleeps until the bell rings, or `may_sleep` says no; at once, if no hook rings.
    pub(crate) fn sleep(&self, may_sleep: impl Fn() -> bool) {
        if !self.is_hooked.load(Ordering::Relaxed) {
            return;
        }
        self.is_asleep.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        // `park` may return without a reason.
        while self.is_asleep.load(Ordering::Relaxed) && may_sleep() {
            thread::park();
        }
        self.is_asleep.store(false, Ordering::Relaxed);
    }
}
