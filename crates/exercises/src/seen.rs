//! A merge that is looked at while it runs: which threads read and write, and on which
//! runtime they are.

use std::collections::{HashMap, HashSet};
use std::fs::{self, OpenOptions};
use std::io::{self, PipeReader, PipeWriter, Write};
use std::os::fd::AsRawFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::runtime::Handle;
use tributary::{Error, MergeFn, Moment, Options, Plan, Probe, Report, Stop, Wake};

use crate::noticed;

/// An interval that no check lives to see the end of.
pub(crate) const HOUR: Duration = Duration::from_secs(3600);

/// What can be wrong with a step, in words.
pub(crate) type Verdict = Result<(), String>;

/// The looks at one source.
#[derive(Clone, Default)]
pub(crate) struct Looks {
    /// How many have begun.
    pub(crate) begun: u64,
    /// How many have found nothing.
    pub(crate) nothing: u64,
    /// All who have looked, ...
    pub(crate) threads: HashSet<ThreadId>,
    /// ... the last of them, ...
    pub(crate) thread: Option<ThreadId>,
    /// ... and the runtime that this thread has entered.
    pub(crate) runtime: Option<Handle>,
}

/// Logs of a line each, and where they are merged.
pub(crate) struct Logs {
    folder: TempDir,
    logs: Vec<PathBuf>,
    output: PathBuf,
    /// Both ends, if the output is a pipe: nobody reads.
    _pipe: Option<(PipeReader, PipeWriter)>,
    held: Held,
}

/// What is held up until the check lets it go.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Held {
    Nothing,
    /// The look at the second source, during which the look at the first one fails.
    Look,
    Finish,
}

impl Logs {
    pub(crate) fn of(sources: usize) -> Logs {
        let folder = tempfile::tempdir().expect("a check needs a folder");
        let logs = (0..sources).map(|at| folder.path().join(format!("{at}.log")));
        let logs: Vec<_> = logs.collect();
        logs.iter().for_each(|log| add_lines(log, 1));
        let output = folder.path().join("merged");
        Logs { folder, logs, output, _pipe: None, held: Held::Nothing }
    }

    pub(crate) fn into(self, output: &str) -> Logs {
        Logs { output: output.into(), ..self }
    }

    /// The output is a pipe that nobody reads, and each log fills it; but for the first
    /// one, which is empty.
    pub(crate) fn into_what_nobody_reads(self) -> Logs {
        fs::write(&self.logs[0], "").expect("a log can be written");
        self.logs[1..].iter().for_each(|log| add_lines(log, 32 * 1024));
        let (reader, writer) = io::pipe().expect("a check needs a pipe");
        let output = format!("/dev/fd/{}", writer.as_raw_fd()).into();
        Logs { output, _pipe: Some((reader, writer)), ..self }
    }

    /// The look at the first of two sources fails, once that at the second one is held
    /// and the loop rests.
    pub(crate) fn one_fails_while_the_other_is_read(self) -> Logs {
        Logs { held: Held::Look, ..self }
    }

    /// The output is not finished before that is allowed.
    pub(crate) fn finished_slowly(self) -> Logs {
        Logs { held: Held::Finish, ..self }
    }

    /// Starts a merge that follows them.
    pub(crate) fn start(self, merge: MergeFn, interval: Duration, bound: Duration) -> Merge {
        noticed::begin();
        let seen = Arc::new(Seen { gate: Gate::new(bound), ..Seen::default() });
        if self.held == Held::Finish {
            noticed::hold_finish(&self.output, &seen);
        }
        let options = Options {
            follow: true,
            wake: Wake::Poll,
            interval,
            probe: Some(self.probe(&seen)),
            ..Options::default()
        };
        let plan = Plan::open(&self.logs, &self.output, options);
        let plan = plan.unwrap_or_else(|error| panic!("the plan: {error}"));
        let stop = plan.stop.clone();
        let (end, ended) = channel();
        let thread = thread::Builder::new().name("merge".into()).spawn(move || {
            let merged = catch_unwind(AssertUnwindSafe(|| merge(plan))).map_err(drop);
            // Nobody listens once the check has failed.
            let _ = end.send(merged);
        });
        let caller = thread.expect("a merge needs a thread").thread().id();
        Merge { of: self, seen, stop, caller, ended, deadline: Instant::now() + bound, bound }
    }

