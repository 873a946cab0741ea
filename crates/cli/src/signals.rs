//! How a merge is ended from outside, and asked how far it is.

use std::fs;
use std::io;
use std::path::Path;
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use indicatif::BinaryBytes;
use rustix::fs::{Mode, OFlags, open};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGXFSZ};
use signal_hook::{flag, iterator};
use tracing::{info, warn};
use tributary::{Plan, Progress, Reopen, Stop};

use crate::backlog;
use crate::exit;
use crate::wire;

/// An end that takes longer is explained.
const MOMENT: Duration = Duration::from_secs(2);

/// The pause between two looks whether the terminal has gone, and how many looks
/// there are: the kernel may send SIGHUP a moment before it takes the terminal away.
const HANG_UP: (Duration, usize) = (Duration::from_millis(50), 20);

/// Takes SIGINT, SIGTERM, SIGHUP and SIGUSR1 from the moment of its creation.
pub(crate) struct Signals {
    shared: Arc<Shared>,
}

struct Shared {
    follow: bool,
    /// The name of the output.
    output: String,
    /// The name of the stream that is read, if one is.
    from: Option<String>,
    /// Whether the output has a name that can be opened once more.
    reopens: bool,
    /// Whether this process began with a controlling terminal.
    terminal: bool,
    state: Mutex<State>,
    /// Notified when the merge has ended.
    end: Condvar,
    /// Whether a thread is telling how far the merge is.
    telling: AtomicBool,
}

#[derive(Default)]
struct State {
    /// Whether the end was asked for.
    asked: bool,
    /// Whether the merge has ended.
    ended: bool,
    merge: Option<Merge>,
}

/// A merge that runs.
struct Merge {
    stop: Stop,
    progress: Progress,
    reopen: Reopen,
    /// Tells how far the merge is; it may block.
    tell: Arc<dyn Fn() + Send + Sync>,
}

impl Signals {
    /// Begins to listen, on a thread.
    ///
    /// With `follow`, the first signal ends the merge in good order: what was
    /// written before is merged. Without, it ends the merge where it stands, and, unless
    /// a stream is waited for, the process a moment later in any case. The second signal
    /// ends the process. An end that takes a while is explained, with the names of the
    /// output and of the stream `from`. With `reopens`, SIGHUP opens the output once
    /// more, and ends the merge only if the terminal has gone.
    pub(crate) fn listen(
        follow: bool,
        output: String,
        from: Option<String>,
        reopens: bool,
    ) -> io::Result<Signals> {
        // Otherwise a write over `ulimit -f` would end the process without a word. So it
        // is an error like others.
        flag::register(SIGXFSZ, Arc::default())?;
        let mut taken = vec![SIGINT, SIGTERM, SIGUSR1];
        // `nohup` ignores SIGHUP, so that the end of a terminal means nothing.
        if !is_ignored(SIGHUP) {
            taken.push(SIGHUP);
        }
        let mut signals = iterator::Signals::new(taken)?;
        let shared = Arc::new(Shared {
            follow,
            output,
            from,
            reopens,
            terminal: has_terminal(),
            state: Mutex::default(),
            end: Condvar::new(),
            telling: AtomicBool::new(false),
        });
        let listener = Arc::clone(&shared);
        // This thread must hear the next signal, so it never waits for a disk, for
        // stderr, or for a lock whose holder does.
        thread::Builder::new().name("signals".into()).spawn(move || {
            for signal in signals.forever() {
                match signal {
                    SIGUSR1 => listener.tell(),
                    SIGHUP if listener.reopens => listener.hang_up(),
                    _ => listener.end(),
                }
            }
        })?;
        Ok(Signals { shared })
    }

    /// Has the signals end the merge of this plan, and `tell` how far it is. A
    /// signal that came before counts, if it ends the merge.
    pub(crate) fn attend(&self, plan: &Plan, tell: impl Fn() + Send + Sync + 'static) {
        let stop = plan.stop.clone();
        let mut state = self.shared.state();
        if state.asked {
            self.shared.stop(&stop);
        }
        let (progress, reopen) = (plan.progress(), plan.reopen());
        state.merge = Some(Merge { stop, progress, reopen, tell: Arc::new(tell) });
    }

