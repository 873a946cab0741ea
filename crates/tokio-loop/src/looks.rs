//! The watch thread: it looks at every worker, and at `main`, again and again.
//!
//! tokio counts, for each worker, how often it parked and how long it was busy. A
//! worker that is not parked and whose counters stand still has not come to the end of
//! a batch of turns: at most 61, as tokio is built. To read these two numbers costs the
//! worker nothing. `case.rs` finds out whether it is one turn.

use std::mem;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::case::{Case, Stands, Threads, found_unnamed, unnamed};
use crate::doing::{Doing, Thread};
use crate::driver::Driver;
use crate::here::Claimed;
use crate::judge::{Seen, Sign, Verdict};
use crate::meeting::meet;
use crate::runtime::Runtime;
use crate::tell::Reporter;
use crate::turn::Activity;
use crate::watched::Watched;
use crate::words::{Stall, Subject, Unowned};
use crate::workers::Shared;

/// The shortest time between two looks.
const SHORTEST: Duration = Duration::from_millis(1);

/// How many such looks there are at the end for a worker that is still stuck.
const AFTERWARDS: u32 = 10;

pub(crate) struct Looks {
    slow: Duration,
    heals: bool,
    /// The system tells what the threads of this process do.
    sees_threads: bool,
    runtime: Runtime,
    shared: Arc<Shared>,
    reporter: Reporter,
    /// One for each worker, and the last for `main`.
    cases: Vec<Case>,
    looked: Instant,
    /// When the watch last was at work: it looked, or it woke.
    awake: Instant,
    driver: Driver,
    has_tried_hook: bool,
}

/// What is known of the time since the look before.
struct Gap {
    /// It was much longer than the watch wanted it to be.
    late: bool,
    /// A worker rests, and none was woken or went to rest. tokio wakes one whenever
    /// another worker goes on to its next task: so each is in one turn, or in a few
    /// that woke each other.
    quiet: bool,
}

impl Looks {
    pub(crate) fn new(asked: &Watched, runtime: Runtime, shared: Arc<Shared>) -> Looks {
        let now = Instant::now();
        let subjects = runtime.subjects().into_iter().chain([Subject::Main]);
        Looks {
            slow: asked.slow,
            heals: asked.heal_driver,
            sees_threads: Thread::current().is_some(),
            reporter: Reporter::new(asked.slow, runtime.name()),
            cases: subjects.map(|subject| Case::new(subject, now)).collect(),
            runtime,
            shared,
            looked: now,
            awake: now,
            driver: Driver::default(),
            has_tried_hook: false,
        }
    }

    /// Looks until `main` is over.
    pub(crate) fn watch(mut self) {
        self.runtime.threads.parker.is_of_this_thread();
        meet(&self.runtime, || self.shared.is_ended());
        self.shared.is_ready.notify_one();
        let mut tick = self.slow;
        loop {
            // Asked before the look, so that the last look tells what ended with
            // `main`.
            let is_last = self.shared.is_ended();
            tick = self.look(tick);
            if is_last {
                break;
            }
            thread::park_timeout(tick);
            if self.all_have_rested() {
                self.sleep();
            }
        }
        self.look_after();
        self.reporter.end("main");
    }

    /// Waits a moment for the workers whose stall is about to end: `main` may be over
    /// because a task is, and the worker of that task counts a little later.
    fn look_after(&mut self) {
        for _ in 0..AFTERWARDS {
            let is_stuck =
                |case: &Case| case.stands.as_ref().is_some_and(|it| it.acts.stuck.is_some());
            if !self.cases.iter().any(is_stuck) {
                return;
            }
            thread::sleep(SHORTEST);
            self.look(SHORTEST);
        }
    }

    /// Sleeps until a worker goes on, if a hook tells of that.
    fn sleep(&mut self) {
        // The first worker to go on shows whether there is a hook.
        if !mem::replace(&mut self.has_tried_hook, true) {
            self.runtime.wake();
            return;
        }
        let may_sleep = || self.all_have_rested() && !self.shared.is_ended();
        self.runtime.threads.parker.park(may_sleep);
        // No look: whoever woke the watch may block already.
        self.awake = Instant::now();
    }

    /// Returns whether no worker has gone on since the last look.
    fn all_have_rested(&self) -> bool {
        (0..self.cases.len()).all(|case| {
            let sign = self.sign(case);
            sign.parked && sign == self.cases[case].sign
        })
    }

    /// Looks at every worker and at `main` once, and returns when to look again.
    fn look(&mut self, tick: Duration) -> Duration {
        let now = Instant::now();
        let late = now.saturating_duration_since(self.awake) > tick.saturating_mul(2);
        let signs: Vec<Sign> = (0..self.cases.len()).map(|case| self.sign(case)).collect();
        let all_rest = signs.iter().all(|sign| sign.parked);
        let gap = Gap { late, quiet: self.is_quiet(&signs) };
        let mut threads = None;
        self.driver.find(&self.runtime);
        for (index, sign) in signs.into_iter().enumerate() {
            let case = &self.cases[index];
            if !sign.stands_since(case.since, &case.sign) {
                self.turns(index, sign, now);
            } else {
                let threads = threads.get_or_insert_with(|| self.threads()).clone();
                self.stands(index, &gap, threads);
            }
        }
        (self.looked, self.awake) = (now, now);
        let tick = if all_rest { self.slow / 2 } else { self.slow / 10 };
        tick.max(SHORTEST)
    }

