//! A merge that is looked at while it runs: which threads read and write, and on which
//! runtime they are.

use std::collections::HashMap;
use std::fmt::{Debug, Write};
use std::fs::{self, OpenOptions};
use std::io::{self, PipeReader, Write as _};
use std::os::fd::AsRawFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::runtime::Handle;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Metadata, Subscriber};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::{Layer, Registry};
use tributary::{Error, MergeFn, Moment, Options, Plan, Probe, Report, Stop, Wake};

/// An interval that no check lives to see the end of.
pub(crate) const HOUR: Duration = Duration::from_secs(3600);

/// The appends of this process: the name of the source, and the thread.
static APPENDS: Mutex<Vec<(String, ThreadId)>> = Mutex::new(Vec::new());

/// What can be wrong with a step, in words.
pub(crate) type Verdict = Result<(), String>;

/// The looks at one source.
#[derive(Clone, Default)]
pub(crate) struct Looks {
    /// How many have found nothing.
    pub(crate) nothing: u64,
    /// Who has looked, ...
    pub(crate) thread: Option<ThreadId>,
    /// ... and the runtime that this thread has entered.
    pub(crate) runtime: Option<Handle>,
}

/// A merge that runs. Dropped, it is asked to stop, and not waited for.
pub(crate) struct Merge {
    folder: TempDir,
    logs: Vec<PathBuf>,
    looks: Arc<Mutex<HashMap<PathBuf, Looks>>>,
    stop: Stop,
    /// The thread that called `merge`: with a shared loop, the loop's.
    pub(crate) caller: ThreadId,
    ended: Receiver<Result<Result<Report, Error>, ()>>,
    deadline: Instant,
    bound: Duration,
    /// What nobody reads, if the output is a pipe.
    _pipe: Option<PipeReader>,
}

impl Merge {
    /// Starts a merge that follows so many logs of a line each.
    pub(crate) fn start(
        merge: MergeFn,
        sources: usize,
        interval: Duration,
        bound: Duration,
    ) -> Merge {
        let (folder, logs) = folder_of(sources);
        logs.iter().for_each(|log| add_lines(log, 1));
        let merged = folder.path().join("merged");
        Merge::of(merge, folder, logs, &merged, interval, bound)
    }

    /// Starts a merge into a pipe that nobody reads, of so many logs each of which
    /// fills it; but for the first one, which is empty.
    pub(crate) fn start_blocked(
        merge: MergeFn,
        sources: usize,
        interval: Duration,
        bound: Duration,
    ) -> Merge {
        let (folder, logs) = folder_of(sources);
        add_lines(&logs[0], 0);
        logs[1..].iter().for_each(|log| add_lines(log, 32 * 1024));
        let (reader, writer) = io::pipe().expect("a check needs a pipe");
        let output = format!("/dev/fd/{}", writer.as_raw_fd());
        let mut merge = Merge::of(merge, folder, logs, Path::new(&output), interval, bound);
        merge._pipe = Some(reader);
        merge
    }

    fn of(
        merge: MergeFn,
        folder: TempDir,
        logs: Vec<PathBuf>,
        output: &Path,
        interval: Duration,
        bound: Duration,
    ) -> Merge {
        notice_appends();
        let looks: Arc<Mutex<HashMap<PathBuf, Looks>>> = Arc::default();
        let probe = Probe::new({
            let looks = Arc::clone(&looks);
            move |moment, path: &Path| {
                let mut looks = locked(&looks);
                let looks = looks.entry(path.to_owned()).or_default();
                looks.nothing += u64::from(moment == Moment::FoundNothing);
                looks.thread = Some(thread::current().id());
                looks.runtime = Handle::try_current().ok();
                io::Result::Ok(())
            }
        });
        let options = Options {
            follow: true,
            wake: Wake::Poll,
            interval,
            probe: Some(probe),
            ..Options::default()
        };
        let plan = Plan::open(&logs, output, options);
        let plan = plan.unwrap_or_else(|error| panic!("the plan: {error}"));
        let stop = plan.stop.clone();
        let (end, ended) = channel();
        let thread = thread::Builder::new().name("merge".into()).spawn(move || {
            let merged = catch_unwind(AssertUnwindSafe(|| merge(plan))).map_err(drop);
            // Nobody listens once the check has failed.
            let _ = end.send(merged);
        });
        let caller = thread.expect("a merge needs a thread").thread().id();
        let deadline = Instant::now() + bound;
        Merge { folder, logs, looks, stop, caller, ended, deadline, bound, _pipe: None }
    }

