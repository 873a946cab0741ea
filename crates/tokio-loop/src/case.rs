//! What the watch knows of one worker, or of `main`, from look to look.

use std::mem;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::doing::{Doing, Thread};
use crate::here::Claimed;
use crate::judge::{Seen, Sign, Verdict, judge, waits_for_a_lock};
use crate::tell::Told;
use crate::turn::{Findings, Spell, Turn, Turns};
use crate::words::{Stall, Subject, Unowned};

/// One worker, or `main`.
pub(crate) struct Case {
    pub(crate) subject: Subject,
    pub(crate) sign: Sign,
    /// When this sign was first seen.
    pub(crate) since: Instant,
    /// The look before that: the worker has turned after it.
    pub(crate) turned_after: Instant,
    /// It shows the same sign at two looks, or at more.
    pub(crate) stands: Option<Stands>,
    pub(crate) told: Told,
    checked: Option<Checked>,
}

/// What a worker's thread and counters were when they were last compared.
struct Checked {
    at: Instant,
    thread: Option<Thread>,
    parks: u64,
    slices: u64,
}

/// After what time they are compared again.
const CHECK: Duration = Duration::from_secs(1);
/// A batch of turns that nobody tells apart is told when it is so many times as long
/// as one turn that is worth a line. On the average its turns take a sixth of that
/// then, or longer.
const BATCH: u32 = 10;
/// A worker that has parked so often has slept at least once, and its thread was
/// put on a processor again.
const PARKS: u64 = 20;

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

    /// Returns whether the worker has left the thread that it was known to be on,
    /// or none was known. Asks seldom.
    pub(crate) fn has_left(&mut self, thread: Option<Thread>) -> bool {
        if self.checked.as_ref().is_some_and(|checked| checked.at.elapsed() < CHECK) {
            return false;
        }
        let look = thread.and_then(Thread::look);
        let slices = look.as_ref().map_or(0, |look| look.slices);
        let parks = self.sign.counters.0;
        let has_left = self.checked.as_ref().is_some_and(|before| {
            before.thread == thread && before.slices == slices && parks > before.parks + PARKS
        });
        self.checked = Some(Checked { at: Instant::now(), thread, parks, slices });
        has_left || look.is_none()
    }
}

/// The threads of a runtime, as they were at one look.
pub(crate) type Threads = Arc<[(Thread, Seen)]>;

