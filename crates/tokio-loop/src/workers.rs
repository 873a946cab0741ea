//! The watch of a runtime that somebody else has built: a thread that looks at
//! its workers from outside, and asks them for nothing.
//!
//! tokio counts, for each worker, how often it parked and how long it was busy. A
//! worker that is not parked and whose counters stand still has not come to the
//! end of a batch of turns: at most 61, as tokio is built. What its thread does
//! meanwhile is known from the operating system, and for whom from
//! [`Turns`](crate::turn::Turns).

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle, ThreadId};
use std::time::{Duration, Instant};

use tokio::runtime::{Handle, RuntimeFlavor, RuntimeMetrics};
use tokio::sync::Notify;

use crate::doing::{Doing, Look, Thread, threads_in_epoll};
use crate::here::{self, Claimed, Entry, Workers, here};
use crate::judge::{Seen, Sign, Verdict, judge, waits_for_a_lock};
use crate::tell::{Tells, Told};
use crate::turn::{Findings, Spell, Turn, Turns};
use crate::watched::Watched;
use crate::words::{Stall, Subject, Unowned};

/// How often the workers are asked for their threads, and for how long at a time.
const ROUNDS: u32 = 10;
const ROUND: Duration = Duration::from_millis(2);

/// Watches a runtime, from [`Watch::start`] until it is dropped.
pub(crate) struct Watch {
    shared: Arc<Shared>,
    // `take`n by `drop`, which needs it by value to join it.
    join: Option<JoinHandle<()>>,
    _entry: Entry,
}

/// What the watch thread shares with the others.
pub(crate) struct Shared {
    /// What goes on in `main`, where `main` is polled by no worker.
    pub(crate) main: Main,
    /// The threads of the workers are known, as far as they can be.
    pub(crate) is_ready: Notify,
    ended: AtomicBool,
}

/// The thread on which `main` is polled, and what goes on there.
pub(crate) struct Main {
    pub(crate) turns: Arc<Turns>,
    thread: Mutex<Option<(ThreadId, Option<Thread>)>>,
}

impl Main {
    /// Notes that `main` is polled on this thread.
    pub(crate) fn is_here(&self) {
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        let id = thread::current().id();
        if thread.is_none_or(|(before, _)| before != id) {
            *thread = Some((id, Thread::current()));
        }
    }

    fn claimed(&self) -> Claimed {
        let thread = *self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        Claimed { turns: Arc::clone(&self.turns), thread: thread.and_then(|(_, thread)| thread) }
    }
}

impl Watch {
    /// Starts to watch the runtime that this is called on.
    ///
    /// # Errors
    ///
    /// There is no runtime here, it is watched already, or the operating system
    /// refuses the thread.
    pub(crate) fn start(asked: &Watched) -> io::Result<Watch> {
        let handle = Handle::try_current().map_err(io::Error::other)?;
        if counters(&handle.metrics(), 0).is_none() {
            let message = "tokio counts nothing on a processor without 64-bit atomics";
            return Err(io::Error::new(io::ErrorKind::Unsupported, message));
        }
        let Some(entry) = Entry::new(handle.id(), handle.metrics().num_workers()) else {
            let message = "this runtime is watched already";
            return Err(io::Error::new(io::ErrorKind::ResourceBusy, message));
        };
        // A runtime of one thread is on this one.
        here(|_| ());
        let shared = Arc::new(Shared {
            main: Main { turns: Turns::new(), thread: Mutex::default() },
            is_ready: Notify::new(),
            ended: AtomicBool::new(false),
        });
        let looks = Looks::new(asked, handle, Arc::clone(&entry.1), Arc::clone(&shared));
        let join = thread::Builder::new().name("stall-watch".into()).spawn(|| looks.watch())?;
        Ok(Watch { shared, join: Some(join), _entry: entry })
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }
}