    fn probe(&self, seen: &Arc<Seen>) -> Probe {
        let (seen, held) = (Arc::clone(seen), self.held == Held::Look);
        let (first, second) = (self.logs.first().cloned(), self.logs.get(1).cloned());
        Probe::new(move |moment, path: &Path| {
            seen.note(moment, path);
            let begins = |log: &Option<PathBuf>| {
                held && moment == Moment::BeforeLook && log.as_deref() == Some(path)
            };
            if begins(&second) {
                seen.gate.pass();
            }
            if begins(&first) { Err(seen.fails()) } else { Ok(()) }
        })
    }
}

/// What a merge has shown so far.
#[derive(Default)]
pub(crate) struct Seen {
    looks: Mutex<HashMap<PathBuf, Looks>>,
    /// Where what is held up waits.
    pub(crate) gate: Gate,
    /// Whether a look has failed: on which runtime, and how often that was parked and
    /// woken.
    failed: OnceLock<Option<(Handle, u64)>>,
}

impl Seen {
    /// Notes a look, and who takes it.
    fn note(&self, moment: Moment, path: &Path) {
        let mut looks = locked(&self.looks);
        let looks = looks.entry(path.to_owned()).or_default();
        looks.begun += u64::from(moment == Moment::BeforeLook);
        looks.nothing += u64::from(moment == Moment::FoundNothing);
        looks.threads.insert(thread::current().id());
        looks.thread = Some(thread::current().id());
        looks.runtime = Handle::try_current().ok();
    }

    /// Fails a look, once another one is held up and the loop rests.
    fn fails(&self) -> io::Error {
        self.failed.get_or_init(|| {
            let of = Handle::try_current().ok()?;
            self.gate.until(|is_reached| is_reached && is_parked(&of));
            let parks = parks(&of).first().copied()?;
            Some((of, parks))
        });
        io::Error::other("the disk is gone")
    }
}

/// Somebody waits here until it is opened.
#[derive(Default)]
pub(crate) struct Gate {
    is_reached: AtomicBool,
    is_open: AtomicBool,
    bound: Duration,
}

impl Gate {
    fn new(bound: Duration) -> Gate {
        Gate { bound, ..Gate::default() }
    }

    /// Waits until it is opened, for no longer than the bound.
    pub(crate) fn pass(&self) {
        self.is_reached.store(true, Ordering::SeqCst);
        self.until(|_| self.is_open.load(Ordering::SeqCst));
    }