    fn is_quiet(&self, signs: &[Sign]) -> bool {
        let workers = self.cases.iter().zip(signs).take(self.runtime.workers());
        let mut parks = workers.map(|(case, now)| (case.sign.counters.0, now.counters.0));
        let rest = signs.iter().take(self.runtime.workers()).any(|sign| sign.parked);
        rest && parks.all(|(before, now)| before == now)
    }

    /// Looks at the threads of the workers, and of `main`.
    fn threads(&self) -> Threads {
        let threads = (0..self.cases.len()).filter_map(|case| self.claimed(case)?.thread);
        threads.map(|it| (it, Seen::now(Some(it)))).collect()
    }

    fn sign(&self, case: usize) -> Sign {
        if self.cases[case].subject == Subject::Main {
            let (turned, in_main) = self.shared.main.turns.turned();
            return Sign { parked: !in_main, counters: (0, Duration::ZERO), turned };
        }
        let counters = self.runtime.counters(case);
        let turned = self.runtime.threads.get(case).and_then(|it| it.turns.turned().0);
        Sign { parked: counters.0 % 2 == 1, counters, turned }
    }

    fn claimed(&self, case: usize) -> Option<Claimed> {
        match self.cases[case].subject {
            Subject::Main => Some(self.shared.main.claimed()),
            Subject::Loop | Subject::Worker(_) => self.runtime.threads.get(case),
        }
    }

    /// Notes that a worker has turned, and tells that its stall is over.
    fn turns(&mut self, index: usize, sign: Sign, now: Instant) {
        let case = &mut self.cases[index];
        let mut end = sign.turned.filter(|turned| *turned > case.since).unwrap_or(now);
        if let Some(stands) = case.stands.take() {
            if let Some((activity, _)) = stands.turns.as_ref().map(|turns| turns.going_on())
                && !activity.is_known()
            {
                // The last operation ended then, and it stood at the last look.
                end =
                    now.checked_sub(activity.length).map_or(end, |at| end.min(at).max(self.looked));
            }
            let findings = stands.turns.as_ref().map(|turns| turns.answered(end));
            if let Some(stuck) = stands.acts.stuck {
                let length = stuck.max(end.saturating_duration_since(stands.since));
                let stall = stands.stall(case.subject, length, stands.acts.did());
                let findings = findings.unwrap_or_else(|| found_unnamed(length));
                self.reporter.over(&mut case.told, &stall, findings);
            }
        }
        case.turned_after = self.looked;
        case.since = if sign.parked { now } else { end };
        case.sign = sign;
        self.check_thread(index);
    }

    /// Finds out by and by whether a worker has left its thread, as it does in
    /// `block_in_place`, and has it claim its new one.
    fn check_thread(&mut self, index: usize) {
        let case = &mut self.cases[index];
        if self.sees_threads
            && case.subject != Subject::Main
            && case.has_left(self.runtime.thread(index), || self.runtime.counters(index).0)
        {
            self.runtime.threads.forget(index);
            self.runtime.probe();
        }
    }

    /// Looks closer at a worker that stands, and tells if it is stuck.
    fn stands(&mut self, index: usize, gap: &Gap, threads: Threads) {
        let claimed = self.claimed(index);
        let case = &mut self.cases[index];
        let quiet = gap.quiet && case.subject != Subject::Main;
        let Some(stands) = &mut case.stands else {
            case.stands = Some(Stands::new(case.since, quiet, claimed, threads));
            return;
        };
        let mut going_on = stands.turns.as_ref().map(|turns| turns.going_on());
        // Afterwards, or the operation would seem to be older than it is.
        let at = Instant::now();
        // What was open while the worker still turned does not block it: the
        // thread is no longer this worker's.
        if let Some((activity, _)) = &going_on
            && activity.is_known()
            && activity.length > at.saturating_duration_since(case.turned_after)
        {
            stands.forget_thread();
            going_on = None;
        }
        stands.look(quiet, &threads);
        if let Verdict::Stuck(doing) = stands.judge(self.slow, gap.late) {
            let so_far = at.saturating_duration_since(stands.since);
            let so_far =
                going_on.as_ref().map_or(so_far, |(activity, _)| so_far.max(activity.length));
            let (sign, since) = (case.sign, case.since);
            // It may have gone on while it was looked at.
            if self.sign(index).stands_since(since, &sign) {
                self.is_stuck(index, so_far, doing.as_ref(), going_on);
            }
        }
    }

    fn is_stuck(
        &mut self,
        index: usize,
        so_far: Duration,
        doing: Option<&Doing>,
        going_on: Option<(Activity, Duration)>,
    ) {
        let unowned = self.unowned_driver(index, so_far);
        let case = &mut self.cases[index];
        let Some(stands) = &mut case.stands else { return };
        stands.acts.note(so_far, doing);
        let stall = Stall { unowned, ..stands.stall(case.subject, so_far, doing) };
        let going_on = going_on.unwrap_or_else(|| (unnamed(so_far), so_far));
        self.reporter.stuck(&mut case.told, &stall, going_on);
    }

    /// Finds out whether nobody has the driver, if that is due to be told or healed.
    fn unowned_driver(&mut self, index: usize, so_far: Duration) -> Option<Unowned> {
        let case = &mut self.cases[index];
        let stands = case.stands.as_mut()?;
        let heals = self.heals && so_far >= stands.heal_at;
        if case.subject == Subject::Main || !(heals || case.told.is_due(so_far)) {
            return None;
        }
        stands.heal_at = so_far.saturating_mul(2);
        let turns = |worker: usize| self.cases[worker].stands.is_none();
        let idle = self.driver.is_left_by(&self.runtime, turns)?;
        if heals {
            self.runtime.wake();
        }
        Some(Unowned { idle, healed: heals })
    }
}
