//! The watch: a thread that asks a loop which is at work, once a millisecond,
//! "how long does a woken task wait for its turn?"
//!
//! It asks by waking the *sentinel*, a task that has no work of its own, and
//! timing how long the loop takes to come round to it. While the loop is parked
//! nobody asks, and the watch sleeps as deeply as the loop does.
//!
//! With `debug`, it also says so when the answer takes too long.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, LocalRuntime};
use tokio::sync::Notify;
use tracing::debug;

use crate::acts::Acts;
use crate::counted::{MainWaker, counted};
use crate::joined::Joined;
use crate::judge::Seen;
use crate::tell::{Reporter, Told};
use crate::turn::{Findings, Turns};
use crate::words::Subject;
use crate::{SLOW, TARGET, doing, here};

/// How long the watch leaves the loop alone between two looks.
///
/// A stall shorter than this can fall between two pings, and one that is seen
/// may have begun this much earlier.
const TICK: Duration = Duration::from_millis(1);

/// The same for a loop whose last runs were each shorter than a [`TICK`]: so short a
/// run has no stall to be seen, and waking the watch costs as much as many turns.
const LONGEST_TICK: Duration = Duration::from_millis(8);

// What the loop is doing. Loop and watch speak through this one atomic, so that
// neither can go to sleep on a change that the other has just made:
//
//     RUNNING --loop parks--> PARKED --watch looks--> ASLEEP
//        ^                       |                       |
//        +------loop wakes-------+---and wakes watch-----+
//
// and ENDED, from any of them, when `main` is over.

/// The loop polls tasks, or is stuck in one.
const RUNNING: u8 = 0;
/// The loop has nothing to do and waits in the operating system.
const PARKED: u8 = 1;
/// The loop is parked, and the watch sleeps until the loop wakes it.
const ASLEEP: u8 = 2;
/// `main` is over, so the watch returns.
const ENDED: u8 = 3;

/// Watches one loop for stalls, from [`Watch::start`] until it is dropped.
pub(crate) struct Watch {
    shared: Arc<Shared>,
    thread: Joined,
}

/// What the loop's thread and the watch thread share.
struct Shared {
    state: AtomicU8,
    runs: Runs,
    // Not tokio's mutex: it is held for a few instructions and never over an
    // `.await`, so there is no wait that a task would have to hand on.
    pings: Mutex<Pings>,
    // Wakes the sentinel. A `Notify` keeps a wake-up that comes before the
    // sentinel's first poll, so a `main` that blocks at once is seen too.
    wake: Notify,
    debug: Option<Debug>,
}

/// The runs of the loop, each from when it wakes until it parks. The loop writes, and
/// the watch reads.
struct Runs {
    begun: Instant,
    /// When the last run began, in microseconds since then.
    last: AtomicU64,
    /// Whether one has begun since the watch has asked.
    any: AtomicBool,
    /// Whether one has lasted for a [`TICK`] since then.
    any_long: AtomicBool,
}

impl Runs {
    fn begin(&self) {
        let since = u64::try_from(self.begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.last.store(since, Ordering::Relaxed);
        self.any.store(true, Ordering::Relaxed);
    }

    fn end(&self) {
        if self.is_long() {
            self.any_long.store(true, Ordering::Relaxed);
        }
    }

    /// Tells whether the last run is, or was, a long one: asked while it goes on, or at
    /// its end.
    fn is_long(&self) -> bool {
        let last = Duration::from_micros(self.last.load(Ordering::Relaxed));
        self.begun.elapsed().saturating_sub(last) >= TICK
    }
}

/// What it takes to say which operation blocks the loop.
struct Debug {
    threshold: Duration,
    /// The loop's thread, where the system tells of threads.
    thread: Option<doing::Thread>,
    turns: Arc<Turns>,
    main_waker: Arc<MainWaker>,
}

#[derive(Default)]
struct Pings {
    /// When the sentinel was woken, until it has had its turn.
    sent: Option<Instant>,
    /// The longest wait so far.
    longest: Option<Duration>,
    /// The stall that is over and not told yet: with `debug`, the last.
    over: Option<(Duration, Findings)>,
}

impl Watch {
    /// Starts the watch thread, which tells of stalls longer than `debug`.
    ///
    /// # Errors
    ///
    /// The operating system refuses the thread.
    pub(crate) fn start(debug: Option<Duration>) -> io::Result<Watch> {
        let reporter = debug.map(|threshold| Reporter::new(threshold, None));
        let shared = Arc::new(Shared {
            // A loop polls `main` before it parks for the first time.
            state: AtomicU8::new(RUNNING),
            runs: Runs {
                begun: Instant::now(),
                last: AtomicU64::new(0),
                any: AtomicBool::new(true),
                any_long: AtomicBool::new(false),
            },
            pings: Mutex::default(),
            wake: Notify::new(),
            debug: debug.map(|threshold| Debug {
                threshold,
                // The caller drives the loop as well.
                thread: doing::Thread::current(),
                turns: Turns::new(),
                main_waker: Arc::default(),
            }),
        });
        let thread = Joined::start({
            let shared = Arc::clone(&shared);
            move || shared.watch(reporter)
        })?;
        Ok(Watch { shared, thread })
    }

