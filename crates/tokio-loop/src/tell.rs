//! What the watch says: a line while a worker is stuck, one when it turns again,
//! and not more than anybody can read.

use std::time::{Duration, Instant};

use tracing::dispatcher::{self, Dispatch};
use tracing::subscriber::NoSubscriber;
use tracing::warn;

use crate::case::unnamed;
use crate::turn::{Activity, Findings};
use crate::words::{Blamed, Fields, Shown, Stall, is_most, micros};

/// How many stalls are told one after the other; then one a [`REFILL`].
const AT_ONCE: u32 = 10;
/// After what time one more stall may be told.
const REFILL: Duration = Duration::from_secs(1);
/// A stall that has become so many times as long is told again.
const AGAIN: u32 = 10;

/// Tells of the stalls of one runtime, from the thread of its watch.
pub(crate) struct Reporter {
    threshold: Duration,
    /// The name of the runtime, if it has one.
    runtime: Option<String>,
    /// The subscriber of the thread that started the watch.
    dispatch: Dispatch,
    /// How many stalls may be told, and since when it has been so many.
    quota: (u32, Instant),
    /// How many stalls were not told, and the longest of them.
    left_out: (u64, Duration),
}

/// What has been told of one worker.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// The stall that goes on has been told, and is told again when it is so long.
    again_at: Option<Duration>,
}

impl Told {
    /// Returns whether a stall that goes on is due to be told.
    pub(crate) fn is_due(&self, so_far: Duration) -> bool {
        self.again_at.is_none_or(|again_at| so_far >= again_at)
    }
}

impl Reporter {
    pub(crate) fn new(threshold: Duration, runtime: Option<String>) -> Reporter {
        Reporter {
            threshold,
            runtime,
            dispatch: dispatcher::get_default(Dispatch::clone),
            quota: (AT_ONCE, Instant::now()),
            left_out: (0, Duration::ZERO),
        }
    }

    /// Tells of a stall that goes on, once one activity or turn is to blame.
    pub(crate) fn stuck(
        &mut self,
        told: &mut Told,
        stall: &Stall<'_>,
        (activity, turn): (Activity, Duration),
    ) {
        if stall.length <= self.threshold || !told.is_due(stall.length) {
            return;
        }
        let blamed = if stall.is_batch {
            Blamed::Batch(activity)
        } else if activity.length > self.threshold {
            Blamed::Activity(activity)
        } else if turn > self.threshold.saturating_add(self.threshold / 4) {
            // A quarter later: otherwise a turn would get the blame if it began a
            // little before its blocking operation.
            Blamed::Turn(activity)
        } else {
            return;
        };
        if told.again_at.is_none() && !self.may_tell() {
            return;
        }
        told.again_at = Some(stall.length.saturating_mul(AGAIN));
        let message = blamed.now(stall);
        let cause = Fields::of(&blamed, stall);
        self.say(|| {
            warn!(
                target: crate::TARGET,
                stuck_us = micros(stall.length),
                operation = cause.operation,
                source = cause.source,
                task = cause.task,
                spawned_at = cause.spawned_at,
                runtime = self.runtime,
                worker = cause.worker,
                thread = cause.thread,
                call = cause.call,
                wait_channel = cause.wait_channel,
                ran_us = cause.ran_us,
                waited_us = cause.waited_us,
                driver_unowned = cause.driver_unowned,
                "{message}"
            );
        });
    }

    /// Tells of a stall that is over, if it was longer than the threshold.
    pub(crate) fn over(&mut self, told: &mut Told, stall: &Stall<'_>, findings: Findings) {
        let was_told = told.again_at.take().is_some();
        if !was_told && stall.length <= self.threshold {
            return;
        }
        if !was_told && !self.may_tell() {
            let (left_out, longest) = self.left_out;
            self.left_out = (left_out + 1, longest.max(stall.length));
            return;
        }
        let blamed = self.blamed(stall, findings);
        let (left_out, _) = std::mem::take(&mut self.left_out);
        let others = match left_out {
            0 => String::new(),
            1 => "; 1 stall before it was not told".to_owned(),
            _ => format!("; {left_out} stalls before it were not told"),
        };
        let message = blamed.then(stall);
        let cause = Fields::of(&blamed, stall);
        self.say(|| {
            warn!(
                target: crate::TARGET,
                stall_us = micros(stall.length),
                operation = cause.operation,
                source = cause.source,
                task = cause.task,
                spawned_at = cause.spawned_at,
                turns = cause.turns,
                left_out = (left_out > 0).then_some(left_out),
                runtime = self.runtime,
                worker = cause.worker,
                thread = cause.thread,
                call = cause.call,
                wait_channel = cause.wait_channel,
                ran_us = cause.ran_us,
                waited_us = cause.waited_us,
                "{message}{others}"
            );
        });
    }

    /// Tells of the stalls that have not been told, when `ended` has.
    pub(crate) fn end(&mut self, ended: &str) {
        let (left_out, longest) = std::mem::take(&mut self.left_out);
        if left_out == 0 {
            return;
        }
        let stalls =
            if left_out == 1 { "1 stall was".into() } else { format!("{left_out} stalls were") };
        self.say(|| {
            warn!(
                target: crate::TARGET,
                left_out,
                longest_us = micros(longest),
                "{ended} has ended: {stalls} not told, the longest {}",
                Shown(longest)
            );
        });
    }

    /// Writes the line to the subscriber of the thread that started the watch; if that
    /// had none, to the one that all threads have by now.
    fn say(&self, line: impl FnOnce()) {
        if self.dispatch.is::<NoSubscriber>() {
            line();
        } else {
            dispatcher::with_default(&self.dispatch, line);
        }
    }

    fn blamed(&self, stall: &Stall<'_>, findings: Findings) -> Blamed {
        let Findings { longest, longest_turn, turns } = findings;
        if stall.is_batch {
            return Blamed::Batch(longest.unwrap_or_else(|| unnamed(stall.length)));
        }
        // The cause of a stall just over the threshold may be just under it.
        let is_long = |length| length > self.threshold || is_most(length, stall.length);
        match (longest, longest_turn) {
            (Some(activity), _) if is_long(activity.length) => Blamed::Activity(activity),
            (_, Some((length, activity))) if is_long(length) => Blamed::Turn(activity),
            (longest, _) => Blamed::Nobody(turns, longest),
        }
    }

    /// Takes one of the stalls that may be told.
    fn may_tell(&mut self) -> bool {
        self.may_tell_at(Instant::now())
    }

    fn may_tell_at(&mut self, now: Instant) -> bool {
        let (mut quota, since) = self.quota;
        let refills = now.saturating_duration_since(since).as_secs() / REFILL.as_secs();
        let mut since = since + REFILL * u32::try_from(refills).unwrap_or(u32::MAX);
        quota = quota.saturating_add(u32::try_from(refills).unwrap_or(u32::MAX)).min(AT_ONCE);
        if quota == AT_ONCE {
            since = now;
        }
        self.quota = (quota.saturating_sub(1), since);
        quota > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_stalls_are_told_at_once_and_then_one_a_second_and_ten_again_after_a_rest() {
        let mut reporter = Reporter::new(Duration::ZERO, None);
        let begin = Instant::now();
        let mut told_after = |millis| {
            let now = begin + Duration::from_millis(millis);
            (0..100).filter(|_| reporter.may_tell_at(now)).count()
        };
        let told = [0, 900, 1_900, 2_000, 5_500, 5_900, 60_000].map(&mut told_after);
        assert_eq!(told, [10, 0, 1, 1, 3, 0, 10]);
    }
}
