//! The watch of a runtime that somebody else has built: a thread that looks at
//! its workers from outside.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;
use tokio::sync::Notify;

use crate::doing::Thread;
use crate::here::{Claimed, Entry, here};
use crate::joined::Joined;
use crate::looks::Looks;
use crate::runtime::Runtime;
use crate::turn::Turns;
use crate::watched::Watched;

/// Watches a runtime, from [`Watch::start`] until it is dropped.
pub(crate) struct Watch {
    shared: Arc<Shared>,
    thread: Joined,
    entry: Entry,
}

/// What the watch thread shares with the others.
pub(crate) struct Shared {
    /// What goes on in `main`, where `main` is polled by no worker.
    pub(crate) main: Main,
    /// The threads of the workers are known, as far as they can be.
    pub(crate) is_ready: Notify,
    ended: AtomicBool,
}

impl Shared {
    pub(crate) fn is_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }
}

/// The thread on which `main` is polled, and what goes on there.
pub(crate) struct Main {
    pub(crate) turns: Arc<Turns>,
    thread: Mutex<Option<Thread>>,
}

impl Main {
    /// Notes that `main` is polled on this thread from now on.
    pub(crate) fn is_here(&self) {
        *self.thread() = Thread::current();
    }

    pub(crate) fn claimed(&self) -> Claimed {
        Claimed { turns: Arc::clone(&self.turns), thread: *self.thread() }
    }

    fn thread(&self) -> MutexGuard<'_, Option<Thread>> {
        self.thread.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watch {
    /// Starts to watch the runtime that this is called on.
    ///
    /// # Errors
    ///
    /// There is no runtime here, tokio does not count its turns, it is watched
    /// already, or the operating system refuses the thread.
    pub(crate) fn start(asked: &Watched) -> io::Result<Watch> {
        let handle = Handle::try_current().map_err(io::Error::other)?;
        let (id, workers) = (handle.id(), handle.metrics().num_workers());
        let Some(entry) = Entry::new(id, workers) else {
            let message = "this runtime is watched already";
            return Err(io::Error::new(io::ErrorKind::ResourceBusy, message));
        };
        let runtime = Runtime::new(handle, Arc::clone(&entry.1));
        if !runtime.counts() {
            let message = "tokio counts nothing on a processor without 64-bit atomics";
            return Err(io::Error::new(io::ErrorKind::Unsupported, message));
        }
        // A runtime of one thread is on this one.
        here(|_| ());
        let shared = Arc::new(Shared {
            main: Main { turns: Turns::new(), thread: Mutex::default() },
            is_ready: Notify::new(),
            ended: AtomicBool::new(false),
        });
        let looks = Looks::new(asked, runtime, Arc::clone(&shared));
        let thread = Joined::start(|| looks.watch())?;
        Ok(Watch { shared, thread, entry })
    }

    /// Wakes the watch if it sleeps.
    pub(crate) fn unpark(&self) {
        self.entry.1.parker.unpark();
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }
}

impl Drop for Watch {
    /// Ends the watch thread and waits for it, also while a panic unwinds.
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Release);
        self.thread.end();
    }
}
