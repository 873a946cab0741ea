//! How a merge is told to end.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::Changed;
use crate::waking::change::Change;

/// A request to end a merge: clones share it, and it cannot be taken back.
///
/// A stop is not a kill. Each source reads on to the size that its file has at
/// its first look after the request, and only then answers
/// [`Closed`](crate::Read::Closed): what was written before the stop is
/// merged, and a writer that never pauses cannot keep the merge alive.
///
/// In the book, closing the handles is what ends a merge, and it races with
/// the last read. Here the order is fixed: a source asks for the stop *before*
/// it looks.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    requested: AtomicBool,
    abandoned: AtomicBool,
    /// Rings with the request.
    change: Change,
    /// Rings when the merge is abandoned.
    abandonment: Change,
    /// The sources to wake. The entry of a dropped source stays, and no longer
    /// upgrades.
    changes: Mutex<Vec<Weak<Change>>>,
}

impl Stop {
    /// Creates a stop that nobody has requested.
    pub fn new() -> Stop {
        Stop::default()
    }

    /// Requests the end and wakes every source that waits, at once.
    ///
    /// Requesting it again changes nothing.
    ///
    /// # Blocking
    ///
    /// Takes a short lock and never waits for a source, so a task may call
    /// it; a signal handler may not.
    pub fn request(&self) {
        if self.shared.requested.swap(true, Ordering::SeqCst) {
            return;
        }
        self.shared.change.ring();
        let changes = self.shared.changes.lock();
        for change in changes.unwrap_or_else(PoisonError::into_inner).iter() {
            if let Some(change) = change.upgrade() {
                change.ring();
            }
        }
    }

    /// Ends the merge at once: nothing is drained, each source answers
    /// [`Closed`](crate::Read::Closed) at its next look.
    ///
    /// Lines that were handed out already are still written, whole.
    pub fn abandon(&self) {
        self.shared.abandoned.store(true, Ordering::SeqCst);
        self.request();
        self.shared.abandonment.ring();
    }

    /// Tells whether the merge was abandoned.
    pub fn abandoned(&self) -> bool {
        self.shared.abandoned.load(Ordering::SeqCst)
    }

    /// Tells whether the end was requested.
    pub fn requested(&self) -> bool {
        self.shared.requested.load(Ordering::SeqCst)
    }

    /// Returns what to wait on for the request; it is ready at once if that was made
    /// already. Use it in a thread or task that waits for something other than a
    /// source.
    ///
    /// # Blocking
    ///
    /// As [`Source::changed`](crate::Source::changed).
    pub fn changed(&self) -> Changed {
        self.shared.change.since(0)
    }

    /// Returns what to wait on until the merge is abandoned, as [`changed`](Stop::changed)
    /// does for the request.
    ///
    /// # Blocking
    ///
    /// As [`Source::changed`](crate::Source::changed).
    pub fn abandonment(&self) -> Changed {
        self.shared.abandonment.since(0)
    }

    /// Registers `change`, which the request rings.
    pub(crate) fn wakes(&self, change: &Arc<Change>) {
        let changes = self.shared.changes.lock();
        changes.unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(change));
        // A request that came just before would have missed this entry.
        if self.requested() {
            change.ring();
        }
    }
}
