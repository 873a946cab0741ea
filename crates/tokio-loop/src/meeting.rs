//! How the threads of the workers become known where nobody has set a hook.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::here;
use crate::runtime::Runtime;

/// How often the workers meet, and for how long at a time. A worker that is
/// blocked just now does not come.
const ROUNDS: u32 = 10;
const ROUND: Duration = Duration::from_millis(2);

/// Has each worker claim its thread: as many tasks as there are workers wait for
/// each other, so each worker takes one.
pub(crate) fn meet(runtime: &Runtime, is_ended: impl Fn() -> bool) {
    let workers = runtime.workers();
    for _ in 0..ROUNDS {
        if runtime.threads.all_are_known() || is_ended() {
            return;
        }
        let there = Arc::new(AtomicUsize::new(0));
        let until = Instant::now() + ROUND;
        for _ in 0..workers {
            let there = Arc::clone(&there);
            runtime.spawn(async move {
                here::claim();
                there.fetch_add(1, Ordering::AcqRel);
                while there.load(Ordering::Acquire) < workers && Instant::now() < until {
                    thread::yield_now();
                }
            });
        }
        while !runtime.threads.all_are_known() && Instant::now() < until {
            thread::sleep(ROUND / 20);
        }
    }
}
