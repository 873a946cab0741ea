//! What the watch knows of one worker, or of `main`, from look to look.

use std::mem;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::acts::Acts;
use crate::doing::{Doing, Thread};
use crate::here::Claimed;
use crate::judge::{Seen, Sign, Verdict, judge, waits_for_a_lock};
use crate::tell::Told;
use crate::turn::{Activity, Findings, Turn, Turns};
use crate::words::{Stall, Subject};

/// One worker, or `main`.
pub(crate) struct Case {
    pub(crate) subject: Subject,
    pub(crate) sign: Sign,
    /// When this sign was first seen.
    pub(crate) since: Instant,
    /// The look before that: the worker has turned after it.
    pub(crate) turned_after: Instant,
    /// The worker has shown the same sign at two looks, or at more.
    pub(crate) stands: Option<Stands>,
    pub(crate) told: Told,
    checked: Option<Checked>,
}

/// What a worker's thread had run and how often the worker had parked when they were last
/// compared.
struct Checked {
    at: Instant,
    thread: Option<Thread>,
    ran: Option<(u64, Duration)>,
    parks: u64,
}

/// After what time they are compared again.
const CHECK: Duration = Duration::from_secs(1);
/// A batch of turns that cannot be told apart is told when it lasts so many times the
/// threshold of one turn. On the average, its turns then take a sixth of the threshold,
/// or longer.
const BATCH: u32 = 10;

impl Case {
    pub(crate) fn new(subject: Subject, now: Instant) -> Case {
        Case {
            subject,
            sign: Sign { parked: true, counters: (0, Duration::ZERO), turned: None },
            since: now,
            turned_after: now,
            stands: None,
            told: Told::default(),
            checked: None,
        }
    }

    /// Returns whether the worker has left its known thread, or none was known. `parks`
    /// tells how often it has parked. Asks at most once a [`CHECK`].
    pub(crate) fn has_left(&mut self, thread: Option<Thread>, parks: impl Fn() -> u64) -> bool {
        if self.checked.as_ref().is_some_and(|checked| checked.at.elapsed() < CHECK) {
            return false;
        }
        // In this order: a worker that has parked from one check to the next has done it
        // between the looks at its thread, which has run for it.
        let parks_so_far = parks();
        let ran = thread.and_then(Thread::look).map(|look| (look.slices, look.ran));
        let has_left = self.checked.as_ref().is_some_and(|before| {
            before.thread == thread && before.ran == ran && parks_so_far > before.parks
        });
        self.checked = Some(Checked { at: Instant::now(), thread, ran, parks: parks() });
        has_left || ran.is_none()
    }
}

/// The threads of a runtime, as they were at one look.
pub(crate) type Threads = Arc<[(Thread, Seen)]>;

/// A worker whose counters stand still.
pub(crate) struct Stands {
    /// What its thread does in the turn that is judged, and since when that goes on.
    pub(crate) acts: Acts,
    pub(crate) since: Instant,
    /// The first look since the counters stand still.
    begin: Seen,
    pub(crate) turns: Option<Arc<Turns>>,
    /// The threads of the runtime, as they were at the first look at the turn.
    others: Threads,
    /// It is known to be one turn because workers rest, and not by a name.
    relies_on_rest: bool,
    /// The worker may have been in many turns, none of them known.
    is_batch: bool,
    /// How long the worker stands before a driver that nobody has is healed.
    pub(crate) heal_at: Duration,
}

impl Stands {
    /// Begins to look closer at a worker whose counters have stood `since`. `quiet`:
    /// as in [`Stands::look`].
    pub(crate) fn new(
        since: Instant,
        quiet: bool,
        claimed: Option<Claimed>,
        others: Threads,
    ) -> Stands {
        let acts = Acts::new(claimed.as_ref().and_then(|claimed| claimed.thread));
        let mut stands = Stands {
            begin: acts.first.clone(),
            acts,
            since,
            turns: claimed.map(|claimed| claimed.turns),
            others,
            relies_on_rest: false,
            is_batch: false,
            heal_at: Duration::ZERO,
        };
        let began = stands.turn_began();
        stands.relies_on_rest = quiet && began > since;
        stands.since = if quiet { since } else { began.max(since) };
        stands.ask();
        stands
    }