    /// Waits until each source has been found empty so often.
    pub(crate) fn until_found_empty(&self, times: u64) -> Verdict {
        let missing = || {
            let looks = locked(&self.looks);
            let is_missing = |log: &&PathBuf| looks.get(*log).is_none_or(|it| it.nothing < times);
            self.logs.iter().filter(is_missing).count()
        };
        let all = self.logs.len();
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
        self.logs.iter().for_each(|log| add_lines(log, 1));
    }

    /// Returns the looks at each source.
    pub(crate) fn looks(&self) -> Vec<Looks> {
        let looks = locked(&self.looks);
        self.logs.iter().map(|log| looks.get(log).cloned().unwrap_or_default()).collect()
    }

    /// Returns the threads that have appended lines of this merge, each with the place
    /// of its source.
    pub(crate) fn appends(&self) -> Vec<(usize, ThreadId)> {
        let place = |source: &str| self.logs.iter().position(|log| log.as_os_str() == source);
        let appends = locked(&APPENDS);
        appends.iter().filter_map(|(source, by)| Some((place(source)?, *by))).collect()
    }

    /// Asks the merge to stop, and waits for a good end.
    pub(crate) fn stopped(&self) -> Verdict {
        self.stop.request();
        let left = self.deadline.saturating_duration_since(Instant::now());
        match self.ended.recv_timeout(left) {
            Ok(Ok(Ok(_))) => Ok(()),
            Ok(Ok(Err(error))) => Err(format!("the merge failed: {error}")),
            Ok(Err(())) => Err("the merge panicked".into()),
            Err(_) => Err(format!("waited {:?} in vain for the end after a stop", self.bound)),
        }
    }
}

impl Drop for Merge {
    fn drop(&mut self) {
        self.stop.request();
        // A merge that hangs may still write: what cannot be removed stays.
        let _ = fs::remove_dir_all(self.folder.path());
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes a folder, and names logs in it.
fn folder_of(sources: usize) -> (TempDir, Vec<PathBuf>) {
    let folder = tempfile::tempdir().expect("a check needs a folder");
    let logs = (0..sources).map(|at| folder.path().join(format!("{at}.log"))).collect();
    (folder, logs)
}

fn add_lines(log: &Path, lines: usize) {
    let file = OpenOptions::new().create(true).append(true).open(log);
    let lines = "a line\n".repeat(lines);
    file.and_then(|mut file| file.write_all(lines.as_bytes())).expect("a log can be written");
}

/// From now on each append of this process is noted.
fn notice_appends() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let is_append = |of: &Metadata<'_>| of.target() == "tributary" && of.name() == "append";
        let layer = Appends.with_filter(filter_fn(is_append));
        let subscriber = Registry::default().with(layer);
        tracing::subscriber::set_global_default(subscriber).expect("nothing listens here");
    });
}

struct Appends;

impl<S: Subscriber> Layer<S> for Appends {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        let mut source = Source(String::new());
        attributes.record(&mut source);
        locked(&APPENDS).push((source.0, thread::current().id()));
    }
}

/// Takes the name of the source from the fields of a span.
struct Source(String);

impl Visit for Source {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "source" {
            write!(self.0, "{value:?}").expect("a string takes everything");
        }
    }
}
