//! Whether a worker is stuck. Pure: looks in, verdict out, and no clock, no
//! thread and no runtime in between.

use std::time::{Duration, Instant};

use crate::doing::{Doing, Look};

/// What a worker shows from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sign {
    /// The worker has nothing to do and waits for the operating system. Of
    /// `main`: it is not being polled.
    pub(crate) parked: bool,
    /// How often the worker parked and woke, and how long it was busy. tokio
    /// writes both at each park, and on the way between two batches of tasks.
    pub(crate) counters: (u64, Duration),
    /// When a turn was last seen to end on the worker's thread.
    pub(crate) turned: Option<Instant>,
}

impl Sign {
    /// Returns whether a worker that showed `before` and has this sign now may
    /// have been in one turn all the time since `since`.
    pub(crate) fn stands_since(&self, since: Instant, before: &Sign) -> bool {
        let has_turned = self.turned.is_some_and(|turned| turned > since);
        !self.parked && !has_turned && self.counters == before.counters
    }
}

/// A look at the thread of a worker that stands.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) at: Instant,
    /// `None`: it is not known which thread that is, or the system does not tell.
    pub(crate) thread: Option<Look>,
}

impl Seen {
    /// Returns whether the thread has been in one call since the look `before`.
    pub(crate) fn has_not_run_since(&self, before: &Seen) -> bool {
        let (Some(before), Some(now)) = (&before.thread, &self.thread) else { return false };
        before.slices == now.slices && !before.runnable && !now.runnable
    }
}

/// The verdict on a worker that stands.
#[derive(Debug, Clone)]
pub(crate) enum Verdict {
    /// It has not stood for long.
    Young,
    /// It has stood for long and waited for a processor: nobody blocks it.
    Starved,
    /// The watch itself was kept from looking, and perhaps the worker was, too.
    Anew,
    /// It is stuck, and this is what its thread does, where that is known.
    Stuck(Option<Doing>),
}

/// Judges a worker that has stood at least since `first`.
///
/// `late`: the watch looks much later than it wanted to. `held_up`: how long another
/// thread of the runtime has waited for a processor since then, if this worker's stall
/// may come from that.
pub(crate) fn judge(
    first: &Seen,
    now: &Seen,
    slow: Duration,
    late: bool,
    held_up: Duration,
) -> Verdict {
    let elapsed = now.at.saturating_duration_since(first.at);
    let (Some(before), Some(after)) = (&first.thread, &now.thread) else {
        return match elapsed > slow {
            _ if late => Verdict::Anew,
            true => Verdict::Stuck(None),
            false => Verdict::Young,
        };
    };
    let own = elapsed.saturating_sub(after.waited_since(before, elapsed));
    if own.saturating_sub(held_up) > slow {
        Verdict::Stuck(Some(Doing::between(before, after, elapsed)))
    } else if elapsed > slow {
        Verdict::Starved
    } else {
        Verdict::Young
    }
}

