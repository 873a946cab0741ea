//! The thread of a watch, from its start until it is waited for.

use std::io;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle, Thread};
use std::time::Duration;

/// How long the end of a watch waits for a line that is being written. Whoever ends it may
/// hold the very lock that the line needs, say that of the standard output.
const PATIENCE: Duration = Duration::from_secs(1);

/// A thread that is waited for.
pub(crate) struct Joined {
    handle: Thread,
    // `take`n by `end`, which needs it by value to join it.
    thread: Option<JoinHandle<()>>,
    ended: Arc<Ended>,
}

#[derive(Default)]
struct Ended(Mutex<bool>, Condvar);

impl Joined {
    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// The operating system refuses it.
    pub(crate) fn start(watch: impl FnOnce() + Send + 'static) -> io::Result<Joined> {
        struct End(Arc<Ended>);
        impl Drop for End {
            fn drop(&mut self) {
                *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
                self.0.1.notify_all();
            }
        }
        let ended = Arc::<Ended>::default();
        let end = End(Arc::clone(&ended));
        let thread = thread::Builder::new().name("stall-watch".into()).spawn(move || {
            let _end = end;
            watch();
        })?;
        Ok(Joined { handle: thread.thread().clone(), thread: Some(thread), ended })
    }

    /// Returns the handle by which it is unparked.
    pub(crate) fn handle(&self) -> &Thread {
        &self.handle
    }

    /// Unparks the thread, and waits until it has ended, and no longer than [`PATIENCE`].
    pub(crate) fn end(&mut self) {
        self.handle.unpark();
        let Some(thread) = self.thread.take() else { return };
        let Ended(ended, changed) = &*self.ended;
        let ended = ended.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = changed.wait_timeout_while(ended, PATIENCE, |ended| !*ended);
        if *waited.unwrap_or_else(PoisonError::into_inner).0 {
            // A panic of `main` may be on its way to the caller already; a
            // second one here would abort the process instead.
            let _ = thread.join();
        }
    }
}