impl Drop for Watch {
    /// Ends the watch thread and waits for it, also while a panic unwinds.
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Release);
        if let Some(join) = self.join.take() {
            join.thread().unpark();
            // A second panic would abort the process.
            let _ = join.join();
        }
    }
}

/// The watch thread.
struct Looks {
    slow: Duration,
    heals: bool,
    handle: Handle,
    metrics: RuntimeMetrics,
    workers: Arc<Workers>,
    shared: Arc<Shared>,
    tells: Tells,
    /// One for each worker, and the last for `main`.
    cases: Vec<Case>,
    looked: Instant,
    driver: Driver,
}

/// What is known of one worker, or of `main`.
struct Case {
    subject: Subject,
    sign: Sign,
    /// When this sign was first seen; and the look before that, so the worker
    /// still turned after it.
    since: Instant,
    turned_after: Instant,
    stands: Option<Stands>,
    told: Told,
}

/// A worker that shows the same sign at two looks, or at more.
struct Stands {
    first: Seen,
    last: Seen,
    turns: Option<Arc<Turns>>,
    thread: Option<Thread>,
    /// The threads of the other workers, as they were at first.
    others: Vec<(Thread, (Instant, Look))>,
    /// What its thread was seen to do, and at how many looks.
    doing: Vec<(Doing, u32)>,
    /// Its length when it was last found to be stuck.
    stuck: Option<Duration>,
    /// The driver is looked for when it has stood for so long.
    heal_at: Duration,
}

/// What is known of the driver: the one place where a runtime waits for timers
/// and sockets. A worker that goes to rest takes it, unless another has it.
#[derive(Default)]
struct Driver {
    /// A worker of this runtime was seen in `epoll`. A runtime without I/O has
    /// no driver that can be seen.
    is_known: bool,
    /// How many looks to leave out, and after that look.
    leave_out: u32,
    left_out: u32,
}

impl Looks {
    fn new(asked: &Watched, handle: Handle, workers: Arc<Workers>, shared: Arc<Shared>) -> Looks {
        let (now, metrics) = (Instant::now(), handle.metrics());
        let subjects = match handle.runtime_flavor() {
            RuntimeFlavor::CurrentThread => vec![Subject::Loop],
            _ => (0..metrics.num_workers()).map(Subject::Worker).collect(),
        };
        let case = |subject| Case {
            subject,
            sign: Sign { parked: true, counters: (0, Duration::ZERO), turned: None },
            since: now,
            turned_after: now,
            stands: None,
            told: Told::default(),
        };
        Looks {
            slow: asked.slow,
            heals: asked.heal_driver,
            tells: Tells::new(asked.slow, handle.name().map(str::to_owned)),
            cases: subjects.into_iter().chain([Subject::Main]).map(case).collect(),
            handle,
            metrics,
            workers,
            shared,
            looked: now,
            driver: Driver::default(),
        }
    }

    fn watch(mut self) {
        self.meet();
        self.shared.is_ready.notify_one();
        let mut tick = self.look(self.slow);
        loop {
            // Asked before the look: what ended with `main` is told by the last one.
            let is_last = self.shared.ended.load(Ordering::Acquire);
            tick = self.look(tick);
            if is_last {
                break;
            }
            thread::park_timeout(tick);
        }
        self.tells.end("main");
    }

    /// Has each worker claim its thread. So many tasks as there are workers wait
    /// for each other, so each worker takes one.
    fn meet(&self) {
        let workers = self.metrics.num_workers();
        for _ in 0..ROUNDS {
            if self.workers.all_are_known() || self.shared.ended.load(Ordering::Acquire) {
                return;
            }
            // A worker that is blocked just now is left out, and a meeting is over
            // soon in any case.
            let there = Arc::new(Mutex::new(0));
            let until = Instant::now() + ROUND;
            for _ in 0..workers {
                let there = Arc::clone(&there);
                let arrive = move |one: usize| {
                    let mut there = there.lock().unwrap_or_else(PoisonError::into_inner);
                    *there += one;
                    *there
                };
                self.handle.spawn(async move {
                    here::claim();
                    let mut arrived = arrive(1);
                    while arrived < workers && Instant::now() < until {
                        thread::yield_now();
                        arrived = arrive(0);
                    }
                });
            }
            while !self.workers.all_are_known() && Instant::now() < until {
                thread::park_timeout(ROUND / 20);
            }
        }
    }

