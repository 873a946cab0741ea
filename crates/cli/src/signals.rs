//! How a merge is ended from outside, and asked how far it is.

use std::fs;
use std::io;
use std::process;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use indicatif::BinaryBytes;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1};
use signal_hook::iterator;
use tracing::{info, warn};
use tributary::{Progress, Stop};

use crate::backlog;
use crate::exit;

/// An end that takes longer is explained.
const MOMENT: Duration = Duration::from_secs(2);

/// Takes SIGINT, SIGTERM, SIGHUP and SIGUSR1 from the moment of its creation.
pub(crate) struct Signals {
    shared: Arc<Shared>,
}

struct Shared {
    follow: bool,
    /// The name of the output.
    output: String,
    state: Mutex<State>,
    /// Told when the merge has ended.
    end: Condvar,
}

#[derive(Default)]
struct State {
    /// Whether the end was asked for.
    asked: bool,
    /// Whether the merge has ended.
    ended: bool,
    /// What ends the merge, once there is one, and how far it is.
    merge: Option<(Stop, Progress)>,
    /// What tells how far it is.
    tell: Option<Box<dyn Fn() + Send>>,
}

impl Signals {
    /// Begins to listen, on a thread.
    ///
    /// With `follow`, the first signal ends the merge in good order: what was
    /// written before is merged. Without, it ends it where it stands. The
    /// second ends the process. If the end takes a while, it is said what for:
    /// for `output`, mostly.
    pub(crate) fn listen(follow: bool, output: String) -> io::Result<Signals> {
        let mut taken = vec![SIGINT, SIGTERM, SIGUSR1];
        // `nohup` asks that the end of a terminal means nothing.
        if !is_ignored(SIGHUP) {
            taken.push(SIGHUP);
        }
        let mut signals = iterator::Signals::new(taken)?;
        let shared =
            Arc::new(Shared { follow, output, state: Mutex::default(), end: Condvar::new() });
        let listener = Arc::clone(&shared);
        thread::Builder::new().name("signals".into()).spawn(move || {
            for signal in signals.forever() {
                if signal == SIGUSR1 {
                    listener.tell();
                } else {
                    listener.end();
                    let impatient = Arc::clone(&listener);
                    // Without a thread to spare, the end comes unexplained.
                    let _ = thread::Builder::new()
                        .name("patience".into())
                        .spawn(move || impatient.explain());
                }
            }
        })?;
        Ok(Signals { shared })
    }

    /// Has the signals end this merge, and tell how far it is. A signal that
    /// came earlier counts.
    pub(crate) fn attend(
        &self,
        stop: &Stop,
        progress: &Progress,
        tell: impl Fn() + Send + 'static,
    ) {
        let mut state = self.shared.state();
        if state.asked {
            self.shared.stop(stop);
        }
        state.merge = Some((stop.clone(), progress.clone()));
        state.tell = Some(Box::new(tell));
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

    fn tell(&self) {
        if let Some(tell) = &self.state().tell {
            tell();
        }
    }

    fn end(&self) {
        let mut state = self.state();
        if std::mem::replace(&mut state.asked, true) {
            // Not a return from `main`, which may be in the middle of a write
            // that takes for ever.
            process::exit(exit::INTERRUPTED.into());
        }
        info!("stopping; a second signal ends at once");
        if let Some((stop, _)) = &state.merge {
            self.stop(stop);
        }
    }

    /// Says what the end waits for, if it has not come in a moment.
    fn explain(&self) {
        let waited = self.end.wait_timeout_while(self.state(), MOMENT, |state| !state.ended);
        let state = waited.unwrap_or_else(PoisonError::into_inner).0;
        if state.ended {
            return;
        }
        let progress = state.merge.as_ref().map(|(_, progress)| progress.clone());
        // Not asked under the lock, which the second signal needs.
        drop(state);
        let output = &self.output;
        let what = match progress.as_ref().map(backlog::totals) {
            Some((_, lag @ 1..)) if self.follow => {
                format!("{} are still to be merged into {output}", BinaryBytes(lag))
            }
            Some(_) => format!("{output} has not yet taken what was read"),
            None => format!("{output} is not open yet; a FIFO waits for its reader"),
        };
        warn!("still stopping: {what}; a second signal ends at once");
    }

    fn stop(&self, stop: &Stop) {
        if self.follow { stop.request() } else { stop.abandon() }
    }
}

/// Tells whether this process was started with a signal ignored; not where
/// there is no `/proc`.
fn is_ignored(signal: i32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}
