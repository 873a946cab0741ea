//! How a run goes on while the child does its work: when the sources have grown
//! enough, when `tail` has given everything, when nobody does anything more.

use std::fmt;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use workload::{LiveSources, LiveWriters};

use crate::running::attempt::{Attempt, Contender};
use crate::running::machine::Activity;
use crate::running::measure::Running;

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

/// The contender does nothing any more, and does not end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hung(Duration);

impl fmt::Display for Hung {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no end within {:?} of its last write, so it was killed", self.0)
    }
}

impl std::error::Error for Hung {}

/// How a run goes on while the child does its work.
pub(crate) struct Course<'a> {
    output: &'a Path,
    contender: Contender,
    idle: bool,
    patience: Duration,
    /// Who writes the sources, and until when.
    growing: Option<(LiveWriters, Instant)>,
    begun: Instant,
    duration: Duration,
    /// How many bytes the sources have, once they do not grow any more.
    bytes: Option<u64>,
    settled: Option<Activity>,
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
    pub(crate) fn new(attempt: &Attempt<'a>) -> Course<'a> {
        Course {
            output: attempt.output,
            contender: attempt.contender,
            idle: attempt.idle,
            patience: attempt.patience,
            growing: None,
            begun: Instant::now(),
            duration: Duration::ZERO,
            bytes: None,
            settled: None,
            written: (0, Instant::now()),
            seen: Seen::default(),
        }
    }

    /// Lets the sources grow for this long.
    pub(crate) fn begin(&mut self, sources: LiveSources, duration: Duration) -> anyhow::Result<()> {
        (self.begun, self.duration) = (Instant::now(), duration);
        self.growing = Some((sources.start()?, self.begun + duration));
        Ok(())
    }

    /// Does what is due: to be called every few milliseconds.
    pub(crate) fn tick(&mut self, running: &mut Running) -> anyhow::Result<()> {
        let now = Instant::now();
        if self.idle && self.settled.is_none() && now >= self.begun + self.duration.mul_f64(SETTLE)
        {
            self.settled = running.activity();
        }
        // Until then `join` would wait, and nobody would look at the child.
        if let Some((writers, _)) = self.growing.take_if(|(_, end)| now >= *end) {
            if let Some(settled) = self.settled {
                self.seen.rest = running.activity().map(|now| Rest::between(settled, now));
            }
            let written = writers.join()?;
            self.seen.late = Some(written.latest);
            self.bytes = Some(written.bytes);
            // A stage sees the end of its stdin, and stops.
            running.stdin = None;
        }
        if self.growing.is_none() {
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
        if self.contender.is_tail()
            && !self.seen.terminated
            && (self.bytes.is_some_and(|all| bytes >= all) || silent >= NOTHING_NEW)
        {
            self.seen.terminated = true;
            running.terminate();
        }
        if silent >= self.patience { Err(Hung(self.patience).into()) } else { Ok(()) }
    }
}
