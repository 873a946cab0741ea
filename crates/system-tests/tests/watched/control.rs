//! How late the machine itself is.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// A thread on each processor that only sleeps, a millisecond at a time. How late it
/// wakes is the machine's own delay. The time that it waited for its processor is not
/// counted: that other threads compute is no excuse.
pub(crate) struct Control {
    ended: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Duration>>,
}

impl Control {
    pub(crate) fn start() -> Control {
        let ended = Arc::new(AtomicBool::new(false));
        let ours = sched_getaffinity(None).unwrap();
        let processors = (0..CpuSet::MAX_CPU).filter(|number| ours.is_set(*number));
        let threads = processors.map(|processor| {
            let ended = Arc::clone(&ended);
            thread::spawn(move || worst(processor, &ended))
        });
        Control { threads: threads.collect(), ended }
    }

    /// Ends the threads; returns how late the latest of them was.
    pub(crate) fn end(self) -> Duration {
        self.ended.store(true, Ordering::Relaxed);
        self.threads.into_iter().map(|thread| thread.join().unwrap()).max().unwrap()
    }
}

fn worst(processor: usize, ended: &AtomicBool) -> Duration {
    let mut here = CpuSet::new();
    here.set(processor);
    sched_setaffinity(None, &here).unwrap();
    let mut worst = Duration::ZERO;
    while !ended.load(Ordering::Relaxed) {
        let (begin, waited) = (Instant::now(), waited());
        // How long this takes is measured, the millisecond included.
        thread::sleep(Duration::from_millis(1));
        worst = worst.max(begin.elapsed().saturating_sub(self::waited() - waited));
    }
    worst
}

/// How long this thread has waited for a processor so far.
pub(crate) fn waited() -> Duration {
    let said = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(said.split(' ').nth(1).unwrap().parse().unwrap())
}
