//! Whether a worker is stuck. Pure: looks in, verdict out, and no clock, no
//! thread and no runtime in between.

use std::time::{Duration, Instant};

use crate::doing::{Doing, Look};

/// What a worker shows from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sign {
    /// The worker has nothing to do and waits for the operating system. Of
    /// `main`: it is not being polled.
    pub(crate) parked: bool,
    /// How often the worker parked and woke, and how long it was busy. tokio
    /// writes both at each park, and on the way between two batches of tasks.
    pub(crate) counters: (u64, Duration),
    /// When a turn was last seen to end on the worker's thread.
    pub(crate) turned: Option<Instant>,
}

impl Sign {
    /// Returns whether a worker that showed `before` and has this sign now may
    /// have been in one turn all the time since `since`.
    pub(crate) fn stands_since(&self, since: Instant, before: &Sign) -> bool {
        let has_turned = self.turned.is_some_and(|turned| turned > since);
        !self.parked && !has_turned && self.counters == before.counters
    }
}

/// A look at the thread of a worker that stands.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) at: Instant,
    /// `None`: it is not known which thread that is, or the system does not tell.
    pub(crate) thread: Option<Look>,
}

/// What is to be thought of a worker that stands.
#[derive(Debug, Clone)]
pub(crate) enum Verdict {
    /// It has not stood for long.
    Young,
    /// It has run for more than half the threshold: one long turn, or a batch
    /// of short ones.
    Busy,
    /// It has stood for long and waited for a processor: nobody blocks it.
    Starved,
    /// The watch itself was kept away, and nothing tells whether the worker was.
    Anew,
    /// It is stuck, and this is what its thread does, where that is known.
    Stuck(Option<Doing>),
}

/// Judges a worker that has stood at least since `first`. `late`: the watch
/// looks much later than it wanted to.
pub(crate) fn judge(first: &Seen, now: &Seen, slow: Duration, late: bool) -> Verdict {
    let elapsed = now.at.saturating_duration_since(first.at);
    let (Some(before), Some(after)) = (&first.thread, &now.thread) else {
        return match elapsed > slow {
            _ if late => Verdict::Anew,
            true => Verdict::Stuck(None),
            false => Verdict::Young,
        };
    };
    // A thread that is ready to run may have waited for a processor since the
    // system last counted: only what it ran is its own.
    let own = if after.runnable {
        after.ran.saturating_sub(before.ran)
    } else {
        elapsed.saturating_sub(after.waited.saturating_sub(before.waited))
    };
    if own > slow {
        Verdict::Stuck(Some(Doing::between(before, after, elapsed)))
    } else if elapsed > slow {
        Verdict::Starved
    } else if after.runnable && own > slow / 2 {
        Verdict::Busy
    } else {
        Verdict::Young
    }
}