    /// Looks at every worker and at `main` once, and returns when to look again.
    fn look(&mut self, tick: Duration) -> Duration {
        let now = Instant::now();
        let late = now.saturating_duration_since(self.looked) > tick * 2;
        let signs: Vec<Sign> = (0..self.cases.len()).map(|case| self.sign(case)).collect();
        let all_rest = signs.iter().all(|sign| sign.parked);
        let mut tick = if all_rest { self.slow / 2 } else { self.slow / 10 };
        if all_rest {
            self.look_for_driver();
        }
        for (index, sign) in signs.into_iter().enumerate() {
            let case = &self.cases[index];
            if !sign.stands_since(case.since, &case.sign) {
                self.turns(index, sign, now);
            } else if case.stands.is_none() {
                self.begins_to_stand(index);
            } else if let Verdict::Busy = self.stands(index, late)
                && self.idle() == 0
            {
                self.probe();
                tick = tick.min(Duration::from_millis(1));
            }
        }
        self.looked = now;
        tick
    }

    fn sign(&self, case: usize) -> Sign {
        if self.cases[case].subject == Subject::Main {
            let (turned, in_main) = self.shared.main.turns.turned();
            return Sign { parked: !in_main, counters: (0, Duration::ZERO), turned };
        }
        let counters = counters(&self.metrics, case).unwrap_or_default();
        let turned = self.workers.get(case).and_then(|claimed| claimed.turns.turned().0);
        Sign { parked: is_parked(counters), counters, turned }
    }

    fn worker_is_parked(&self, worker: usize) -> bool {
        counters(&self.metrics, worker).is_some_and(is_parked)
    }

    fn claimed(&self, case: usize) -> Option<Claimed> {
        match self.cases[case].subject {
            Subject::Main => Some(self.shared.main.claimed()),
            _ => self.workers.get(case),
        }
    }

    /// Notes that a worker has turned, and tells that its stall is over.
    fn turns(&mut self, index: usize, sign: Sign, now: Instant) {
        let case = &mut self.cases[index];
        let mut end = sign.turned.filter(|turned| *turned > case.since).unwrap_or(now);
        if let Some(stands) = case.stands.take() {
            if let Some((spell, _)) = stands.turns.as_ref().map(|turns| turns.going_on())
                && !spell.is_known()
            {
                // The last operation ended then, and it stood at the last look.
                end = now.checked_sub(spell.length).map_or(end, |at| end.min(at).max(self.looked));
            }
            let findings = stands.turns.as_ref().map(|turns| turns.answered());
            if let Some(stuck) = stands.stuck {
                let length = stuck.max(end.saturating_duration_since(case.since));
                let findings = findings.unwrap_or_else(|| unnamed(length));
                // Of several calls, the one that it was in for the longest time.
                let doing = stands.doing.iter().rev().max_by_key(|(_, looks)| looks);
                let doing = doing.map(|(doing, _)| doing);
                let stall = stands.stall(case.subject, length, doing, None);
                self.tells.over(&mut case.told, &stall, findings);
            }
        }
        case.turned_after = self.looked;
        case.since = if sign.parked { now } else { end };
        case.sign = sign;
    }

    fn begins_to_stand(&mut self, index: usize) {
        let claimed = self.claimed(index);
        let others = self.others(index);
        let case = &mut self.cases[index];
        let (turns, thread) = match claimed {
            Some(Claimed { turns, thread }) => (Some(turns), thread),
            None => (None, None),
        };
        if let Some(turns) = &turns {
            turns.ask(case.since);
        }
        let first = Seen { at: Instant::now(), thread: thread.and_then(Thread::look) };
        let (last, doing, stuck, heal_at) = (first.clone(), Vec::new(), None, Duration::ZERO);
        case.stands = Some(Stands { first, last, turns, thread, others, doing, stuck, heal_at });
    }

