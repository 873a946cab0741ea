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
    /// A worker was seen to wait for it. It cannot be seen where a runtime has no
    /// I/O, nor where the system does not tell.
    is_found: bool,
    /// How many looks there were, how many are left out before the next one, and
    /// how many have been.
    looks: u32,
    leave_out: u32,
    left_out: u32,
}

impl Driver {
    /// Looks for a worker that waits for the driver's events.
    pub(crate) fn find(&mut self, runtime: &Runtime) {
        if self.is_found || runtime.workers() == 1 {
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
        self.is_found = (0..runtime.workers())
            .filter_map(|worker| runtime.thread(worker))
            .any(|thread| waiting.contains(&thread));
    }

    /// Returns how many workers rest although nobody has the driver; `None` if
    /// somebody has it. `turns` knows of a worker whether it is about to come round
    /// to it.
    pub(crate) fn is_left_by(
        &self,
        runtime: &Runtime,
        turns: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        if !self.is_found {
            return None;
        }
        let idle = idle_without_driver(runtime, &turns)?;
        // A worker on its way to rest takes the driver a moment later.
        thread::sleep(Duration::from_millis(1));
        idle_without_driver(runtime, &turns).filter(|again| *again == idle)
    }
}

fn idle_without_driver(runtime: &Runtime, turns: impl Fn(usize) -> bool) -> Option<usize> {
    let waiting = threads_in_epoll();
    let mut idle = 0;
    for worker in 0..runtime.workers() {
        if !runtime.is_parked(worker) {
            if turns(worker) {
                return None;
            }
            continue;
        }
        idle += 1;
        let has_it = match runtime.thread(worker) {
            Some(thread) => waiting.contains(&thread),
            // Any of those that wait may be its thread.
            None => !waiting.is_empty(),
        };
        if has_it {
            return None;
        }
    }
    (idle > 0).then_some(idle)
}
