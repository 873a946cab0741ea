//! What can be seen of how a merge is done.

use std::collections::HashSet;
use std::time::Duration;

use tokio::runtime::Handle;
use tributary::MergeFn;

use crate::seen::{HOUR, Looks, Merge, Verdict};

/// How many sources are enough where each may have a thread of its own.
const FEW: usize = 6;
/// How many sources show whether a few threads serve them all.
const MANY: usize = 64;
/// How many threads are a few.
const A_FEW: usize = 16;
/// An interval for checks in which something new is found by looking.
const SOON: Duration = Duration::from_millis(20);
/// An interval for many looks in a short time, ...
const AT_ONCE: Duration = Duration::from_millis(2);
/// ... and how many.
const LOOKS: u64 = 50;

/// Something that a step brings about and that no law asks.
#[derive(Debug, Clone, Copy)]
pub struct Check {
    /// The name, which is also the rule.
    pub name: &'static str,
    /// Says what is not so, waiting for nothing for longer than a bound.
    ///
    /// # Errors
    ///
    /// What was seen instead.
    pub function: fn(MergeFn, Duration) -> Result<(), String>,
}

macro_rules! checks {
    ($($name:ident)+) => { &[$(Check { name: stringify!($name), function: $name }),+] };
}

/// All checks, of whichever step.
pub static CHECKS: &[Check] = checks! {
    each_tail_is_a_job_of_one_loop
    each_source_keeps_a_thread_of_its_own
    each_tail_has_a_runtime_of_its_own
    a_tail_that_waits_leaves_its_loop_free
    the_thread_that_has_read_writes
    a_few_threads_read_for_all
    no_look_is_taken_on_the_loop
    the_loop_itself_writes
    a_thread_that_does_nothing_else_writes
    many_chunks_on_their_way_hold_up_no_task
};

impl Check {
    /// Finds a check by its name.
    pub fn named(name: &str) -> Option<&'static Check> {
        CHECKS.iter().find(|check| check.name == name)
    }
}

fn require(holds: bool, seen: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(seen()) }
}

/// Follows so many sources until each was read, and was looked at once more.
fn read(merge: MergeFn, sources: usize, bound: Duration) -> Result<Merge, String> {
    let merge = Merge::start(merge, sources, SOON, bound);
    merge.until_found_empty(2)?;
    Ok(merge)
}

/// Follows a few sources until two chunks of each are written.
fn written(merge: MergeFn, bound: Duration) -> Result<Merge, String> {
    let merge = Merge::start(merge, FEW, SOON, bound);
    merge.until_found_empty(1)?;
    merge.add_lines();
    merge.until(
        || "two chunks of each source are appended".into(),
        || merge.appends().len() >= 2 * FEW,
    )?;
    Ok(merge)
}

fn different<T: Eq + std::hash::Hash>(all: impl IntoIterator<Item = T>) -> usize {
    all.into_iter().collect::<HashSet<_>>().len()
}

fn threads(looks: &[Looks]) -> usize {
    different(looks.iter().filter_map(|it| it.thread))
}

fn runtimes(looks: &[Looks]) -> Vec<Handle> {
    looks.iter().filter_map(|it| it.runtime.clone()).collect()
}

fn each_tail_is_a_job_of_one_loop(merge: MergeFn, bound: Duration) -> Verdict {
    let merge = read(merge, FEW, bound)?;
    let looks = merge.looks();
    let of = runtimes(&looks);
    require(of.len() == FEW, || {
        format!("{} of {FEW} sources are read by a thread that no runtime knows", FEW - of.len())
    })?;
    let loops = different(of.iter().map(Handle::id));
    require(loops == 1, || format!("{FEW} sources are read on {loops} runtimes"))?;
    let jobs = threads(&looks);
    require(jobs == FEW, || {
        format!("{FEW} sources are read by {jobs} threads, a job each has one")
    })?;
    merge.stopped()
}

fn each_source_keeps_a_thread_of_its_own(merge: MergeFn, bound: Duration) -> Verdict {
    let merge = read(merge, FEW, bound)?;
    let threads = threads(&merge.looks());
    require(threads == FEW, || format!("{FEW} sources are read by {threads} threads"))?;
    merge.stopped()
}

