//! A runtime that somebody else has built, seen from outside.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::{Handle, RuntimeFlavor, RuntimeMetrics};

use crate::doing::Thread;
use crate::here::{self, Workers};
use crate::words::Subject;

/// The runtime that is watched.
#[derive(Debug)]
pub(crate) struct Runtime {
    handle: Handle,
    metrics: RuntimeMetrics,
    pub(crate) threads: Arc<Workers>,
}

/// How often a worker has parked or woken, and how long it has been busy. tokio
/// writes both when the worker parks, and between two batches of turns.
pub(crate) type Counters = (u64, Duration);

impl Runtime {
    pub(crate) fn new(handle: Handle, threads: Arc<Workers>) -> Runtime {
        Runtime { metrics: handle.metrics(), handle, threads }
    }

    pub(crate) fn name(&self) -> Option<String> {
        self.handle.name().map(str::to_owned)
    }

    /// Returns how many workers it has.
    pub(crate) fn workers(&self) -> usize {
        self.metrics.num_workers()
    }

    pub(crate) fn subjects(&self) -> Vec<Subject> {
        match self.handle.runtime_flavor() {
            RuntimeFlavor::CurrentThread => vec![Subject::Loop],
            _ => (0..self.workers()).map(Subject::Worker).collect(),
        }
    }

    pub(crate) fn counters(&self, worker: usize) -> Counters {
        counters(&self.metrics, worker).unwrap_or_default()
    }

    /// Returns whether tokio counts on this processor.
    pub(crate) fn counts(&self) -> bool {
        counters(&self.metrics, 0).is_some()
    }

    /// A worker that has parked once more than it has woken is parked.
    pub(crate) fn is_parked(&self, worker: usize) -> bool {
        self.counters(worker).0 % 2 == 1
    }

    pub(crate) fn thread(&self, worker: usize) -> Option<Thread> {
        self.threads.get(worker)?.thread
    }

    /// Has the workers take tasks that do nothing but claim the worker's thread.
    pub(crate) fn probe(&self) {
        if self.metrics.global_queue_depth() <= self.workers() {
            for _ in 0..self.workers() {
                self.spawn(async { here::claim() });
            }
        }
    }

    /// Wakes a worker that rests, if there is one.
    pub(crate) fn wake(&self) {
        self.spawn(async {});
    }

    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.handle.spawn(task);
    }
}

#[cfg(target_has_atomic = "64")]
fn counters(metrics: &RuntimeMetrics, worker: usize) -> Option<Counters> {
    Some((metrics.worker_park_unpark_count(worker), metrics.worker_total_busy_duration(worker)))
}

#[cfg(not(target_has_atomic = "64"))]
fn counters(_: &RuntimeMetrics, _: usize) -> Option<Counters> {
    None
}