/// A worker whose counters stand still.
pub(crate) struct Stands {
    /// The first look at it.
    begin: Seen,
    /// The look since which it has been in one turn, and since when the turn goes on.
    first: Seen,
    since: Instant,
    last: Seen,
    pub(crate) turns: Option<Arc<Turns>>,
    pub(crate) thread: Option<Thread>,
    /// The threads of the runtime, as they were at the first look.
    others: Threads,
    /// That it is one turn is known since workers rest, and not by a name.
    relies_on_rest: bool,
    /// What its thread was seen to do, and for how long.
    doing: Vec<(Doing, Duration)>,
    /// Its length when it was last found to be stuck.
    pub(crate) stuck: Option<Duration>,
    /// It may have been in many turns, and none of them is known.
    is_batch: bool,
    /// A driver that nobody has is healed when it has stood for so long.
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
        let turns = claimed.as_ref().map(|claimed| Arc::clone(&claimed.turns));
        let thread = claimed.and_then(|claimed| claimed.thread);
        let first = Seen { at: Instant::now(), thread: thread.and_then(Thread::look) };
        let mut stands = Stands {
            begin: first.clone(),
            last: first.clone(),
            first,
            since,
            turns,
            thread,
            others,
            relies_on_rest: false,
            doing: Vec::new(),
            stuck: None,
            is_batch: false,
            heal_at: Duration::ZERO,
        };
        let began = stands.turn_began();
        stands.relies_on_rest = quiet && began > since;
        stands.since = if quiet { since } else { began.max(since) };
        stands.ask();
        stands
    }

    /// Takes in a look. The turn that is judged begins anew, unless it is known that
    /// none has ended since the look before. `quiet`: no worker was woken since then,
    /// and one could be.
    pub(crate) fn look(&mut self, seen: Seen, quiet: bool, others: &Threads) {
        let before = mem::replace(&mut self.last, seen);
        let began = self.turn_began();
        if self.stuck.is_some() || began <= before.at || self.last.has_not_run_since(&before) {
            return;
        }
        if quiet {
            self.relies_on_rest = true;
            return;
        }
        (self.first, self.others) = (self.last.clone(), Arc::clone(others));
        (self.since, self.relies_on_rest) = (began.max(self.since), false);
        self.ask();
    }

    /// Returns since when it has been one turn, going by what its thread has said.
    fn turn_began(&self) -> Instant {
        let known = self.turns.as_ref().map(|turns| turns.one_turn_for()).unwrap_or_default();
        self.last.at.checked_sub(known).unwrap_or(self.since)
    }

    fn ask(&self) {
        if let Some(turns) = &self.turns {
            turns.ask(self.since);
        }
    }

    /// Judges it as one turn, or else as a batch of turns.
    pub(crate) fn judge(&mut self, slow: Duration, late: bool) -> Verdict {
        let as_turn = self.judge_since(&self.first, slow, late, self.relies_on_rest);
        match as_turn {
            Verdict::Anew => (self.begin, self.first) = (self.last.clone(), self.last.clone()),
            Verdict::Stuck(_) if !self.is_batch => return as_turn,
            _ => {}
        }
        let as_batch = self.judge_since(&self.begin, slow.saturating_mul(BATCH), late, false);
        self.is_batch |= matches!(as_batch, Verdict::Stuck(_));
        as_batch
    }

    fn judge_since(
        &self,
        first: &Seen,
        slow: Duration,
        late: bool,
        relies_on_rest: bool,
    ) -> Verdict {
        let verdict = judge(first, &self.last, slow, late, Duration::ZERO);
        match &verdict {
            Verdict::Stuck(Some(doing)) if relies_on_rest || waits_for_a_lock(doing) => {
                judge(first, &self.last, slow, late, self.held_up())
            }
            _ => verdict,
        }
    }

    /// Returns the longest time that another thread of the runtime has waited for
    /// a processor meanwhile.
    fn held_up(&self) -> Duration {
        let others = self.others.iter().filter(|(thread, _)| Some(*thread) != self.thread);
        let waits = others.filter_map(|(thread, before)| {
            let now = thread.look()?;
            Some(now.waited_since(before.thread.as_ref()?, before.at.elapsed()))
        });
        waits.max().unwrap_or_default()
    }

    /// Notes that it is stuck, and what its thread does.
    pub(crate) fn note(&mut self, so_far: Duration, doing: Option<&Doing>) {
        let time = so_far.saturating_sub(self.stuck.replace(so_far).unwrap_or_default());
        let Some(doing) = doing.cloned() else { return };
        match self.doing.iter_mut().find(|(before, _)| before.is_like(&doing)) {
            Some((before, so_far)) => (*before, *so_far) = (doing, *so_far + time),
            None => self.doing.push((doing, time)),
        }
    }

    /// Returns since when it is stuck, if it is.
    pub(crate) fn since(&self) -> Instant {
        if self.is_batch { self.begin.at } else { self.since }
    }

    /// Returns what its thread was seen to do for the longest time.
    pub(crate) fn did(&self) -> Option<&Doing> {
        let longest = self.doing.iter().rev().max_by_key(|(_, time)| time);
        longest.map(|(doing, _)| doing)
    }

    pub(crate) fn stall<'a>(
        &self,
        subject: Subject,
        length: Duration,
        doing: Option<&'a Doing>,
        unowned: Option<Unowned>,
    ) -> Stall<'a> {
        let first = if self.is_batch { &self.begin } else { &self.first };
        let looks = first.thread.as_ref().zip(self.last.thread.as_ref());
        Stall {
            subject,
            is_batch: self.is_batch,
            length,
            thread: self.thread,
            doing,
            ran: looks.map(|(first, last)| last.ran.saturating_sub(first.ran)),
            waited: looks.map(|(first, last)| last.waited.saturating_sub(first.waited)),
            unowned,
        }
    }
}

/// What is said of a stall where nobody knows what goes on.
pub(crate) fn unnamed(length: Duration) -> Spell {
    Spell { operation: None, turn: Turn::Unknown, length }
}

/// The same when it is over.
pub(crate) fn found_unnamed(length: Duration) -> Findings {
    let longest_turn = Some((length, unnamed(length)));
    Findings { longest: Some(unnamed(length)), longest_turn, turns: 0 }
}