    /// Forgets the thread, which is another worker's, or nobody's.
    pub(crate) fn forget_thread(&mut self) {
        (self.turns, self.acts.thread) = (None, None);
    }

    /// Looks again. The turn that is judged begins anew, unless it is known that
    /// none has ended since the look before. `quiet`: no worker was woken since then,
    /// and one could be.
    pub(crate) fn look(&mut self, quiet: bool, others: &Threads) {
        let now = Seen::now(self.acts.thread);
        let before = mem::replace(&mut self.acts.last, now);
        let (began, last) = (self.turn_began(), &self.acts.last);
        if self.acts.stuck.is_some() || began <= before.at || last.has_not_run_since(&before) {
            return;
        }
        if quiet {
            self.relies_on_rest = true;
            return;
        }
        (self.acts.first, self.others) = (last.clone(), Arc::clone(others));
        (self.since, self.relies_on_rest) = (began.max(self.since), false);
        self.ask();
    }

    /// Returns since when it has been one turn, going by what its thread has said.
    fn turn_began(&self) -> Instant {
        let known = self.turns.as_ref().map(|turns| turns.one_turn_for()).unwrap_or_default();
        self.acts.last.at.checked_sub(known).unwrap_or(self.since)
    }

    fn ask(&self) {
        if let Some(turns) = &self.turns {
            turns.ask(self.since);
        }
    }

    /// Judges it as one turn, or else as a batch of turns.
    pub(crate) fn judge(&mut self, slow: Duration, late: bool) -> Verdict {
        if !self.is_batch {
            let as_turn = self.judge_since(&self.acts.first, slow, late, self.relies_on_rest);
            match as_turn {
                Verdict::Stuck(_) => return as_turn,
                Verdict::Anew => {
                    self.begin = self.acts.last.clone();
                    self.acts.first = self.begin.clone();
                }
                Verdict::Young | Verdict::Starved => {}
            }
        }
        let slow = slow.saturating_mul(BATCH);
        let as_batch = self.judge_since(&self.begin, slow, late, false);
        if matches!(as_batch, Verdict::Stuck(_)) && !self.is_batch {
            self.is_batch = true;
            (self.acts.first, self.since) = (self.begin.clone(), self.begin.at);
        }
        as_batch
    }

    fn judge_since(
        &self,
        first: &Seen,
        slow: Duration,
        late: bool,
        relies_on_rest: bool,
    ) -> Verdict {
        let last = &self.acts.last;
        let verdict = judge(first, last, slow, late, Duration::ZERO);
        match &verdict {
            Verdict::Stuck(Some(doing)) if relies_on_rest || waits_for_a_lock(doing) => {
                judge(first, last, slow, late, self.held_up())
            }
            _ => verdict,
        }
    }

    /// Returns the longest time that another thread of the runtime has waited for
    /// a processor meanwhile.
    fn held_up(&self) -> Duration {
        let others = self.others.iter().filter(|(thread, _)| Some(*thread) != self.acts.thread);
        let waits = others.filter_map(|(thread, before)| {
            let now = thread.look()?;
            Some(now.waited_since(before.thread.as_ref()?, before.at.elapsed()))
        });
        waits.max().unwrap_or_default()
    }

    pub(crate) fn stall<'a>(
        &self,
        subject: Subject,
        length: Duration,
        doing: Option<&'a Doing>,
    ) -> Stall<'a> {
        Stall { is_batch: self.is_batch, ..self.acts.stall(subject, length, doing) }
    }
}

/// The activity of a stall of which nothing is known.
pub(crate) fn unnamed(length: Duration) -> Activity {
    Activity { operation: None, turn: Turn::Unknown, length }
}

/// The findings of such a stall when it is over.
pub(crate) fn found_unnamed(length: Duration) -> Findings {
    let longest_turn = Some((length, unnamed(length)));
    Findings { longest: Some(unnamed(length)), longest_turn, turns: 0 }
}
