//! Until when a law may wait, and which test it is tried by: what the thread
//! of a law knows besides its merger.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use crate::{BOUND, Broken};

thread_local! {
    static AROUND: RefCell<Around> = RefCell::new(Around::new(BOUND, None));
}

#[derive(Clone)]
struct Around {
    bound: Duration,
    deadline: Instant,
    test: Option<String>,
}

impl Around {
    fn new(bound: Duration, test: Option<String>) -> Around {
        Around { bound, deadline: Instant::now() + bound, test }
    }
}

/// Begins a law on this thread: from now on it may wait for as long as `bound`.
pub(crate) fn begin(bound: Duration, test: Option<String>) {
    AROUND.with_borrow_mut(|around| *around = Around::new(bound, test));
}

/// Returns the bound of this thread's law.
pub(crate) fn bound() -> Duration {
    AROUND.with_borrow(|around| around.bound)
}

/// Returns how long this thread's law may still wait.
pub(crate) fn left() -> Duration {
    AROUND.with_borrow(|around| around.deadline.saturating_duration_since(Instant::now()))
}

/// Returns the name of the test that tries this thread's law.
pub(crate) fn test() -> Option<String> {
    AROUND.with_borrow(|around| around.test.clone())
}

/// Says that what was waited for did not come within the bound.
#[track_caller]
pub(crate) fn passed(what: &str) -> Broken {
    Broken::new(format!("waited {:?} in vain for this: {what}", bound()))
}
