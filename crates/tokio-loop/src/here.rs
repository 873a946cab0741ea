//! Which thread a worker is on. A worker has no name for its thread on stable
//! tokio, so each thread claims the worker that it is, when it first has
//! something to say.

use std::cell::RefCell;
use std::mem;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime::{self, Handle};
use tokio::task;

use crate::doing::Thread;
use crate::parker::Parker;
use crate::turn::Turns;

/// The runtimes that are watched. There are few.
static WATCHED: Mutex<Vec<(runtime::Id, Arc<Workers>)>> = Mutex::new(Vec::new());
/// How many runtimes are watched: a thread of none of them asks no more.
static COUNT: AtomicUsize = AtomicUsize::new(0);
/// Changes when one comes or goes: every thread then asks anew.
static EPOCH: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static HERE: RefCell<Here> = const { RefCell::new(Here { set: None, asked: None }) };
}

/// What a thread knows of itself.
struct Here {
    /// Given to it for as long as it drives a loop, or `main`.
    set: Option<Arc<Turns>>,
    /// The answer when this thread last asked whether it is a worker.
    asked: Option<Asked>,
}

struct Asked {
    epoch: u64,
    worker: usize,
    claim: Option<Claim>,
    /// The task that this thread was at when it last was no worker, if it was at one.
    left_in: Option<Option<task::Id>>,
}

type Claim = (Arc<Turns>, Arc<Workers>);

/// The threads of the workers of one runtime, by the worker's index.
#[derive(Debug)]
pub(crate) struct Workers {
    claimed: Mutex<Vec<Option<Claimed>>>,
    /// Has the watch of the runtime park, and wakes it.
    pub(crate) parker: Parker,
}

/// A worker's thread.
#[derive(Debug, Clone)]
pub(crate) struct Claimed {
    pub(crate) turns: Arc<Turns>,
    pub(crate) thread: Option<Thread>,
}

impl Workers {
    pub(crate) fn get(&self, worker: usize) -> Option<Claimed> {
        self.lock().get(worker).cloned().flatten()
    }

    /// Returns whether the thread of every worker is known.
    pub(crate) fn all_are_known(&self) -> bool {
        self.lock().iter().all(Option::is_some)
    }

    /// Forgets the thread of a worker, until another one claims it.
    pub(crate) fn forget(&self, worker: usize) {
        if let Some(place) = self.lock().get_mut(worker) {
            *place = None;
        }
    }

    fn claim(&self, worker: usize, turns: &Arc<Turns>) {
        if let Some(place) = self.lock().get_mut(worker) {
            *place = Some(Claimed { turns: Arc::clone(turns), thread: Thread::current() });
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Option<Claimed>>> {
        // Nothing panics while it is held.
        self.claimed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A runtime is watched until this is dropped.
#[derive(Debug)]
pub(crate) struct Entry(runtime::Id, pub(crate) Arc<Workers>);

impl Entry {
    /// Enters a runtime; `None` if it is watched already.
    pub(crate) fn new(runtime: runtime::Id, workers: usize) -> Option<Entry> {
        let mut watched = watched();
        if watched.iter().any(|(id, _)| *id == runtime) {
            return None;
        }
        let claimed = Mutex::new(vec![None; workers]);
        let workers = Arc::new(Workers { claimed, parker: Parker::default() });
        watched.push((runtime, Arc::clone(&workers)));
        changed(&watched);
        Some(Entry(runtime, workers))
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut watched = watched();
        watched.retain(|(id, _)| *id != self.0);
        changed(&watched);
    }
}

fn watched() -> MutexGuard<'static, Vec<(runtime::Id, Arc<Workers>)>> {
    WATCHED.lock().unwrap_or_else(PoisonError::into_inner)
}

fn changed(watched: &[(runtime::Id, Arc<Workers>)]) {
    COUNT.store(watched.len(), Ordering::Release);
    EPOCH.fetch_add(1, Ordering::Release);
}

/// Calls `with` with the turns of this thread; does nothing on a thread that drives no
/// loop and is no worker, or whose runtime is not watched.
pub(crate) fn here<T>(with: impl FnOnce(&Arc<Turns>) -> T) -> Option<T> {
    // A thread that is about to end has no more locals, and drives no loop.
    HERE.try_with(|here| here.try_borrow_mut().ok()?.turns().map(with)).ok().flatten()
}

/// Has this thread claim its worker, also from a thread that has claimed it
/// before: a hook of the runtime knows better.
pub(crate) fn claim() {
    claimed(|_| ());
}

/// As [`claim`], on a thread that goes on after a rest; also wakes the watch.
pub(crate) fn goes_on() {
    claimed(|workers| {
        workers.parker.is_hooked();
        workers.parker.unpark();
    });
}

fn claimed(then: impl FnOnce(&Workers)) {
    let _ = HERE.try_with(|here| {
        let mut here = here.try_borrow_mut().ok()?;
        here.turns()?.end();
        let Asked { worker, claim: Some((turns, workers)), .. } = here.asked.as_ref()? else {
            return None;
        };
        if workers.get(*worker).is_none_or(|claimed| !Arc::ptr_eq(&claimed.turns, turns)) {
            workers.claim(*worker, turns);
        }
        then(workers);
        Some(())
    });
}

/// Has this thread note its turns in `turns`, until the guard is dropped.
pub(crate) fn set(turns: &Arc<Turns>) -> impl Drop + use<> {
    struct Leave(Option<Arc<Turns>>);
    impl Drop for Leave {
        fn drop(&mut self) {
            let before = self.0.take();
            HERE.with(|here| here.borrow_mut().set = before);
        }
    }
    let turns = Some(Arc::clone(turns));
    Leave(HERE.with(|here| mem::replace(&mut here.borrow_mut().set, turns)))
}

impl Here {
    fn turns(&mut self) -> Option<&Arc<Turns>> {
        if self.set.is_some() {
            return self.set.as_ref();
        }
        if COUNT.load(Ordering::Acquire) == 0 {
            self.asked = None;
            return None;
        }
        let Some(worker) = runtime::worker_index() else {
            if let Some(asked) = &mut self.asked {
                asked.left_in = Some(task::try_id());
            }
            return None;
        };
        // A worker that blocks in place is none meanwhile, and has lent its index to
        // another thread. So it does not claim the index again before its next task.
        self.asked.take_if(|asked| {
            let is_another = |task: Option<_>| task.is_none() || task != task::try_id();
            asked.worker != worker || asked.left_in.is_some_and(is_another)
        });
        let epoch = EPOCH.load(Ordering::Acquire);
        if self.asked.as_ref().is_none_or(|asked| asked.epoch != epoch) {
            let before = self.asked.take().and_then(|asked| asked.claim);
            let claim = ask(worker, before);
            self.asked = Some(Asked { epoch, worker, claim, left_in: None });
        }
        self.asked.as_ref()?.claim.as_ref().map(|(turns, _)| turns)
    }
}

/// Claims the worker for this thread, if its runtime is watched. A claim that
/// stands is kept: a turn may be going on.
fn ask(worker: usize, before: Option<Claim>) -> Option<Claim> {
    let runtime = Handle::try_current().ok()?.id();
    let workers = watched().iter().find(|(id, _)| *id == runtime).map(|(_, it)| Arc::clone(it))?;
    if let Some((turns, _)) = before.filter(|(_, before)| Arc::ptr_eq(before, &workers)) {
        return Some((turns, workers));
    }
    let turns = Turns::new();
    workers.claim(worker, &turns);
    Some((turns, workers))
}
