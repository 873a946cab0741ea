//! How a watch sleeps while all workers rest, where hooks of the runtime wake it.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::thread::{self, Thread};

/// Parks the watch of a runtime, and wakes it.
#[derive(Debug, Default)]
pub(crate) struct Parker {
    watch: OnceLock<Thread>,
    /// The runtime has the hook that wakes the watch.
    is_hooked: AtomicBool,
    is_asleep: AtomicBool,
}

impl Parker {
    /// Notes that the watch is this thread.
    pub(crate) fn is_of_this_thread(&self) {
        let _ = self.watch.set(thread::current());
    }

    /// Notes that every worker of the runtime calls [`Parker::unpark`] when it goes on.
    pub(crate) fn is_hooked(&self) {
        // Written once, since every worker reads it.
        if !self.is_hooked.load(Ordering::Relaxed) {
            self.is_hooked.store(true, Ordering::Relaxed);
        }
    }

    /// Wakes the watch if it sleeps. The counters must show the caller at work before.
    pub(crate) fn unpark(&self) {
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

    /// Parks the watch until it is woken, or `may_sleep` says no. Without a hook it returns
    /// at once.
    pub(crate) fn park(&self, may_sleep: impl Fn() -> bool) {
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
