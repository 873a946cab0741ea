//! SIGINT, SIGTERM and SIGHUP: the first ends the run cleanly, the second at once.

use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::iterator::Signals;
use tributary::Shown;

/// The exit code of an interrupted run, whatever the signal.
pub const EXIT_CODE: u8 = 130;
/// How long a clean end may take before stderr says that it is under way.
const SILENCE: Duration = Duration::from_millis(300);

/// Knows whether a signal has asked the run to end. Clones share this.
#[derive(Debug, Clone, Default)]
pub struct Interrupt {
    asked: Arc<AtomicBool>,
    /// The folder that a clean end removes, and the second signal leaves behind.
    temporary: Arc<Mutex<Option<PathBuf>>>,
}

impl Interrupt {
    /// Takes over SIGINT, SIGTERM and, unless this process was started with it ignored,
    /// SIGHUP. A thread waits for the second signal, and then ends the process.
    ///
    /// # Errors
    ///
    /// The system refuses a handler or the thread.
    pub fn listen() -> io::Result<Interrupt> {
        let interrupt = Interrupt::default();
        let mut taken = vec![SIGINT, SIGTERM];
        // `nohup` has the signal ignored: the run outlives its terminal.
        if !is_ignored(SIGHUP) {
            taken.push(SIGHUP);
        }
        for &signal in &taken {
            flag::register(signal, Arc::clone(&interrupt.asked))?;
        }
        let mut signals = Signals::new(taken)?;
        let told = interrupt.clone();
        thread::Builder::new().name("signals".into()).spawn(move || {
            let mut signals = signals.forever();
            signals.next();
            thread::sleep(SILENCE);
            say("stopping; a second signal ends at once");
            signals.next();
            told.end_at_once();
        })?;
        Ok(interrupt)
    }

    /// Fails with [`Interrupted`] once a signal has come. Never blocks.
    pub fn check(&self) -> Result<(), Interrupted> {
        if self.asked.load(Ordering::Relaxed) { Err(Interrupted) } else { Ok(()) }
    }

    /// Notes the folder that the second signal leaves behind, to name it then. The last
    /// call counts.
    pub fn would_leave(&self, folder: &Path) {
        *self.temporary.lock().unwrap_or_else(PoisonError::into_inner) = Some(folder.to_owned());
    }

    /// Returns the folder that was noted, if it is still there.
    fn left_behind(&self) -> Option<PathBuf> {
        let noted = self.temporary.lock().unwrap_or_else(PoisonError::into_inner).clone();
        noted.filter(|folder| folder.exists())
    }

    fn end_at_once(&self) -> ! {
        if let Some(folder) = self.left_behind() {
            say(&format!("{}: this folder is left behind, remove it", Shown(&folder)));
        }
        conform::kill_all();
        // Not by a return from `main`, which may wait for ever.
        process::exit(EXIT_CODE.into())
    }
}

/// Writes a line to stderr, where the bar may have begun one.
fn say(what: &str) {
    let mut stderr = io::stderr().lock();
    let begun = if stderr.is_terminal() { "\n" } else { "" };
    // If stderr is gone, nobody can be told.
    let _ = writeln!(stderr, "{begun}{what}");
}

/// Returns whether this process was started with a signal ignored; false where there is
/// no `/proc`.
fn is_ignored(signal: i32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

/// A signal has asked the run to end.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("interrupted")]
pub struct Interrupted;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_of_the_round_that_is_under_way_is_left_behind() {
        let interrupt = Interrupt::default();
        let [first, second] = [(), ()].map(|()| tempfile::tempdir().unwrap());
        interrupt.would_leave(first.path());
        interrupt.would_leave(second.path());
        assert_eq!(interrupt.left_behind().as_deref(), Some(second.path()));
        drop(second);
        assert_eq!(interrupt.left_behind(), None);
    }
}