    /// Looks at the threads of all but one worker.
    fn others(&self, index: usize) -> Vec<(Thread, (Instant, Look))> {
        let others = (0..self.cases.len()).filter(|other| *other != index);
        let threads = others.filter_map(|other| self.claimed(other)?.thread);
        threads.filter_map(|thread| Some((thread, (Instant::now(), thread.look()?)))).collect()
    }

    /// Looks closer at a worker that stands, and tells if it is stuck.
    fn stands(&mut self, index: usize, late: bool) -> Verdict {
        let case = &mut self.cases[index];
        let Some(stands) = &mut case.stands else { return Verdict::Young };
        let mut going_on = stands.turns.as_ref().map(|turns| turns.going_on());
        // Afterwards, or the operation would seem to be older than it is.
        let at = Instant::now();
        // What was open while the worker still turned does not block it: the
        // thread is no longer this worker's.
        if let Some((spell, _)) = &going_on
            && spell.is_known()
            && spell.length > at.saturating_duration_since(case.turned_after)
        {
            (stands.turns, stands.thread, going_on) = (None, None, None);
        }
        let seen = Seen { at, thread: stands.thread.and_then(Thread::look) };
        let (first, slow) = (stands.first.clone(), self.slow);
        let mut verdict = judge(&first, &seen, slow, late, Duration::ZERO);
        if let Verdict::Stuck(Some(doing)) = &verdict
            && waits_for_a_lock(doing)
        {
            verdict = judge(&first, &seen, slow, late, self.held_up(index));
        }
        let case = &mut self.cases[index];
        let Some(stands) = &mut case.stands else { return Verdict::Young };
        match &verdict {
            Verdict::Anew => stands.first = seen,
            Verdict::Stuck(doing) => {
                let so_far = at.saturating_duration_since(case.since);
                let so_far =
                    going_on.as_ref().map_or(so_far, |(spell, _)| so_far.max(spell.length));
                let (sign, since) = (case.sign, case.since);
                // It may have gone on while it was looked at.
                if self.sign(index).stands_since(since, &sign) {
                    self.is_stuck(index, so_far, seen, doing.clone(), going_on);
                }
            }
            Verdict::Young | Verdict::Busy | Verdict::Starved => {}
        }
        verdict
    }

    /// Returns the longest time that another thread of the runtime has waited for
    /// a processor since this one stands.
    fn held_up(&self, index: usize) -> Duration {
        let others = self.cases[index].stands.iter().flat_map(|stands| &stands.others);
        let waits = others.filter_map(|(thread, before)| {
            let now = thread.look()?;
            Some(now.waited_since(&before.1, before.0.elapsed()))
        });
        waits.max().unwrap_or_default()
    }

    fn is_stuck(
        &mut self,
        index: usize,
        so_far: Duration,
        seen: Seen,
        doing: Option<Doing>,
        going_on: Option<(Spell, Duration)>,
    ) {
        let unowned = self.unowned_driver(index, so_far);
        let case = &mut self.cases[index];
        let Some(stands) = &mut case.stands else { return };
        (stands.last, stands.stuck) = (seen, Some(so_far));
        if let Some(doing) = &doing {
            stands.note(doing.clone());
        }
        let going_on = going_on.unwrap_or_else(|| {
            let Findings { longest, .. } = unnamed(so_far);
            (longest.expect("it is given"), so_far)
        });
        let stall = stands.stall(case.subject, so_far, doing.as_ref(), unowned);
        self.tells.stuck(&mut case.told, &stall, going_on);
    }

