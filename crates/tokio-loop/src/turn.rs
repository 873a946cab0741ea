//! What a thread is at: whose turn it is, which operation is open in it, and
//! since when. The thread writes it down, the watch reads it.

use std::panic::Location;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::task::Id;
use tracing::span;

/// Whose turn it is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Turn {
    /// Nobody said: a task, the loop itself, or nobody.
    Unknown,
    /// The future that `run` or `watched` was given.
    Main,
    /// A task that said its number, and where it was spawned.
    Task(Id, &'static Location<'static>),
}

/// An operation with a name: a span.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    pub(crate) name: &'static str,
    pub(crate) source: Option<Arc<str>>,
    /// The task that was polled when it began.
    pub(crate) task: Option<Id>,
    pub(crate) span: span::Id,
}

/// What went on for a while: the innermost operation, if there was one, and
/// whose turn it was.
#[derive(Debug, Clone)]
pub(crate) struct Activity {
    pub(crate) operation: Option<Operation>,
    pub(crate) turn: Turn,
    pub(crate) length: Duration,
}

/// What went on while the sentinel waited.
#[derive(Debug, Clone, Default)]
pub(crate) struct Findings {
    /// The longest activity of one operation, or of none.
    pub(crate) longest: Option<Activity>,
    /// The longest turn, and the longest activity in it.
    pub(crate) longest_turn: Option<(Duration, Activity)>,
    /// How many turns came to an end.
    pub(crate) turns: u64,
}

/// The turns of one thread.
#[derive(Debug)]
pub(crate) struct Turns(Mutex<Now>);

#[derive(Debug)]
struct Now {
    turn: Turn,
    /// When the turn began. Of an unknown one: when the last known one ended,
    /// or later, when the watch asked.
    turn_began: Instant,
    /// When a turn was last seen to end.
    turned: Option<Instant>,
    /// The task of the last operation or turn: another task means another turn.
    task: Option<Id>,
    /// The operations that are open, the innermost last.
    open: Vec<Operation>,
    /// Since when an operation has been open.
    opened: Option<Instant>,
    /// Since when turn and innermost operation have been what they are.
    began: Instant,
    /// The longest activity of this turn so far.
    of_this_turn: Option<Activity>,
    /// Whether the watch collects findings; for `run`, while the sentinel waits.
    asked: bool,
    found: Findings,
}

impl Turns {
    pub(crate) fn new() -> Arc<Turns> {
        let now = Instant::now();
        Arc::new(Turns(Mutex::new(Now {
            turn: Turn::Unknown,
            turn_began: now,
            turned: None,
            task: None,
            open: Vec::new(),
            opened: None,
            began: now,
            of_this_turn: None,
            asked: false,
            found: Findings::default(),
        })))
    }

    /// Notes that somebody's turn begins; it ends when the guard is dropped.
    pub(crate) fn begin(self: &Arc<Turns>, turn: Turn) -> impl Drop + use<> {
        struct End(Arc<Turns>, Turn);
        impl Drop for End {
            fn drop(&mut self) {
                self.0.turn(self.1);
            }
        }
        End(Arc::clone(self), self.turn(turn))
    }

    /// Notes whose turn it is from now on, and returns whose it was.
    pub(crate) fn turn(&self, turn: Turn) -> Turn {
        let mut now = self.now();
        now.end_turn(Instant::now());
        if let Turn::Task(id, _) = turn {
            now.task = Some(id);
        }
        std::mem::replace(&mut now.turn, turn)
    }

    /// Notes that a turn has ended, whoever's it was.
    pub(crate) fn end(&self) {
        self.now().end_turn(Instant::now());
    }

    /// Notes that an operation begins.
    pub(crate) fn open(&self, operation: Operation) {
        let mut now = self.now();
        if now.task == operation.task {
            now.end_activity(Instant::now());
        } else {
            now.end_turn(Instant::now());
            now.task = operation.task;
        }
        now.opened = now.opened.or_else(|| Some(Instant::now()));
        now.open.push(operation);
    }

    /// Notes that an operation ends.
    pub(crate) fn close(&self, span: &span::Id) {
        let mut now = self.now();
        // The last, if nobody keeps two spans open across each other.
        if let Some(at) = now.open.iter().rposition(|operation| operation.span == *span) {
            now.end_activity(Instant::now());
            now.open.remove(at);
            now.opened = now.opened.filter(|_| !now.open.is_empty());
        }
    }

    /// Has the findings collected from now on, as of a stall that began `since`.
    pub(crate) fn ask(&self, since: Instant) {
        let mut now = self.now();
        now.asked = true;
        now.found = Findings::default();
        now.of_this_turn = None;
        if matches!(now.turn, Turn::Unknown) {
            // The thread may have been parked since it last said something.
            if now.open.is_empty() {
                now.began = now.began.max(since);
            }
            now.turn_began = now.began;
        }
    }

    /// Counts a turn that has ended, and tells whether the next one counts.
    pub(crate) fn count(&self) -> bool {
        let mut now = self.now();
        if now.asked {
            now.end_turn(Instant::now());
            now.found.turns += 1;
        }
        now.asked
    }

    /// Ends the collection, and returns what was found until the stall ended.
    pub(crate) fn answered(&self, ended: Instant) -> Findings {
        let mut now = self.now();
        // Activities since then are no part of the stall.
        let ended = ended.max(now.began);
        now.find(ended);
        now.asked = false;
        std::mem::take(&mut now.found)
    }

    /// Returns what goes on now, and for how long the turn has lasted.
    pub(crate) fn going_on(&self) -> (Activity, Duration) {
        let now = self.now();
        let at = Instant::now();
        (now.activity(at), at.saturating_duration_since(now.turn_began))
    }

    /// Returns for how long it has been one turn: somebody has said whose it is, or an
    /// operation has been open all the time.
    pub(crate) fn one_turn_for(&self) -> Duration {
        let now = self.now();
        let turn_began = (!matches!(now.turn, Turn::Unknown)).then_some(now.turn_began);
        let began = [turn_began, now.opened].into_iter().flatten().min();
        began.map(|began| began.elapsed()).unwrap_or_default()
    }

    /// Returns when a turn was last seen to end, and whether `main` has its turn.
    pub(crate) fn turned(&self) -> (Option<Instant>, bool) {
        let now = self.now();
        (now.turned, matches!(now.turn, Turn::Main))
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        // Nothing panics while it is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Now {
    fn activity(&self, at: Instant) -> Activity {
        let length = at.saturating_duration_since(self.began);
        Activity { operation: self.open.last().cloned(), turn: self.turn, length }
    }

    fn end_activity(&mut self, at: Instant) {
        // If nobody waits for findings, nobody asks for them later.
        if self.asked {
            let length = at.saturating_duration_since(self.began);
            if self.of_this_turn.as_ref().is_none_or(|longest| length > longest.length) {
                self.of_this_turn = Some(self.activity(at));
            }
        }
        self.began = at;
    }

    fn end_turn(&mut self, at: Instant) {
        self.find(at);
        self.turned = Some(at);
    }

    /// Adds what has gone on until `at` to the findings.
    fn find(&mut self, at: Instant) {
        self.end_activity(at);
        let length = at.saturating_duration_since(self.turn_began);
        self.turn_began = at;
        let Some(activity) = self.of_this_turn.take() else { return };
        let Findings { longest, longest_turn, .. } = &mut self.found;
        if longest.as_ref().is_none_or(|longest| activity.length > longest.length) {
            *longest = Some(activity.clone());
        }
        if longest_turn.as_ref().is_none_or(|(longest, _)| length > *longest) {
            *longest_turn = Some((length, activity));
        }
    }
}
