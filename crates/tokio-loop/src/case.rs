//! What the watch knows of one worker, or of `main`, from look to look.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::doing::{Doing, Look, Thread};
use crate::here::Claimed;
use crate::judge::{Seen, Sign};
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

/// A worker that does not turn.
pub(crate) struct Stands {
    pub(crate) first: Seen,
    pub(crate) last: Seen,
    pub(crate) turns: Option<Arc<Turns>>,
    pub(crate) thread: Option<Thread>,
    /// The threads of the other workers, as they were at first.
    others: Vec<(Thread, Instant, Look)>,
    /// What its thread was seen to do, and at how many looks.
    doing: Vec<(Doing, u32)>,
    /// Its length when it was last found to be stuck.
    pub(crate) stuck: Option<Duration>,
    /// A driver that nobody has is healed when it has stood for so long.
    pub(crate) heal_at: Duration,
}

impl Stands {
    /// Begins to look closer at a worker that has had its turn `since`.
    pub(crate) fn new(
        since: Instant,
        claimed: Option<Claimed>,
        others: impl Iterator<Item = Thread>,
    ) -> Stands {
        let turns = claimed.as_ref().map(|claimed| Arc::clone(&claimed.turns));
        if let Some(turns) = &turns {
            turns.ask(since);
        }
        let thread = claimed.and_then(|claimed| claimed.thread);
        let first = Seen { at: Instant::now(), thread: thread.and_then(Thread::look) };
        let others = others.filter_map(|it| Some((it, Instant::now(), it.look()?))).collect();
        let (last, doing, stuck, heal_at) = (first.clone(), Vec::new(), None, Duration::ZERO);
        Stands { first, last, turns, thread, others, doing, stuck, heal_at }
    }

    /// Returns the longest time that another thread of the runtime has waited for
    /// a processor meanwhile.
    pub(crate) fn held_up(&self) -> Duration {
        let waits = self.others.iter().filter_map(|(thread, at, before)| {
            let now = thread.look()?;
            Some(now.waited_since(before, at.elapsed()))
        });
        waits.max().unwrap_or_default()
    }

    /// Notes that it is stuck, and what its thread does.
    pub(crate) fn note(&mut self, seen: Seen, so_far: Duration, doing: Option<&Doing>) {
        (self.last, self.stuck) = (seen, Some(so_far));
        let Some(doing) = doing.cloned() else { return };
        match self.doing.iter_mut().find(|(before, _)| before.is_like(&doing)) {
            Some((before, looks)) => (*before, *looks) = (doing, *looks + 1),
            None => self.doing.push((doing, 1)),
        }
    }

    /// Returns what its thread was seen to do for the longest time.
    pub(crate) fn did(&self) -> Option<&Doing> {
        let longest = self.doing.iter().rev().max_by_key(|(_, looks)| looks);
        longest.map(|(doing, _)| doing)
    }

    pub(crate) fn stall<'a>(
        &self,
        subject: Subject,
        length: Duration,
        doing: Option<&'a Doing>,
        unowned: Option<Unowned>,
    ) -> Stall<'a> {
        let looks = self.first.thread.as_ref().zip(self.last.thread.as_ref());
        Stall {
            subject,
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
