//! What wakes a source that waits: a counter of changes, and an event that is
//! notified with each.

use std::pin::Pin;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use event_listener::{Event, EventListener, Listener};

use crate::waking::ready::Ready;

/// The changes of one source, counted.
///
/// The counter closes the gap between a look and the wait that follows it: a
/// change in between moves the counter, and [`Change::since`] then hands out
/// a listener that is ready at once.
#[derive(Debug, Default)]
pub(crate) struct Change {
    count: AtomicUsize,
    event: Event,
    /// The place of the source in its plan, once it has one.
    place: OnceLock<usize>,
    ready: Ready,
}

impl Change {
    /// Counts for a source that is listed in `ready`.
    pub(crate) fn listed_in(ready: &Ready) -> Arc<Change> {
        Arc::new(Change { ready: ready.clone(), ..Change::default() })
    }

    /// Notes the place of the source in its plan, and lists it: nobody has looked yet.
    pub(crate) fn takes(&self, place: usize) {
        self.ready.add(*self.place.get_or_init(|| place));
    }

    /// Returns how many changes there were so far: note it *before* a look.
    pub(crate) fn count(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }

    /// Counts one more change and wakes whoever waits.
    pub(crate) fn ring(&self) {
        self.ring_alone();
        self.ready.wake();
    }

    /// Rings, and wakes nobody who waits for the list.
    fn ring_alone(&self) {
        self.count.fetch_add(1, Ordering::SeqCst);
        self.event.notify(usize::MAX);
        if let Some(place) = self.place.get() {
            self.ready.add(*place);
        }
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
/// [`Source::changed`](crate::Source::changed), or of any of them, from
/// [`Ready::changed`](crate::Ready::changed).
///
/// It is a future for a task, on any runtime, and has two methods for a thread.
/// Each change makes it ready once: take a new one after the next look.
#[derive(Debug)]
pub struct Changed(pub(super) EventListener);

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
    /// Which look is due.
    rung: AtomicU8,
}

/// No look is due.
const NONE: u8 = 0;
/// The file was written. Whatever else happens to its name or to other files makes this
/// [`ANYTHING`].
const WRITTEN: u8 = 1;
/// Anything may have happened.
const ANYTHING: u8 = 2;

impl Bell {
    /// Makes a bell that wakes the source of `change`. It has rung: nobody has
    /// looked yet.
    pub(crate) fn new(change: Arc<Change>) -> Arc<Bell> {
        Arc::new(Bell { change, rung: AtomicU8::new(ANYTHING) })
    }

    /// Says that a look is due, and wakes the source.
    pub(crate) fn ring(&self) {
        // The flag first: whoever wakes finds it.
        self.mark();
        self.change.ring();
    }

    /// Says that a look is due, and wakes nobody.
    pub(crate) fn mark(&self) {
        self.rung.store(ANYTHING, Ordering::SeqCst);
    }

    /// Says that the file was written, and wakes nobody. Returns true if no look was
    /// due before: somebody has to ring.
    pub(crate) fn mark_written(&self) -> bool {
        self.rung.fetch_max(WRITTEN, Ordering::SeqCst) == NONE
    }

    /// Tells whether a look is due, and takes it as done: ask *before* the look.
    pub(crate) fn take(&self) -> bool {
        self.rung.swap(NONE, Ordering::SeqCst) != NONE
    }

    /// Takes the look after a write as done. Returns false if more may have happened:
    /// that look is still due.
    pub(crate) fn take_written(&self) -> bool {
        let order = (Ordering::SeqCst, Ordering::SeqCst);
        self.rung.compare_exchange(WRITTEN, NONE, order.0, order.1) != Err(ANYTHING)
    }

    /// Rings marked bells, and wakes once those who wait for the list.
    pub(crate) fn ring_marked(bells: &[Arc<Bell>]) {
        Bell::list_marked(bells);
        if let Some(bell) = bells.first() {
            bell.change.ready.wake();
        }
    }

    /// Rings marked bells, and wakes nobody who waits for the list: the caller takes
    /// from it next.
    pub(crate) fn list_marked(bells: &[Arc<Bell>]) {
        bells.iter().for_each(|bell| bell.change.ring_alone());
    }

    /// Returns the changes of the whole source.
    pub(crate) fn change(&self) -> &Arc<Change> {
        &self.change
    }
}
