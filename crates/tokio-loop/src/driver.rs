//! The driver: the one place where a runtime waits for its timers and sockets. A
//! worker that goes to rest takes it, unless another one has it. So if the worker
//! that had it is stuck and the others rest already, nobody has it.

use std::thread;
use std::time::Duration;

use crate::doing::threads_in_epoll;
use crate::runtime::Runtime;

/// While the driver has not been found, so many looks come one after the other. Then
/// more and more looks are left out, at most so many.
const AT_ONCE: u32 = 20;
const MOST_LEFT_OUT: u32 = 1_000;

/// What is known of the driver of a runtime.
#[derive(Debug, Default)]
pub(crate) struct Driver {
    /// The descriptor at which a worker was seen to wait for it. It cannot be seen where a
    /// runtime has no I/O, nor where the system does not tell.
    found: Option<i32>,
    /// How many looks there were, how many are left out before the next one, and
    /// how many have been.
    looks: u32,
    leave_out: u32,
    left_out: u32,
}

impl Driver {
    /// Looks for a worker that waits for the driver's events.
    pub(crate) fn find(&mut self, runtime: &Runtime) {
        if self.found.is_some() || runtime.workers() == 1 {
            return;
        }
        if self.left_out < self.leave_out {
            self.left_out += 1;
            return;
        }
        (self.looks, self.left_out) = (self.looks.saturating_add(1), 0);
        if self.looks > AT_ONCE {
            self.leave_out = (self.leave_out * 2 + 1).min(MOST_LEFT_OUT);
        }
        let waiting = threads_in_epoll();
        // A worker that is not parked waits for something else.
        let parked = (0..runtime.workers()).filter(|worker| runtime.is_parked(*worker));
        self.found = parked.filter_map(|worker| runtime.thread(worker)).find_map(|parked| {
            waiting.iter().find_map(|(thread, at)| (*thread == parked).then_some(*at))
        });
    }

    /// Returns how many workers rest although nobody has the driver; `None` if
    /// somebody has it. `turns` knows of a worker whether it is about to come round
    /// to it.
    pub(crate) fn is_left_by(
        &self,
        runtime: &Runtime,
        turns: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        let driver = self.found?;
        let idle = idle_without(driver, runtime, &turns)?;
        // A worker on its way to rest takes the driver a moment later.
        thread::sleep(Duration::from_millis(1));
        idle_without(driver, runtime, &turns).filter(|again| *again == idle)
    }
}

fn idle_without(driver: i32, runtime: &Runtime, turns: impl Fn(usize) -> bool) -> Option<usize> {
    let (parked, others): (Vec<_>, Vec<_>) =
        (0..runtime.workers()).partition(|worker| runtime.is_parked(*worker));
    // Whichever thread has it: a worker may have moved to one that nobody knows.
    let is_held = threads_in_epoll().iter().any(|(_, at)| *at == driver);
    let is_left = !is_held && !parked.is_empty() && !others.into_iter().any(turns);
    is_left.then_some(parked.len())
}
