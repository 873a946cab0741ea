//! Laws, tried in processes of their own, several at once.

use std::num::NonZero;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;

use crate::child::{self, Checked, Hung, answered};
use crate::interrupt::{Interrupt, Interrupted};

/// How long after its bound a law's process is killed.
const GRACE: Duration = Duration::from_secs(45);

/// How a merge breaks a law, or `None`. `Err` is what happened instead, in words.
pub type Tried = Checked<Option<String>>;

/// Calls `work` with each index in `order`, in this order, on as many threads as there
/// are cores. Calls `told` on the calling thread with each result, as it comes. Once
/// `told` returns false, nothing new begins: what has begun is finished and told.
///
/// `work` also gets a function that returns true after an error: then it should give
/// up.
///
/// # Blocking
///
/// Blocks the calling thread until all threads have ended.
///
/// # Errors
///
/// The first error of `work` or of `told`.
pub fn side_by_side<T: Send>(
    order: &[usize],
    work: impl Fn(usize, &(dyn Fn() -> bool + Sync)) -> anyhow::Result<T> + Sync,
    mut told: impl FnMut(usize, T) -> anyhow::Result<bool>,
) -> anyhow::Result<()> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let (next, over) = (AtomicUsize::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        let (tell, told_of) = channel();
        for _ in 0..cores.min(order.len()) {
            let (tell, next, over, work) = (tell.clone(), &next, &over, &work);
            scope.spawn(move || {
                while let Some(&at) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let done = work(at, &|| over.load(Ordering::Relaxed));
                    let failed = done.is_err();
                    // After the first error nobody listens.
                    if tell.send((at, done)).is_err() || failed {
                        break;
                    }
                }
            });
        }
        drop(tell);
        let taken: anyhow::Result<()> = told_of.iter().try_for_each(|(at, done)| {
            if !told(at, done?)? {
                next.store(order.len(), Ordering::Relaxed);
            }
            Ok(())
        });
        // The threads then give up their work, and end.
        over.store(true, Ordering::Relaxed);
        taken
    })
}

/// Tries a law by running `command`, which answers on stdout with how the law is
/// broken, or null. The process gets a folder of its own in `folder`, as its `TMPDIR`.
/// After `within` and 45 s more the process is killed, and the hang is the result.
///
/// # Blocking
///
/// Blocks the calling thread until the process has ended.
///
/// # Errors
///
/// [`Interrupted`] after a signal or once `is_over` returns true; or the process cannot
/// be run, or its answer cannot be read.
pub fn try_by(
    command: &mut Command,
    within: Duration,
    folder: &Path,
    interrupt: &Interrupt,
    is_over: &(dyn Fn() -> bool + Sync),
) -> anyhow::Result<Tried> {
    let folder = tempfile::tempdir_in(folder).context("a law needs a folder")?;
    // If the child must be killed, its files go with this folder.
    command.env("TMPDIR", folder.path());
    let (begun, bound) = (Instant::now(), within + GRACE);
    let ended = child::run(command, interrupt, |_| {
        if is_over() {
            return Err(Interrupted.into());
        }
        if begun.elapsed() > bound {
            return Err(Hung { within: format!("{bound:?}") }.into());
        }
        Ok(())
    });
    match ended {
        Ok(ended) if ended.status.success() => answered(&ended.stdout).map(Ok),
        Ok(ended) => Ok(Err(ended.failure())),
        Err(error) if error.is::<Hung>() => Ok(Err(error.to_string())),
        Err(error) => Err(error),
    }
}
