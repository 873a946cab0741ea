use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

/// A thread that answers, and that can be asked to stop.
///
/// Dropped, it asks for the stop and waits, without an answer.
#[derive(Debug)]
pub struct Worker<T> {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<io::Result<T>>>,
}

impl<T: Send + 'static> Worker<T> {
    /// Starts a thread, which may look whether it is to stop.
    pub(crate) fn start(
        name: &str,
        work: impl FnOnce(&AtomicBool) -> io::Result<T> + Send + 'static,
    ) -> io::Result<Worker<T>> {
        let stop = Arc::new(AtomicBool::new(false));
        let thread = thread::Builder::new().name(name.into()).spawn({
            let stop = Arc::clone(&stop);
            move || work(&stop)
        })?;
        Ok(Worker { stop, thread: Some(thread) })
    }
}

impl<T> Worker<T> {
    pub(crate) fn stop(&self) {
        self.stop.store(true, Ordering::Release);
    }

    /// Waits for the answer.
    ///
    /// # Blocking
    ///
    /// Blocks the caller until the thread has ended by itself.
    ///
    /// # Errors
    ///
    /// What the thread met; a path is named.
    ///
    /// # Panics
    ///
    /// Goes on with a panic of the thread.
    pub fn join(mut self) -> io::Result<T> {
        let thread = self.thread.take().expect("only join and drop take the thread");
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

impl<T> Drop for Worker<T> {
    fn drop(&mut self) {
        self.stop();
        if let Some(thread) = self.thread.take() {
            // Who wants the answer calls `join`.
            let _ = thread.join();
        }
    }
}