    /// Has the workers take tasks that do nothing but end a turn, where that
    /// cannot be seen otherwise. Only a worker that is stuck takes none.
    fn probe(&self) {
        let workers = self.metrics.num_workers();
        if self.metrics.global_queue_depth() <= workers {
            for _ in 0..workers {
                self.handle.spawn(async { here::claim() });
            }
        }
    }

    /// Returns how many workers are parked.
    fn idle(&self) -> usize {
        (0..self.metrics.num_workers()).filter(|worker| self.worker_is_parked(*worker)).count()
    }

    /// While the whole runtime rests, one worker waits in `epoll`, or the runtime
    /// has no I/O.
    fn look_for_driver(&mut self) {
        let Driver { is_known, leave_out, left_out } = &mut self.driver;
        if *is_known || self.metrics.num_workers() == 1 {
            return;
        }
        if *left_out < *leave_out {
            *left_out += 1;
            return;
        }
        (*leave_out, *left_out) = ((*leave_out * 2 + 1).min(1_000), 0);
        let waiting = threads_in_epoll();
        *is_known = (0..self.metrics.num_workers())
            .filter_map(|worker| self.workers.get(worker)?.thread)
            .any(|thread| waiting.contains(&thread));
    }

    /// Returns whether nobody holds the driver, if that is due to be looked at.
    fn unowned_driver(&mut self, index: usize, so_far: Duration) -> Option<Unowned> {
        let case = &mut self.cases[index];
        let stands = case.stands.as_mut()?;
        let heals = self.heals && so_far >= stands.heal_at;
        if !self.driver.is_known
            || case.subject == Subject::Main
            || !(heals || case.told.is_due(so_far))
        {
            return None;
        }
        stands.heal_at = so_far * 2;
        let idle = self.idle_without_driver()?;
        // A worker on its way to rest takes the driver a moment later.
        thread::park_timeout(Duration::from_millis(1));
        if self.idle_without_driver()? != idle {
            return None;
        }
        if heals {
            self.handle.spawn(async {});
        }
        Some(Unowned { idle, healed: heals })
    }

    /// Returns how many workers rest, if nobody holds the driver or is about to
    /// come round to it.
    fn idle_without_driver(&self) -> Option<usize> {
        let waiting = threads_in_epoll();
        let mut idle = 0;
        for worker in 0..self.metrics.num_workers() {
            if self.worker_is_parked(worker) {
                idle += 1;
                match self.workers.get(worker).and_then(|claimed| claimed.thread) {
                    Some(thread) if waiting.contains(&thread) => return None,
                    // Any of those that wait may be its thread.
                    None if !waiting.is_empty() => return None,
                    _ => {}
                }
            } else if self.cases[worker].stands.is_none() {
                return None;
            }
        }
        (idle > 0).then_some(idle)
    }
}

impl Stands {
    fn note(&mut self, doing: Doing) {
        match self.doing.iter_mut().find(|(before, _)| before.is_like(&doing)) {
            Some((before, looks)) => (*before, *looks) = (doing, *looks + 1),
            None => self.doing.push((doing, 1)),
        }
    }

    fn stall<'a>(
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

/// How often a worker has parked or woken, and how long it has been busy; `None`
/// where tokio does not count.
#[cfg(target_has_atomic = "64")]
fn counters(metrics: &RuntimeMetrics, worker: usize) -> Option<(u64, Duration)> {
    Some((metrics.worker_park_unpark_count(worker), metrics.worker_total_busy_duration(worker)))
}

#[cfg(not(target_has_atomic = "64"))]
fn counters(_: &RuntimeMetrics, _: usize) -> Option<(u64, Duration)> {
    None
}

/// A worker that has parked once more than it has woken is parked.
fn is_parked((parks, _): (u64, Duration)) -> bool {
    parks % 2 == 1
}

/// What is found where nothing is known.
fn unnamed(length: Duration) -> Findings {
    let spell = Spell { operation: None, turn: Turn::Unknown, length };
    Findings { longest: Some(spell.clone()), longest_turn: Some((length, spell)), turns: 0 }
}
