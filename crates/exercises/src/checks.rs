//! What can be seen of how a merge is done, and how clients are served.

use std::collections::HashSet;
use std::time::Duration;

use service::Serve;
use service_laws::{Bench, Law};
use tokio::runtime::Handle;
use tributary::MergeFn;

use crate::noticed::waited;
use crate::seen::{HOUR, Logs, Looks, Merge, Verdict, is_parked, parks};

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

/// What a learner has written.
#[derive(Debug, Clone, Copy)]
pub enum Mine {
    /// A stage.
    Merge(MergeFn),
    /// A version of the service.
    Serve(Serve),
}

/// Something that a step brings about and that no law asks of a stage; or a law of the
/// service.
#[derive(Debug, Clone, Copy)]
pub struct Check {
    /// The name, which is also the rule.
    pub name: &'static str,
    function: Function,
}

#[derive(Debug, Clone, Copy)]
enum Function {
    Merge(fn(MergeFn, Duration) -> Verdict),
    Serve(fn(&Bench) -> service_laws::Verdict),
}

macro_rules! checks {
    ($($kind:ident { $($name:ident)+ })+) => {
        &[$($(Check { name: stringify!($name), function: Function::$kind($name) }),+),+]
    };
}

/// All checks, of whichever step; but for the laws of the service.
pub static CHECKS: &[Check] = checks! {
    Merge {
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
        a_tail_hears_that_its_lines_are_not_written
        a_tail_that_fails_is_not_the_end_of_the_others
        the_loop_rests_while_the_output_is_finished
    }
    Serve { each_client_is_a_task_for_many_workers }
};

impl Check {
    /// Finds a check, or a law of the service, by its name.
    pub fn named(name: &str) -> Option<Check> {
        let check = CHECKS.iter().find(|check| check.name == name).copied();
        let of_service =
            |law: &Law| Check { name: law.name, function: Function::Serve(law.function) };
        check.or_else(|| Law::named(name).map(of_service))
    }

    /// Says what is not so, waiting for nothing for longer than a bound.
    ///
    /// # Errors
    ///
    /// What was seen instead; or that it is asked of other programs.
    pub fn hold(&self, mine: Mine, within: Duration) -> Result<(), String> {
        match (self.function, mine) {
            (Function::Merge(function), Mine::Merge(merge)) => function(merge, within),
            (Function::Serve(function), Mine::Serve(serve)) => {
                let law = Law { name: self.name, function };
                law.broken_by(&Bench::new(serve).within(within)).map_or(Ok(()), Err)
            }
            _ => Err(format!("{} is asked of other programs", self.name)),
        }
    }
}

fn require(holds: bool, seen: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(seen()) }
}

/// Follows so many sources until each was read, and was looked at once more.
fn read(merge: MergeFn, sources: usize, bound: Duration) -> Result<Merge, String> {
    let merge = Logs::of(sources).start(merge, SOON, bound);
    merge.until_found_empty(2)?;
    Ok(merge)
}

/// Follows a few sources until two chunks of each are written.
fn written(merge: MergeFn, bound: Duration) -> Result<Merge, String> {
    let merge = Logs::of(FEW).start(merge, SOON, bound);
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
    keep_their_threads(&looks)?;
    merge.stopped()
}

fn each_source_keeps_a_thread_of_its_own(merge: MergeFn, bound: Duration) -> Verdict {
    let merge = read(merge, FEW, bound)?;
    let looks = merge.looks();
    let threads = threads(&looks);
    require(threads == FEW, || format!("{FEW} sources are read by {threads} threads"))?;
    keep_their_threads(&looks)?;
    merge.stopped()
}

/// A source whose looks are taken by one thread after the other has none of its own.
fn keep_their_threads(looks: &[Looks]) -> Verdict {
    let most = looks.iter().map(|it| it.threads.len()).max().unwrap_or_default();
    require(most <= 1, || format!("one source was read by {most} threads, one after the other"))
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
    let merge = Logs::of(FEW).start(merge, HOUR, bound);
    merge.until_found_empty(1)?;
    let of = runtimes(&merge.looks());
    require(of.len() == FEW, || "the sources are read where no runtime was entered".into())?;
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
    let merge = Logs::of(MANY).into_what_nobody_reads().start(merge, AT_ONCE, bound);
    merge.until(|| "the first chunk is appended".into(), || !merge.appends().is_empty())?;
    // While it is looked at so often, the other chunks come on their way.
    let before = merge.looks()[0].nothing;
    merge.until_soon(
        || format!("{LOOKS} looks at an idle source, beside {} that have lines", MANY - 1),
        || merge.looks()[0].nothing >= before + LOOKS,
    )
}

/// The output is full. A tail that hears of it takes no further look; one that does not
/// looks once more, since the stop was requested.
fn a_tail_hears_that_its_lines_are_not_written(merge: MergeFn, bound: Duration) -> Verdict {
    let merge = Logs::of(1).into("/dev/full").start(merge, HOUR, bound);
    // Whether that is told at the end is what a law asks.
    let _ = merge.end()?;
    let looks = merge.looks()[0].begun;
    require(looks == 1, || {
        "its lines could not be written, and the tail has gone on with another look".to_owned()
    })
}

/// Two sources are looked at, and one look fails while the other one lasts.
fn a_tail_that_fails_is_not_the_end_of_the_others(merge: MergeFn, bound: Duration) -> Verdict {
    let merge = Logs::of(2).one_fails_while_the_other_is_read().start(merge, HOUR, bound);
    let (of, parks_before) = merge.failed()?;
    let waits = || parks(of)[0] >= parks_before + 2 && is_parked(of);
    let what = "one tail has failed, and the loop waits for the other, whose look lasts";
    merge.until_soon(|| what.into(), waits)?;
    merge.lets_go();
    require(merge.end()?.is_err(), || "a source has failed, and the merge has not".to_owned())?;
    let merged = merge.merged();
    require(merged == b"a line\n", || {
        format!("the source that did not fail has one line, and {} bytes are merged", merged.len())
    })
}

/// While the thread that writes comes to its end, the loop has nothing to do.
fn the_loop_rests_while_the_output_is_finished(merge: MergeFn, bound: Duration) -> Verdict {
    let merge = Logs::of(FEW).finished_slowly().start(merge, HOUR, bound);
    merge.until_found_empty(1)?;
    let of = runtimes(&merge.looks());
    let of = of.first().ok_or("the sources are read where no runtime was entered")?;
    merge.asks_to_stop();
    merge.until(|| "the output is finished".into(), || merge.is_held_up())?;
    merge.until_soon(|| "the loop rests while the output is finished".into(), || is_parked(of))?;
    merge.lets_go();
    merge.stopped()
}

/// Whoever waits for the stop is a task, and says on which runtime it is. A client may
/// hear its answer before its task waits, so it is asked at the end.
fn each_client_is_a_task_for_many_workers(bench: &Bench) -> service_laws::Verdict {
    const CLIENTS: usize = 3;
    let before = waited().len();
    let service = bench.start()?;
    let mut clients = service.clients(CLIENTS)?;
    for client in &mut clients {
        client.is_told(1)?;
    }
    service.stop()?;
    let tasks = different(waited().split_off(before));
    anyhow::ensure!(
        tasks >= CLIENTS,
        "{CLIENTS} clients are served, and {tasks} of them by a task for many workers"
    );
    Ok(())
}
