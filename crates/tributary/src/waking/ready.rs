//! The sources that need a look.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use event_listener::Event;

use crate::waking::change::Changed;

/// The sources that need a look: each once, in the order in which they were woken. For
/// a merge that does not wait for each source by itself.
///
/// At first all are listed. Where nothing notifies, a source that has nothing new is
/// not listed again: look at it every [`interval`](crate::Plan::interval).
#[derive(Debug, Clone, Default)]
pub struct Ready(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    list: Mutex<List>,
    event: Event,
}

#[derive(Debug, Default)]
struct List {
    places: Vec<usize>,
    /// Whether a source is in `places`.
    listed: Vec<bool>,
}

impl Ready {
    /// Moves the places of the listed sources, in [`Plan::sources`](crate::Plan), to
    /// the end of `places`. Look at each of them then: a source that is woken from now
    /// on is listed again.
    pub fn take(&self, places: &mut Vec<usize>) {
        let list = &mut *self.list();
        for place in &list.places {
            list.listed[*place] = false;
        }
        places.append(&mut list.places);
    }

    /// Returns what to wait on: it is ready when there is something to take, and at
    /// once if there is already. Wait on it as on [`Source::changed`].
    ///
    /// [`Source::changed`]: crate::Source::changed
    pub fn changed(&self) -> Changed {
        // Listen first: a source that is listed in between finds a listener.
        let listener = self.0.event.listen();
        if !self.list().places.is_empty() {
            self.wake();
        }
        Changed(listener)
    }

    /// Lists a source, and wakes nobody.
    pub(super) fn add(&self, place: usize) {
        let list = &mut *self.list();
        if list.listed.len() <= place {
            list.listed.resize(place + 1, false);
        }
        if !std::mem::replace(&mut list.listed[place], true) {
            list.places.push(place);
        }
    }

    pub(super) fn wake(&self) {
        self.0.event.notify(usize::MAX);
    }

    fn list(&self) -> MutexGuard<'_, List> {
        self.0.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_each_once_until_it_is_taken_and_is_ready_while_there_is_one() {
        let ready = Ready::default();
        [2, 0, 2].into_iter().for_each(|place| ready.add(place));
        ready.changed().wait();
        let mut places = vec![7];
        ready.take(&mut places);
        assert_eq!(places, [7, 2, 0]);
        let listener = ready.changed();
        ready.add(2);
        ready.wake();
        listener.wait();
        ready.take(&mut places);
        assert_eq!(places, [7, 2, 0, 2]);
    }
}
