//! Watches a run: when the sources are written, when `tail` has given everything, when
//! the contender hangs.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use runner::{Activity, Hung, Running};
use workload::{Live, LiveSources, Worker, Written};

/// `tail` has given everything if it has written nothing for so long.
const NOTHING_NEW: Duration = Duration::from_secs(2);
/// The first part of a rest is not measured: the threads settle.
const SETTLE: f64 = 1.0 / 3.0;

/// What a process at rest takes: seconds of CPU, and wake-ups, a second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rest {
    pub(crate) cpu: f64,
    pub(crate) wakeups: f64,
}

impl Rest {
    fn between(begin: Activity, end: Activity) -> Rest {
        let seconds = end.at.duration_since(begin.at).as_secs_f64();
        Rest {
            cpu: end.cpu.saturating_sub(begin.cpu).as_secs_f64() / seconds,
            wakeups: end.wakeups.saturating_sub(begin.wakeups) as f64 / seconds,
        }
    }
}

/// The state of a run while the child works.
pub(crate) struct Course<'a> {
    output: &'a Path,
    /// The contender never ends by itself: once it has given everything, it gets
    /// SIGTERM.
    is_tail: bool,
    patience: Duration,
    /// When the measured part of the rest begins.
    settle: Option<Instant>,
    settled: Option<Activity>,
    /// The writers of the sources, and when they end.
    writers: Option<(Worker<Written>, Instant)>,
    /// How many bytes the sources have, once the writers have ended.
    bytes: Option<u64>,
    /// The size of the output, and when it last grew or the writers last ran.
    written: (u64, Instant),
    pub(crate) seen: Seen,
}

/// What a run shows from outside.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Seen {
    /// The largest delay of a line behind the schedule of the writers.
    pub(crate) late: Option<Duration>,
    /// Of a job at rest.
    pub(crate) rest: Option<Rest>,
    /// Whether the child was sent SIGTERM.
    pub(crate) terminated: bool,
}

impl<'a> Course<'a> {
    pub(crate) fn new(output: &'a Path, is_tail: bool, patience: Duration) -> Course<'a> {
        Course {
            output,
            is_tail,
            patience,
            settle: None,
            settled: None,
            writers: None,
            bytes: None,
            written: (0, Instant::now()),
            seen: Seen::default(),
        }
    }

    /// Starts the writers of the sources.
    pub(crate) fn begin(&mut self, sources: LiveSources, live: &Live) -> anyhow::Result<()> {
        let begun = Instant::now();
        self.settle = live.is_idle().then(|| begun + live.duration.mul_f64(SETTLE));
        self.writers = Some((sources.start()?, begun + live.duration));
        Ok(())
    }

    /// Does what is due. Called every few milliseconds.
    pub(crate) fn tick(&mut self, running: &mut Running) -> anyhow::Result<()> {
        let now = Instant::now();
        if self.settle.take_if(|settle| now >= *settle).is_some() {
            self.settled = Activity::of(running.process);
        }
        // Before the end, `join` would block, and nobody would watch the child.
        if let Some((writers, _)) = self.writers.take_if(|(_, end)| now >= *end) {
            if let Some(settled) = self.settled {
                self.seen.rest =
                    Activity::of(running.process).map(|now| Rest::between(settled, now));
            }
            let written = writers.join()?;
            self.seen.late = Some(written.latest);
            self.bytes = Some(written.bytes);
            // Closes stdin, which stops a stage.
            running.stdin = None;
        }
        if self.writers.is_none() {
            self.wait_for_the_end(running)?;
        } else {
            self.written.1 = now;
        }
        Ok(())
    }

    /// Sends `tail` SIGTERM once it has given everything. Fails with [`Hung`] if the
    /// output has not grown for `patience`.
    fn wait_for_the_end(&mut self, running: &Running) -> anyhow::Result<()> {
        let bytes = fs::metadata(self.output).map_or(0, |output| output.len());
        if bytes != self.written.0 {
            self.written = (bytes, Instant::now());
        }
        let silent = self.written.1.elapsed();
        let has_all = self.bytes.is_some_and(|all| bytes >= all) || silent >= NOTHING_NEW;
        if self.is_tail && has_all && !self.seen.terminated {
            self.seen.terminated = true;
            running.terminate();
        }
        if silent < self.patience {
            return Ok(());
        }
        Err(Hung { within: format!("{:?} of its last write", self.patience) }.into())
    }
}
