//! The context of the law that runs on this thread: its deadline, and how it can
//! be started again in a process of its own.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use crate::{BOUND, Broken};

thread_local! {
    static AROUND: RefCell<Around> = RefCell::new(Around::new(BOUND, TriedBy::Nothing));
}

/// What tries a law.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TriedBy {
    /// Nothing that could be started again.
    Nothing,
    /// The test of this name, beside other tests.
    Test(String),
    /// A process in which nothing else goes on.
    Process,
}

#[derive(Clone)]
struct Around {
    bound: Duration,
    deadline: Instant,
    tried_by: TriedBy,
}

impl Around {
    fn new(bound: Duration, tried_by: TriedBy) -> Around {
        Around { bound, deadline: Instant::now() + bound, tried_by }
    }
}

/// Begins a law on this thread: from now on it may wait for as long as `bound`.
pub(crate) fn begin(bound: Duration, tried_by: TriedBy) {
    AROUND.with_borrow_mut(|around| *around = Around::new(bound, tried_by));
}

/// Returns the bound of this thread's law.
pub(crate) fn bound() -> Duration {
    AROUND.with_borrow(|around| around.bound)
}

/// Returns how long this thread's law may still wait.
pub(crate) fn left() -> Duration {
    AROUND.with_borrow(|around| around.deadline.saturating_duration_since(Instant::now()))
}

/// Returns what tries this thread's law.
pub(crate) fn tried_by() -> TriedBy {
    AROUND.with_borrow(|around| around.tried_by.clone())
}

/// Says that `what` did not come within the bound.
#[track_caller]
pub(crate) fn passed(what: &str) -> Broken {
    Broken::new(format!("waited {:?} in vain for this: {what}", bound()))
}