    /// Tells whether a signal has cut the merge short.
    pub(crate) fn cut_short(&self) -> bool {
        !self.shared.follow && self.shared.state().asked
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        self.shared.state().ended = true;
        self.shared.end.notify_all();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells how far the merge is, in a thread of its own, since a `stat` may
    /// hang, or nobody may read stderr. While that thread runs, a second request
    /// is dropped.
    fn tell(self: &Arc<Self>) {
        let Some(tell) = self.state().merge.as_ref().map(|merge| Arc::clone(&merge.tell)) else {
            return;
        };
        if !self.telling.swap(true, Ordering::SeqCst) {
            let shared = Arc::clone(self);
            let told = spawn("tell", move || {
                tell();
                shared.telling.store(false, Ordering::SeqCst);
            });
            if !told {
                self.telling.store(false, Ordering::SeqCst);
            }
        }
    }

    /// Opens the output once more, and ends the merge if its terminal has gone.
    fn hang_up(self: &Arc<Self>) {
        if let Some(merge) = &self.state().merge {
            merge.reopen.request();
        }
        if self.terminal {
            let shared = Arc::clone(self);
            spawn("hang-up", move || {
                let (moment, times) = HANG_UP;
                for _ in 0..times {
                    if !has_terminal() {
                        // Not `end`: shell and kernel each send a SIGHUP, and the
                        // second must not end the process.
                        shared.ask();
                        return;
                    }
                    thread::sleep(moment);
                }
            });
        }
    }

    fn end(self: &Arc<Self>) {
        if !self.ask() {
            // `main` cannot return: it may be in a write that never ends.
            process::exit(exit::INTERRUPTED.into());
        }
    }

    /// Asks for the end. False if it was asked for before.
    fn ask(self: &Arc<Self>) -> bool {
        let mut state = self.state();
        if std::mem::replace(&mut state.asked, true) {
            return false;
        }
        if let Some(merge) = &state.merge {
            self.stop(&merge.stop);
        }
        drop(state);
        let shared = Arc::clone(self);
        spawn("patience", move || {
            info!("stopping; a second signal ends at once");
            shared.explain();
        });
        true
    }

    /// Says what the end waits for, if it has not come in a moment.
    fn explain(&self) {
        let waited = self.end.wait_timeout_while(self.state(), MOMENT, |state| !state.ended);
        let state = waited.unwrap_or_else(PoisonError::into_inner).0;
        if state.ended {
            return;
        }
        let progress = state.merge.as_ref().map(|merge| merge.progress.clone());
        // The files are looked at without the lock, which a second signal needs.
        drop(state);
        let output = &self.output;
        let what = match progress.as_ref().map(backlog::totals) {
            Some((_, lag @ 1..)) if self.follow => {
                format!("{} are still to be merged into {output}", BinaryBytes(lag))
            }
            Some(_) => match &self.from {
                Some(from) => format!("what {from} holds is not all in {output} yet"),
                None => format!("{output} has not yet taken what was read"),
            },
            None => format!("{output} is not open yet; a FIFO waits for its reader"),
        };
        let waits_for_a_stream = self.from.is_some() || wire::is_stream(Path::new(output));
        if self.follow || waits_for_a_stream {
            warn!("still stopping: {what}; a second signal ends at once");
            return;
        }
        // What is merged is not asked for any more.
        warn!("{what}; ended all the same");
        process::exit(exit::INTERRUPTED.into());
    }

    fn stop(&self, stop: &Stop) {
        if self.follow { stop.request() } else { stop.abandon() }
    }
}

/// Starts a thread. If the system refuses it, what it would do is not done, and the answer
/// is false.
fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> bool {
    thread::Builder::new().name(name.into()).spawn(run).is_ok()
}

/// Tells whether this process has a controlling terminal.
fn has_terminal() -> bool {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    open("/dev/tty", flags, Mode::empty()).is_ok()
}

/// Tells whether this process was started with a signal ignored; false where there
/// is no `/proc`.
fn is_ignored(signal: i32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}
