//! The watch: a thread that asks a busy loop, once a millisecond, "how long
//! does a woken task wait for its turn?"

use std::io;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::runtime::Builder;
use tokio::sync::Notify;

/// How long the watch lets a running loop alone between two looks.
///
/// A stall shorter than this can fall between two pings, and one that is seen
/// may have begun this much earlier.
const TICK: Duration = Duration::from_millis(1);

// What the loop is doing, in one atomic so that no wake-up can fall between
// two of them. The loop's hooks write RUNNING and PARKED, the watch turns
// PARKED into ASLEEP, and the end of `main` writes ENDED.

/// The loop polls tasks, or is stuck in one.
const RUNNING: u8 = 0;
/// The loop has nothing to do and waits in the operating system.
const PARKED: u8 = 1;
/// The loop is parked, and the watch sleeps until the loop wakes it.
const ASLEEP: u8 = 2;
/// `main` is over and the watch is to return.
const ENDED: u8 = 3;

/// Watches one loop for stalls, from [`Watch::start`] until it is dropped.
pub(crate) struct Watch {
    shared: Arc<Shared>,
    // `None` only while the watch is being dropped.
    thread: Option<JoinHandle<()>>,
}

/// What the loop's thread and the watch thread both touch.
struct Shared {
    state: AtomicU8,
    // Not tokio's mutex: it is held for a few instructions, never over an
    // `.await`, so no task ever waits for it in earnest.
    pings: Mutex<Pings>,
    // Wakes the sentinel. A `Notify` keeps a wake-up that comes before the
    // sentinel's first poll, so a `main` that blocks at once is seen too.
    wake: Notify,
}

#[derive(Default)]
struct Pings {
    /// When the sentinel was woken, until it has had its turn.
    sent: Option<Instant>,
    /// The longest wait so far.
    longest: Option<Duration>,
    /// How many times the sentinel was woken.
    #[cfg(test)]
    count: u32,
}

impl Watch {
    /// Starts the watch thread.
    ///
    /// # Errors
    ///
    /// The operating system refuses the thread.
    pub(crate) fn start() -> io::Result<Watch> {
        let shared = Arc::new(Shared {
            // A loop polls `main` before it parks for the first time.
            state: AtomicU8::new(RUNNING),
            pings: Mutex::default(),
            wake: Notify::new(),
        });
        let thread = thread::Builder::new().name("stall-watch".into()).spawn({
            let shared = Arc::clone(&shared);
            move || shared.watch()
        })?;
        Ok(Watch {
            shared,
            thread: Some(thread),
        })
    }

    /// Has the loop say when it parks and when it goes on.
    ///
    /// A current-thread runtime calls these hooks on the one thread that
    /// drives the loop, never on a thread of the blocking pool, and only when
    /// it has run out of tasks: a turn that merely looks at the timers does
    /// not count as parked.
    pub(crate) fn hook_into(&self, runtime: &mut Builder) {
        let shared = Arc::clone(&self.shared);
        runtime.on_thread_park(move || shared.state.store(PARKED, Ordering::Release));

        let shared = Arc::clone(&self.shared);
        let watch = self.thread.as_ref().map(|it| it.thread().clone());
        runtime.on_thread_unpark(move || {
            // A loop that wakes often finds the watch awake and pays for one
            // `swap`; only a watch that sleeps is worth a system call.
            if shared.state.swap(RUNNING, Ordering::AcqRel) == ASLEEP
                && let Some(watch) = &watch
            {
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

    /// Ends the watch and returns the longest stall, `None` if no ping was sent.
    ///
    /// A ping that is still unanswered counts with its time so far: the
    /// sentinel has waited at least that long.
    pub(crate) fn end(self) -> Option<Duration> {
        self.shared.state.store(ENDED, Ordering::Release);
        self.shared.answer();
        self.shared.pings().longest
    }
}

impl Drop for Watch {
    /// Ends the watch thread and waits for it, also while a panic unwinds.
    fn drop(&mut self) {
        self.shared.state.store(ENDED, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // The watch thread has nothing to panic about, and a panic of
            // `main` may be under way: there is nobody to tell.
            let _ = thread.join();
        }
    }
}

impl Shared {
    /// The watch thread, from its first look to the end of `main`.
    fn watch(&self) {
        loop {
            // First wait, then look: a loop that is up for less than a tick
            // is never pinged, and one that parks and wakes thousands of times
            // a second wakes the watch at most once a tick.
            thread::park_timeout(TICK);
            match self.state.load(Ordering::Acquire) {
                RUNNING => self.ping(),
                PARKED => self.sleep_until_unparked(),
                _ => return,
            }
        }
    }

    /// Wakes the sentinel, unless it still waits from the last time.
    ///
    /// If the loop parks at this very moment, the ping wakes it once for
    /// nothing. It does not wake it twice: the watch looks again only after a
    /// tick, and finds it parked.
    fn ping(&self) {
        {
            let mut pings = self.pings();
            if pings.sent.is_some() {
                return;
            }
            pings.sent = Some(Instant::now());
            #[cfg(test)]
            {
                pings.count += 1;
            }
        }
        self.wake.notify_one();
    }

    /// Notes that the sentinel has had its turn.
    fn answer(&self) {
        let mut pings = self.pings();
        if let Some(sent) = pings.sent.take() {
            pings.longest = pings.longest.max(Some(sent.elapsed()));
        }
    }

    /// Sleeps, without a tick, for as long as the loop is parked.
    fn sleep_until_unparked(&self) {
        // It fails if the loop woke up since the look; then there is no sleep.
        let asleep =
            self.state
                .compare_exchange(PARKED, ASLEEP, Ordering::AcqRel, Ordering::Acquire);
        if asleep.is_ok() {
            // `park` may return without a reason, so the state has the last word.
            while self.state.load(Ordering::Acquire) == ASLEEP {
                thread::park();
            }
        }
    }

    fn pings(&self) -> MutexGuard<'_, Pings> {
        // Nobody panics while holding it, and numbers cannot be left half-done.
        self.pings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