    /// Has the loop say when it parks and when it goes on.
    ///
    /// A current-thread runtime calls these hooks on the one thread that
    /// drives the loop, never on a thread of the blocking pool, and only when
    /// it has run out of tasks: a turn that merely looks at the timers is not
    /// a park.
    pub(crate) fn hook_into(&self, runtime: &mut Builder) {
        if self.shared.debug.is_some() {
            // `counted` needs the loop to ask for `main` after every task.
            runtime.event_interval(1);
            #[cfg(tokio_unstable)]
            crate::polls::hook_into(runtime);
        }
        let shared = Arc::clone(&self.shared);
        runtime.on_thread_park(move || {
            shared.runs.end();
            shared.state.store(PARKED, Ordering::Release);
        });

        let shared = Arc::clone(&self.shared);
        let watch = self.thread.handle().clone();
        runtime.on_thread_unpark(move || {
            shared.runs.begin();
            // Only a watch that sleeps is worth a system call. A loop that
            // parks and wakes all the time finds it awake, and pays one `swap`.
            if shared.state.swap(RUNNING, Ordering::AcqRel) == ASLEEP {
                watch.unpark();
            }
        });
    }

    /// Returns the sentinel: a task that does nothing but wait to be woken and
    /// note how long it then waited for its turn.
    pub(crate) fn sentinel(&self) -> impl Future<Output = ()> + 'static {
        let shared = Arc::clone(&self.shared);
        async move {
            loop {
                shared.wake.notified().await;
                shared.answer();
            }
        }
    }

    /// Drives the loop until `main` is over, and returns its answer with the
    /// longest stall: `None` if the sentinel was never woken.
    ///
    /// A ping that is unanswered at the end counts with its time so far, for
    /// the sentinel has waited at least that long.
    pub(crate) fn over<T>(
        self,
        runtime: &LocalRuntime,
        main: impl Future<Output = T>,
    ) -> (T, Option<Duration>) {
        let answer = match &self.shared.debug {
            None => runtime.block_on(main),
            Some(Debug { turns, main_waker, .. }) => {
                let _here = here::set(turns);
                runtime.block_on(counted(main, Arc::clone(turns), Arc::clone(main_waker)))
            }
        };
        self.shared.answer();
        let stall = self.shared.pings().longest;
        (answer, stall)
    }
}

impl Drop for Watch {
    /// Ends the watch thread and waits for it, also while a panic unwinds.
    fn drop(&mut self) {
        self.shared.answer();
        self.shared.state.store(ENDED, Ordering::Release);
        self.thread.end();
    }
}

impl Shared {
    /// The watch thread, from its first look to the end of `main`.
    fn watch(&self, mut reporter: Option<Reporter>) {
        let (mut told, mut stall) = (Told::default(), None);
        let mut tick = TICK;
        loop {
            // First wait, then look: work that is done within a tick is never pinged.
            thread::park_timeout(tick);
            // A loop that wakes every few ticks is not at rest.
            let runs = self.runs.any.swap(false, Ordering::Relaxed);
            let rests = !runs && tick == LONGEST_TICK;
            let is_quick =
                self.debug.is_none() && !self.runs.any_long.swap(false, Ordering::Relaxed);
            tick = if is_quick { LONGEST_TICK } else { TICK };
            // Before the answer is looked for: a loop that has parked has
            // answered, so none is left behind when the watch sleeps.
            let state = self.state.load(Ordering::Acquire);
            if let (Some(debug), Some(reporter)) = (&self.debug, &mut reporter) {
                self.tell(debug, reporter, &mut told, &mut stall);
            }
            match state {
                RUNNING => {
                    tick = TICK;
                    if self.runs.is_long() {
                        self.ping();
                    }
                }
                PARKED if rests || !is_quick => {
                    self.sleep_until_unparked();
                    // The run for which it was woken tells nothing of the next one.
                    self.runs.any.store(false, Ordering::Relaxed);
                    tick = TICK;
                }
                PARKED => {}
                _ => break,
            }
        }
        if let Some(mut reporter) = reporter {
            reporter.end("the event loop");
        }
    }

