//! What the tests of this workspace would write again and again.
//!
//! It depends on no other crate here, so the tests of each crate may use it. What
//! cannot be done has failed the test: unless they say otherwise, functions panic.

mod fifo;
mod folder;
pub mod rotating;
mod running;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

pub use fifo::{make_fifo, open_fifo};
pub use folder::Folder;
pub use running::{Ended, Running};

/// The bound of every wait: only a hang takes this long.
pub const BOUND: Duration = Duration::from_secs(60);

/// Calls `is_so` every millisecond until it returns true. After [`BOUND`], panics and
/// says that `what` never came.
#[track_caller]
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < BOUND, "it never came that {what}");
        thread::sleep(Duration::from_millis(1));
    }
}

/// Waits until none of these processes runs any more: each is gone or a zombie.
/// `processes` are ids with blanks between, as from a shell. Panics after [`BOUND`].
#[track_caller]
pub fn until_ended(processes: &str) {
    for process in processes.split_whitespace() {
        until("the process has ended", || {
            let state = std::fs::read_to_string(format!("/proc/{process}/stat"));
            state.map_or(true, |state| state.contains(") Z "))
        });
    }
}

// ANCHOR: within
/// Runs `body` to its end, on a thread of its own, and hands out its answer or
/// its panic. After [`BOUND`] it is given up, and the thread is left behind.
#[track_caller]
pub fn within<T: Send + 'static>(body: impl FnOnce() -> T + Send + 'static) -> T {
    let (ended, end) = channel();
    thread::spawn(move || {
        // Nobody listens any more once the bound has passed.
        let _ = ended.send(catch_unwind(AssertUnwindSafe(body)));
    });
    match end.recv_timeout(BOUND) {
        Ok(Ok(answer)) => answer,
        Ok(Err(panic)) => resume_unwind(panic),
        Err(_) => panic!("it hangs: given up after {BOUND:?}"),
    }
}
// ANCHOR_END: within

/// Runs `body`, which must panic, and returns the message.
#[track_caller]
pub fn panic_of<T>(body: impl FnOnce() -> T) -> String {
    let Err(panic) = catch_unwind(AssertUnwindSafe(body)) else {
        panic!("it did not panic");
    };
    match panic.downcast::<String>() {
        Ok(said) => *said,
        Err(panic) => (*panic.downcast::<&str>().expect("a message")).to_owned(),
    }
}