    fn until(&self, is_so: impl Fn(bool) -> bool) {
        let deadline = Instant::now() + self.bound;
        while !is_so(self.is_reached.load(Ordering::SeqCst)) && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Returns how often each worker of a runtime was parked and woken.
pub(crate) fn parks(of: &Handle) -> Vec<u64> {
    let metrics = of.metrics();
    (0..metrics.num_workers()).map(|worker| metrics.worker_park_unpark_count(worker)).collect()
}

/// Says whether a loop has nothing to do: it was parked once more than it was woken.
pub(crate) fn is_parked(of: &Handle) -> bool {
    parks(of).iter().all(|parks| parks % 2 == 1)
}

/// A merge that runs. Dropped, it is asked to stop, and not waited for.
pub(crate) struct Merge {
    of: Logs,
    seen: Arc<Seen>,
    stop: Stop,
    /// The thread that called `merge`: with a shared loop, the loop's.
    pub(crate) caller: ThreadId,
    ended: Receiver<Ended>,
    deadline: Instant,
    bound: Duration,
}

/// What came of a merge: a report, an error or a panic.
type Ended = Result<Result<Report, Error>, ()>;

impl Merge {
    /// Waits until each source has been found empty so often.
    pub(crate) fn until_found_empty(&self, times: u64) -> Verdict {
        let missing = || {
            let looks = locked(&self.seen.looks);
            let is_missing = |log: &&PathBuf| looks.get(*log).is_none_or(|it| it.nothing < times);
            self.of.logs.iter().filter(is_missing).count()
        };
        let all = self.of.logs.len();
        let read = || format!("each of {all} sources was read to its end, {} were not", missing());
        self.until(read, || missing() == 0)
    }

    /// Waits until something is so, or until the merge has ended.
    pub(crate) fn until(&self, what: impl Fn() -> String, is_so: impl FnMut() -> bool) -> Verdict {
        self.until_within(self.bound, self.deadline, what, is_so)
    }

    /// As [`until`](Merge::until), for a tenth of the bound: for what comes at once, and
    /// is not come once the merge stands still.
    pub(crate) fn until_soon(
        &self,
        what: impl Fn() -> String,
        is_so: impl FnMut() -> bool,
    ) -> Verdict {
        let bound = self.bound / 10;
        self.until_within(bound, Instant::now() + bound, what, is_so)
    }

    fn until_within(
        &self,
        bound: Duration,
        deadline: Instant,
        what: impl Fn() -> String,
        mut is_so: impl FnMut() -> bool,
    ) -> Verdict {
        while !is_so() {
            match self.ended.try_recv() {
                Ok(Ok(Ok(_))) => {
                    return Err(format!("the merge has ended, and not come to this: {}", what()));
                }
                Ok(Ok(Err(error))) => return Err(format!("the merge failed: {error}")),
                Ok(Err(())) => return Err("the merge panicked".into()),
                Err(_) if deadline < Instant::now() => {
                    return Err(format!("waited {bound:?} in vain for this: {}", what()));
                }
                Err(_) => thread::sleep(Duration::from_millis(1)),
            }
        }
        Ok(())
    }

    /// Adds a line to each source.
    pub(crate) fn add_lines(&self) {
        self.of.logs.iter().for_each(|log| add_lines(log, 1));
    }

    /// Returns the looks at each source.
    pub(crate) fn looks(&self) -> Vec<Looks> {
        let looks = locked(&self.seen.looks);
        self.of.logs.iter().map(|log| looks.get(log).cloned().unwrap_or_default()).collect()
    }

    /// Returns the threads that have appended lines of this merge, each with the place
    /// of its source.
    pub(crate) fn appends(&self) -> Vec<(usize, ThreadId)> {
        let place = |source: &str| self.of.logs.iter().position(|log| log.as_os_str() == source);
        noticed::appends().iter().filter_map(|(source, by)| Some((place(source)?, *by))).collect()
    }

    /// Returns what has the whole output.
    pub(crate) fn merged(&self) -> Vec<u8> {
        fs::read(&self.of.output).unwrap_or_default()
    }

    /// Waits until a look has failed, and returns on which runtime that was, and how
    /// often this was parked and woken by then.
    pub(crate) fn failed(&self) -> Result<&(Handle, u64), String> {
        let failed = &self.seen.failed;
        self.until(|| "a source has failed".into(), || failed.get().is_some())?;
        let failed = failed.get().and_then(Option::as_ref);
        failed.ok_or_else(|| "the sources are read where no runtime was entered".into())
    }

    /// Says whether somebody waits where something is held up.
    pub(crate) fn is_held_up(&self) -> bool {
        self.seen.gate.is_reached.load(Ordering::SeqCst)
    }

    /// Lets go what is held up.
    pub(crate) fn lets_go(&self) {
        self.seen.gate.is_open.store(true, Ordering::SeqCst);
    }

    /// Asks the merge to stop.
    pub(crate) fn asks_to_stop(&self) {
        self.stop.request();
    }

    /// Asks the merge to stop, and waits for a good end.
    pub(crate) fn stopped(&self) -> Verdict {
        self.asks_to_stop();
        self.end()?.map(drop).map_err(|error| format!("the merge failed: {error}"))
    }

    /// Waits for the end.
    pub(crate) fn end(&self) -> Result<Result<Report, Error>, String> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        match self.ended.recv_timeout(left) {
            Ok(Ok(ended)) => Ok(ended),
            Ok(Err(())) => Err("the merge panicked".into()),
            Err(_) => Err(format!("waited {:?} in vain for this: the merge ends", self.bound)),
        }
    }
}

impl Drop for Merge {
    fn drop(&mut self) {
        self.asks_to_stop();
        self.lets_go();
        // A merge that hangs may still write: what cannot be removed stays.
        let _ = fs::remove_dir_all(self.of.folder.path());
    }
}

pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn add_lines(log: &Path, lines: usize) {
    let file = OpenOptions::new().create(true).append(true).open(log);
    let lines = "a line\n".repeat(lines);
    file.and_then(|mut file| file.write_all(lines.as_bytes())).expect("a log can be written");
}