    /// Tells of the stall that is over, or goes on.
    fn tell(
        &self,
        debug: &Debug,
        reporter: &mut Reporter,
        told: &mut Told,
        stall: &mut Option<(Instant, Acts)>,
    ) {
        let mut pings = self.pings();
        let (over, sent) = (pings.over.take(), pings.sent);
        // Unlocked first: the loop must not wait while a line is written.
        drop(pings);
        if let Some((length, findings)) = over {
            // It may have come and gone between two looks.
            let seen = stall.take().filter(|(_, acts)| acts.stuck.is_some());
            let acts = seen.map_or_else(|| Acts::new(None), |(_, acts)| acts);
            reporter.over(told, &acts.stall(Subject::Loop, length, acts.did()), findings);
        }
        let Some(sent) = sent.filter(|sent| sent.elapsed() > debug.threshold / 2) else { return };
        let acts = match stall {
            Some((since, acts)) if *since == sent => acts,
            _ => &mut stall.insert((sent, Acts::new(debug.thread))).1,
        };
        let so_far = sent.elapsed();
        let is_worth_a_look = acts.last.at.elapsed() >= debug.threshold / 10;
        if so_far > debug.threshold && (is_worth_a_look || told.is_due(so_far)) {
            acts.last = Seen::now(acts.thread);
            let doing = acts.doing();
            acts.note(so_far, doing.as_ref());
            let stall = acts.stall(Subject::Loop, so_far, doing.as_ref());
            reporter.stuck(told, &stall, debug.turns.going_on());
        }
    }

    /// Wakes the sentinel, unless it still waits from the last time.
    ///
    /// A loop that parks at this very moment is woken for nothing, once: the
    /// watch looks again only after a tick, and then finds it parked.
    fn ping(&self) {
        let mut pings = self.pings();
        // Nor while there is something to tell of the last one: it may have
        // ended while a line about it was written.
        if pings.sent.is_some() || pings.over.is_some() {
            return;
        }
        let sent = Instant::now();
        pings.sent = Some(sent);
        // Unlocked first, or the sentinel could have its turn and find the
        // lock taken.
        drop(pings);
        if let Some(Debug { turns, main_waker, .. }) = &self.debug {
            turns.ask(sent);
            main_waker.wake();
        }
        self.wake.notify_one();
    }

    /// Notes that the sentinel has had its turn.
    fn answer(&self) {
        let mut pings = self.pings();
        let Some(sent) = pings.sent.take() else { return };
        let now = Instant::now();
        let stall = now - sent;
        pings.longest = pings.longest.max(Some(stall));
        let mut is_told = false;
        if let Some(debug) = &self.debug {
            let findings = debug.turns.answered(now);
            is_told = stall > debug.threshold;
            if is_told {
                pings.over = Some((stall, findings));
            }
        }
        // Nobody should wait for the lock while the stall is counted.
        drop(pings);
        if stall >= SLOW && !is_told {
            let stall_us = u64::try_from(stall.as_micros()).unwrap_or(u64::MAX);
            debug!(target: TARGET, stall_us, "the event loop has stalled");
        }
    }

    /// Sleeps, without a tick, for as long as the loop is parked.
    fn sleep_until_unparked(&self) {
        // If the loop has woken up since the look, the exchange fails and
        // there is no sleep.
        let exchanged =
            self.state.compare_exchange(PARKED, ASLEEP, Ordering::AcqRel, Ordering::Acquire);
        if exchanged.is_ok() {
            // `park` may return without a reason; the state has the last word.
            while self.state.load(Ordering::Acquire) == ASLEEP {
                thread::park();
            }
        }
    }

    fn pings(&self) -> MutexGuard<'_, Pings> {
        // Nothing panics while it is held, so a poisoned lock holds sound numbers.
        self.pings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
