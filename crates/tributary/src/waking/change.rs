//! What wakes a source that waits: a counter of changes, and an event that is
//! notified with each.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use event_listener::{Event, EventListener};

/// The changes of one source, counted.
///
/// The counter closes the gap between a look and the wait that follows it: a
/// change in between moves the counter, and [`Change::since`] then hands out
/// a listener that is ready at once.
#[derive(Debug, Default)]
pub(crate) struct Change {
    count: AtomicUsize,
    event: Event,
}

impl Change {
    /// Returns how many changes there were so far: note it *before* a look.
    pub(crate) fn count(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }

    /// Counts one more change and wakes whoever waits.
    pub(crate) fn ring(&self) {
        self.count.fetch_add(1, Ordering::SeqCst);
        self.event.notify(usize::MAX);
    }

    /// Returns a listener for the first change after `seen`.
    pub(crate) fn since(&self, seen: usize) -> EventListener {
        // Listen first, compare second: a change that comes between the two
        // finds a listener, and one that came before has moved the counter.
        let listener = self.event.listen();
        if self.count() != seen {
            self.event.notify(usize::MAX);
        }
        listener
    }
}

/// The changes of one log. A source with many logs has one for each, and looks
/// only at those that rang.
#[derive(Debug)]
pub(crate) struct Bell {
    change: Arc<Change>,
    rung: AtomicBool,
}

impl Bell {
    /// Makes a bell that wakes the source of `change`. It has rung: nobody has
    /// looked yet.
    pub(crate) fn new(change: Arc<Change>) -> Arc<Bell> {
        Arc::new(Bell { change, rung: AtomicBool::new(true) })
    }

    /// Says that a look is due, and wakes the source.
    pub(crate) fn ring(&self) {
        // The flag first: whoever wakes finds it.
        self.mark();
        self.change.ring();
    }

    /// Says that a look is due, and wakes nobody.
    pub(crate) fn mark(&self) {
        self.rung.store(true, Ordering::SeqCst);
    }

    /// Tells whether a look is due, and takes it as done: ask *before* the look.
    pub(crate) fn take(&self) -> bool {
        self.rung.swap(false, Ordering::SeqCst)
    }

    /// Returns the changes of the whole source.
    pub(crate) fn change(&self) -> &Arc<Change> {
        &self.change
    }
}
