//! What wakes a source that waits: a counter of changes, and an event that is
//! notified with each.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use event_listener::{Event, EventListener, Listener};

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

    /// Returns what is ready with the first change after `seen`.
    pub(crate) fn since(&self, seen: usize) -> Changed {
        // Listen first, compare second: a change that comes between the two
        // finds a listener, and one that came before has moved the counter.
        let listener = self.event.listen();
        if self.count() != seen {
            self.event.notify(usize::MAX);
        }
        Changed(listener)
    }
}

/// A change of a source, waited for in a thread or in a task; from
/// [`Source::changed`](crate::Source::changed).
///
/// It is a future for a task, on any runtime, and has two methods for a thread.
/// Each change makes it ready once: take a new one after the next look.
#[derive(Debug)]
pub struct Changed(EventListener);

impl Changed {
    /// Waits for the change.
    ///
    /// # Blocking
    ///
    /// Blocks the calling thread. In a task, `await` it.
    pub fn wait(self) {
        self.0.wait();
    }

    /// Waits for the change, for `most` at the most; false if it did not come.
    ///
    /// # Blocking
    ///
    /// Blocks the calling thread. In a task, `await` it within a timeout.
    pub fn wait_timeout(self, most: Duration) -> bool {
        self.0.wait_timeout(most).is_some()
    }
}

impl Future for Changed {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(context)
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
