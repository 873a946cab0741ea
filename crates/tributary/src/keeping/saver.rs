//! The thread that saves the checkpoint, in a moment after something has changed.
//!
//! It is a thread of its own, since a disk may take long: neither an append nor
//! a source that is woken waits for it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

/// The handle on the saver's thread, which ends when the handle is dropped.
///
/// The thread is not joined: it may be inside a save that hangs.
#[derive(Debug)]
pub(crate) struct Saver {
    /// Whether a save is due already. So there is one request at a time.
    due: Arc<AtomicBool>,
    requests: Sender<()>,
}

impl Saver {
    /// Starts the thread. It calls `save` once, `every` after the first
    /// [`soon`](Saver::soon), and never again after `save` answered false.
    pub(crate) fn start(
        every: Duration,
        mut save: impl FnMut() -> bool + Send + 'static,
    ) -> io::Result<Saver> {
        let due = Arc::new(AtomicBool::new(false));
        let (requests, requested) = mpsc::channel();
        let saver = Saver { due: Arc::clone(&due), requests };
        thread::Builder::new().name("saver".into()).spawn(move || {
            while requested.recv().is_ok() {
                // A wait and no sleep: a handle that is dropped meanwhile ends the
                // thread. Its owner has made the last save.
                if requested.recv_timeout(every) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
                // Before the save: what comes during it is for the next one.
                due.store(false, Ordering::SeqCst);
                if !save() {
                    return;
                }
            }
        })?;
        Ok(saver)
    }

    /// Asks for a save. Asking again before it was made changes nothing.
    pub(crate) fn soon(&self) {
        if !self.due.swap(true, Ordering::SeqCst) {
            // Nobody hears it after a save that failed.
            let _ = self.requests.send(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUND: Duration = Duration::from_secs(60);

    /// A saver whose saves can be waited for, and answer `well`.
    fn saver(every: Duration, well: bool) -> (Saver, mpsc::Receiver<()>) {
        let (saved, saves) = mpsc::channel();
        let save = move || saved.send(()).is_ok() && well;
        (Saver::start(every, save).unwrap(), saves)
    }

    #[test]
    fn saves_once_however_often_it_is_asked_and_again_when_it_is_asked_again() {
        let (saver, saves) = saver(Duration::from_millis(50), true);
        (0..1000).for_each(|_| saver.soon());
        saves.recv_timeout(BOUND).expect("the first save");
        saver.soon();
        saves.recv_timeout(BOUND).expect("the second save");
        drop(saver);
        assert!(saves.iter().count() < 100, "a save for each time that it was asked");
    }

    #[test]
    fn never_saves_again_after_a_save_that_failed() {
        let (saver, saves) = saver(Duration::ZERO, false);
        saver.soon();
        saves.recv_timeout(BOUND).expect("the save that fails");
        assert_eq!(saves.recv_timeout(BOUND), Err(RecvTimeoutError::Disconnected));
        saver.soon();
    }

    #[test]
    fn ends_with_its_handle_although_a_save_is_far_away() {
        let (saver, saves) = saver(Duration::MAX, true);
        saver.soon();
        drop(saver);
        assert_eq!(saves.recv_timeout(BOUND), Err(RecvTimeoutError::Disconnected));
    }
}
