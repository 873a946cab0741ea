//! How a run goes on while the child does its work: when the sources have grown
//! enough, when `tail` has given everything, when nobody does anything more.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use runner::{Activity, Hung, Running};
use workload::{Live, LiveSources, Worker, Written};

/// How long `tail` may give nothing new before it has given what it will.
const NOTHING_NEW: Duration = Duration::from_secs(2);
/// The part of a rest that is not measured: until then all have settled.
const SETTLE: f64 = 1.0 / 3.0;

/// What a process at rest does in a second.
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

/// How a run goes on while the child does its work.
pub(crate) struct Course<'a> {
    output: &'a Path,
    /// The contender follows for ever: it is asked to end once it has given all.
    is_tail: bool,
    patience: Duration,
    /// When to begin to measure what is done at rest.
    settle: Option<Instant>,
    settled: Option<Activity>,
    /// Who writes the sources, and until when.
    writers: Option<(Worker<Written>, Instant)>,
    /// How many bytes the sources have, once they do not grow any more.
    bytes: Option<u64>,
    /// How much there was of the output, and since when.
    written: (u64, Instant),
    pub(crate) seen: Seen,
}

/// What was seen of a run from outside.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Seen {
    /// How far behind its schedule the latest line was written.
    pub(crate) late: Option<Duration>,
    /// What was done in a second at rest.
    pub(crate) rest: Option<Rest>,
    /// Whether the child was asked to end by a signal.
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

    /// Lets the sources grow from now on.
    pub(crate) fn begin(&mut self, sources: LiveSources, live: &Live) -> anyhow::Result<()> {
        let begun = Instant::now();
        self.settle = live.is_idle().then(|| begun + live.duration.mul_f64(SETTLE));
        self.writers = Some((sources.start()?, begun + live.duration));
        Ok(())
    }

    /// Does what is due: to be called every few milliseconds.
    pub(crate) fn tick(&mut self, running: &mut Running) -> anyhow::Result<()> {
        let now = Instant::now();
        if self.settle.take_if(|settle| now >= *settle).is_some() {
            self.settled = Activity::of(running.process);
        }
        // Until then `join` would wait, and nobody would look at the child.
        if let Some((writers, _)) = self.writers.take_if(|(_, end)| now >= *end) {
            if let Some(settled) = self.settled {
                self.seen.rest =
                    Activity::of(running.process).map(|now| Rest::between(settled, now));
            }
            let written = writers.join()?;
            self.seen.late = Some(written.latest);
            self.bytes = Some(written.bytes);
            // A stage sees the end of its stdin, and stops.
            running.stdin = None;
        }
        if self.writers.is_none() {
            self.wait_for_the_end(running)?;
        } else {
            self.written.1 = now;
        }
        Ok(())
    }

    /// Asks `tail` to end once it has given everything, and ends whoever does
    /// nothing any more.
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
