use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

/// A thread with a result, which can be asked to stop.
///
/// Dropping it asks for the stop and waits for the end; the result is lost.
#[derive(Debug)]
pub struct Worker<T> {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<io::Result<T>>>,
}

impl<T: Send + 'static> Worker<T> {
    /// Starts a thread. The flag that `work` gets is true once the stop is asked for.
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

    /// Waits for the thread, and returns its result.
    ///
    /// # Blocking
    ///
    /// Blocks the calling thread until the thread has ended; does not ask for the stop.
    ///
    /// # Errors
    ///
    /// The thread's error; a path is named.
    ///
    /// # Panics
    ///
    /// Resumes a panic of the thread.
    pub fn join(mut self) -> io::Result<T> {
        let thread = self.thread.take().expect("only join and drop take the thread");
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

impl<T> Drop for Worker<T> {
    fn drop(&mut self) {
        self.stop();
        if let Some(thread) = self.thread.take() {
            // The result is for `join`.
            let _ = thread.join();
        }
    }
}