/// Returns whether a thread waits for another thread to do something.
pub(crate) fn waits_for_a_lock(doing: &Doing) -> bool {
    doing.call() == Some("futex")
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
    use crate::doing::Call;

    const SLOW: Duration = Duration::from_millis(100);

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// A thread that has slept since the first look.
    fn sleeps() -> Look {
        Look { slices: 1, ..Look::default() }
    }

    /// A thread that is ready to run, and has run for so long since.
    fn runs(millis: u64) -> Look {
        Look { ran: ms(millis), runnable: true, ..sleeps() }
    }

    #[test]
    fn verdicts() {
        // How long it has stood, what its thread has done meanwhile, and the verdict.
        let cases = [
            (100, Some(sleeps()), "young"),
            (101, Some(sleeps()), "stuck: it waits"),
            (101, Some(runs(101)), "stuck: it computes"),
            (
                101,
                Some(Look { kernel: 9, user: 1, ..runs(101) }),
                "stuck: it is at work in system calls",
            ),
            (60, Some(runs(60)), "young"),
            (500, Some(runs(100)), "starved"),
            (500, Some(runs(101)), "stuck: it computes"),
            // What it has waited for a processor is no doing of its own.
            (500, Some(Look { waited: ms(400), ..sleeps() }), "starved"),
            (500, Some(Look { waited: ms(399), ..sleeps() }), "stuck: it waits"),
            // Of a thread that has ended, or is not known, nobody knows more.
            (101, None, "stuck"),
            (100, None, "young"),
        ];
        for (millis, thread, expected) in cases {
            let shown = format!("{millis} ms, {thread:?}");
            assert_eq!(verdict(millis, thread, false, 0), expected, "{shown}");
        }
    }

    #[test]
    fn a_watch_that_is_late_begins_anew_where_the_system_does_not_tell() {
        assert_eq!(verdict(500, None, true, 0), "anew");
        assert_eq!(verdict(500, Some(sleeps()), true, 0), "stuck: it waits");
    }

    #[test]
    #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
    fn a_stall_that_may_come_from_a_thread_that_waits_for_a_processor_is_not_told() {
        let in_call = |text| Look { call: Call::parse(text), ..sleeps() };
        let waits_for_a_lock = || Some(in_call("202 0x0 0x0 0x0 0x0 0x0 0x0 0x0 0x0"));
        let lock = "stuck: it waits for a lock, a channel or a thread";
        assert_eq!(verdict(500, waits_for_a_lock(), false, 399), lock);
        assert_eq!(verdict(500, waits_for_a_lock(), false, 400), "starved");
    }

    #[test]
    fn a_thread_has_not_run_if_it_has_not_been_on_a_processor() {
        let seen = |look: Option<Look>| Seen { at: Instant::now(), thread: look };
        let slept = |slices| Some(Look { slices, ..sleeps() });
        let cases = [
            (slept(1), slept(1), true),
            (slept(1), slept(2), false),
            (slept(1), Some(runs(0)), false),
            (Some(runs(0)), slept(1), false),
            (None, slept(1), false),
            (slept(1), None, false),
        ];
        for (before, now, has_not_run) in cases {
            let shown = format!("{before:?}, {now:?}");
            assert_eq!(seen(now).has_not_run_since(&seen(before)), has_not_run, "{shown}");
        }
    }

    fn verdict(millis: u64, thread: Option<Look>, late: bool, held_up: u64) -> String {
        let at = Instant::now();
        let begin = Look { slices: 1, ..Look::default() };
        let first = Seen { at, thread: thread.as_ref().map(|_| begin) };
        let now = Seen { at: at + ms(millis), thread };
        match judge(&first, &now, SLOW, late, ms(held_up)) {
            Verdict::Young => "young".to_owned(),
            Verdict::Starved => "starved".to_owned(),
            Verdict::Anew => "anew".to_owned(),
            Verdict::Stuck(None) => "stuck".to_owned(),
            Verdict::Stuck(Some(doing)) => {
                // How much of the time it has run is told by `Doing`.
                let doing = doing.now();
                format!("stuck: {}", doing.split(", 1").next().unwrap_or_default())
            }
        }
    }

    #[test]
    fn what_shows_that_a_worker_turns() {
        let since = Instant::now();
        let before = Sign { parked: false, counters: (4, ms(7)), turned: None };
        let cases = [
            (before, true),
            (Sign { parked: true, ..before }, false),
            (Sign { counters: (6, ms(7)), ..before }, false),
            // A worker that never parks.
            (Sign { counters: (4, ms(8)), ..before }, false),
            (Sign { turned: Some(since), ..before }, true),
            (Sign { turned: Some(since + ms(1)), ..before }, false),
        ];
        for (now, stands) in cases {
            assert_eq!(now.stands_since(since, &before), stands, "{now:?}");
        }
    }
}
