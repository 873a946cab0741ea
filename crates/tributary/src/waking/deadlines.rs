//! When somebody is to be rung, whatever happens until then.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::waking::change::Bell;
use crate::waking::watches::Id;

/// Returns the time that lies `duration` after `instant`; `None` for never,
/// since a duration may be the largest that there is.
pub(crate) fn later(instant: Instant, duration: Duration) -> Option<Instant> {
    instant.checked_add(duration)
}

/// The bells, and when each is to be rung: at most one time for each `Id`.
#[derive(Debug, Default)]
pub(super) struct Deadlines(BTreeMap<(Instant, Id), Arc<Bell>>);

impl Deadlines {
    pub(super) fn next(&self) -> Option<Instant> {
        self.0.first_key_value().map(|((when, _), _)| *when)
    }

    pub(super) fn set(&mut self, id: Id, when: Instant, bell: &Arc<Bell>) {
        self.0.insert((when, id), Arc::clone(bell));
    }

    pub(super) fn remove(&mut self, id: Id, when: Option<Instant>) {
        if let Some(when) = when {
            self.0.remove(&(when, id));
        }
    }

    /// Takes out whose time has come.
    pub(super) fn take_due(&mut self, now: Instant) -> Vec<Arc<Bell>> {
        let mut due = Vec::new();
        while let Some(first) = self.0.first_entry().filter(|first| first.key().0 <= now) {
            due.push(first.remove());
        }
        due
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
