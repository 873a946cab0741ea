//! How a merge is ended from outside, and asked how far it is.

use std::fs;
use std::io;
use std::process;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1};
use signal_hook::iterator;
use tracing::info;
use tributary::Stop;

use crate::exit;

/// Takes SIGINT, SIGTERM, SIGHUP and SIGUSR1 from the moment of its creation.
pub(crate) struct Signals {
    shared: Arc<Shared>,
}

struct Shared {
    follow: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Whether the end was asked for.
    asked: bool,
    /// What ends the merge, once there is one.
    stop: Option<Stop>,
    /// What tells how far it is.
    tell: Option<Box<dyn Fn() + Send>>,
}

impl Signals {
    /// Begins to listen, on a thread.
    ///
    /// With `follow`, the first signal ends the merge in good order: what was
    /// written before is merged. Without, it ends it where it stands. The
    /// second ends the process.
    pub(crate) fn listen(follow: bool) -> io::Result<Signals> {
        let mut taken = vec![SIGINT, SIGTERM, SIGUSR1];
        // `nohup` asks that the end of a terminal means nothing.
        if !is_ignored(SIGHUP) {
            taken.push(SIGHUP);
        }
        let mut signals = iterator::Signals::new(taken)?;
        let shared = Arc::new(Shared { follow, state: Mutex::default() });
        let listener = Arc::clone(&shared);
        thread::Builder::new().name("signals".into()).spawn(move || {
            for signal in signals.forever() {
                if signal == SIGUSR1 {
                    listener.tell();
                } else {
                    listener.end();
                }
            }
        })?;
        Ok(Signals { shared })
    }

    /// Has the signals end this merge, and tell how far it is. A signal that
    /// came earlier counts.
    pub(crate) fn attend(&self, stop: &Stop, tell: impl Fn() + Send + 'static) {
        let mut state = self.shared.state();
        if state.asked {
            self.shared.stop(stop);
        }
        state.stop = Some(stop.clone());
        state.tell = Some(Box::new(tell));
    }

    /// Tells whether a signal has cut the merge short.
    pub(crate) fn cut_short(&self) -> bool {
        !self.shared.follow && self.shared.state().asked
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
        if let Some(stop) = &state.stop {
            self.stop(stop);
        }
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
