//! Laws that are tried in processes of their own, several at once.

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

/// How long a law has, beyond its bound, to come to its end.
const GRACE: Duration = Duration::from_secs(45);

/// How a merge breaks a law, if it does; or what happened instead.
pub type Tried = Checked<Option<String>>;

/// Does work as many at once as there are cores, begun in this order, and tells of each
/// as it is done. If `told` answers that it is enough, what has begun is done to its end
/// and nothing else; at an error what has begun is over.
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
                    // Nobody listens once the first error has come.
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
        // The threads then end their processes, and themselves.
        over.store(true, Ordering::Relaxed);
        taken
    })
}

/// Tries a law by a command that answers with how it is broken, until all is over. The
/// process has a folder of its own.
pub fn try_by(
    command: &mut Command,
    within: Duration,
    folder: &Path,
    interrupt: &Interrupt,
    is_over: &(dyn Fn() -> bool + Sync),
) -> anyhow::Result<Tried> {
    let folder = tempfile::tempdir_in(folder).context("a law needs a folder")?;
    // What a child leaves behind that had to be killed goes with our folder.
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