fn each_tail_has_a_runtime_of_its_own(merge: MergeFn, bound: Duration) -> Verdict {
    let merge = read(merge, FEW, bound)?;
    let of = runtimes(&merge.looks());
    require(of.len() == FEW, || {
        format!("{} of {FEW} sources are read where no runtime was entered", FEW - of.len())
    })?;
    let loops = different(of.iter().map(Handle::id));
    require(loops == FEW, || format!("{FEW} sources are read on {loops} runtimes"))?;
    merge.stopped()
}

/// A loop that has nothing to do is parked; one whose thread waits inside of a turn is
/// not.
fn a_tail_that_waits_leaves_its_loop_free(merge: MergeFn, bound: Duration) -> Verdict {
    let merge = Merge::start(merge, FEW, HOUR, bound);
    merge.until_found_empty(1)?;
    let of = runtimes(&merge.looks());
    require(of.len() == FEW, || "the sources are read where no runtime was entered".into())?;
    let is_parked = |of: &Handle| {
        let (metrics, workers) = (of.metrics(), of.metrics().num_workers());
        (0..workers).all(|worker| metrics.worker_park_unpark_count(worker) % 2 == 1)
    };
    merge.until(
        || "nothing is new, so each loop has nothing to do and rests".into(),
        || of.iter().all(is_parked),
    )?;
    merge.stopped()
}

fn the_thread_that_has_read_writes(merge: MergeFn, bound: Duration) -> Verdict {
    let merge = written(merge, bound)?;
    let looks = merge.looks();
    let other = merge.appends().iter().filter(|(at, by)| looks[*at].thread != Some(*by)).count();
    require(other == 0, || format!("{other} chunks were written by another thread"))?;
    merge.stopped()
}

fn a_few_threads_read_for_all(merge: MergeFn, bound: Duration) -> Verdict {
    let merge = read(merge, MANY, bound)?;
    let threads = threads(&merge.looks());
    require(threads <= A_FEW, || format!("{MANY} sources are read by {threads} threads"))?;
    merge.stopped()
}

fn no_look_is_taken_on_the_loop(merge: MergeFn, bound: Duration) -> Verdict {
    let merge = read(merge, FEW, bound)?;
    let looks = merge.looks();
    let there = looks.iter().filter(|it| it.thread == Some(merge.caller)).count();
    require(there == 0, || format!("{there} of {FEW} sources are read on the thread of the loop"))?;
    merge.stopped()
}

fn the_loop_itself_writes(merge: MergeFn, bound: Duration) -> Verdict {
    let merge = written(merge, bound)?;
    let appends = merge.appends();
    let other = appends.iter().filter(|(_, by)| *by != merge.caller).count();
    require(other == 0, || {
        format!(
            "{other} of {} chunks were written by another thread than the loop's",
            appends.len()
        )
    })?;
    merge.stopped()
}

fn a_thread_that_does_nothing_else_writes(merge: MergeFn, bound: Duration) -> Verdict {
    let merge = written(merge, bound)?;
    let (looks, appends) = (merge.looks(), merge.appends());
    let writers: HashSet<_> = appends.iter().map(|(_, by)| *by).collect();
    require(writers.len() == 1, || format!("{} threads have written", writers.len()))?;
    require(!writers.contains(&merge.caller), || "the loop itself has written".into())?;
    let reads = looks.iter().any(|it| it.thread.is_some_and(|by| writers.contains(&by)));
    require(!reads, || "the thread that writes has read, too".into())?;
    merge.stopped()
}

/// The output takes nothing, and many sources have a chunk for it. A law asks it with
/// one such source, which a channel with a bound still takes.
fn many_chunks_on_their_way_hold_up_no_task(merge: MergeFn, bound: Duration) -> Verdict {
    let merge = Merge::start_blocked(merge, MANY, AT_ONCE, bound);
    merge.until(|| "the first chunk is appended".into(), || !merge.appends().is_empty())?;
    // While it is looked at so often, the other chunks come on their way.
    let before = merge.looks()[0].nothing;
    merge.until_soon(
        || format!("{LOOKS} looks at an idle source, beside {} that have lines", MANY - 1),
        || merge.looks()[0].nothing >= before + LOOKS,
    )
}
