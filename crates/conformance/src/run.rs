//! A merge that runs while its law looks on.

use std::any::Any;
use std::collections::HashMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tributary::{Error, MergeFn, Moment, Options, Plan, Probe, Report, Stop, Wake};

use crate::bound;
use crate::broken::{Broken, Verdict};
use crate::fifo::size;
use crate::notifications;
use crate::scene::{Log, Scene};
use crate::try_law::message_of;

/// An interval that is longer than any law.
pub(crate) const HOUR: Duration = Duration::from_secs(3600);
/// An interval for laws in which a look has to find something new.
pub(crate) const SOON: Duration = Duration::from_millis(1);
/// After this time a law looks again at the output, which notifies nobody.
const TICK: Duration = Duration::from_millis(2);

/// How a merge ended: by itself, or with the panic that came out of it.
pub(crate) type Ended = Result<Result<Report, Error>, Box<dyn Any + Send>>;

/// A merge before its start: of what, into what, and what happens meanwhile.
pub(crate) struct Start<'a> {
    sources: &'a [Log],
    output: PathBuf,
    options: Options,
    shared: Arc<Shared>,
}

impl Scene {
    /// Prepares a merge of these logs that ends by itself.
    pub(crate) fn merging<'a>(&self, sources: &'a [Log]) -> Start<'a> {
        Start {
            sources,
            output: self.output.clone(),
            options: Options { wake: Wake::Poll, interval: HOUR, ..Options::default() },
            shared: Arc::default(),
        }
        .during(|_| Ok(()))
    }

    /// Prepares a merge that follows these logs, and looks again after an
    /// interval at the latest.
    pub(crate) fn following<'a>(&self, sources: &'a [Log], interval: Duration) -> Start<'a> {
        let mut start = self.merging(sources);
        start.options.follow = true;
        start.options.interval = interval;
        start
    }
}

impl Start<'_> {
    /// Sets another output than that of the scene.
    pub(crate) fn into(self, output: impl Into<PathBuf>) -> Self {
        Start { output: output.into(), ..self }
    }

    /// Sets how long a file that has lost its name is read on.
    pub(crate) fn letting_go_after(mut self, quiet: Duration) -> Self {
        self.options.quiet = quiet;
        self
    }

    /// Sets how the sources are woken. Where the operating system wakes them, no
    /// interval does.
    pub(crate) fn woken(mut self, wake: Wake) -> Self {
        self.options.wake = wake;
        if wake == Wake::Notify {
            self.options.interval = HOUR;
        }
        self
    }

    /// Has `action` called at every moment of every source, between two of its steps.
    pub(crate) fn during(
        mut self,
        action: impl Fn(&Look<'_>) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        let shared = Arc::clone(&self.shared);
        self.options.probe = Some(Probe::new(move |moment, path| {
            let count = shared.count(moment, path);
            let stop = shared.stop.get().expect("no source looks before there is a plan");
            action(&Look { moment, path, count, stop })?;
            shared.done(moment, path);
            Ok(())
        }));
        self
    }

    /// Starts the merge, on a thread of its own.
    pub(crate) fn run(self, merge: MergeFn) -> Run {
        if self.options.wake == Wake::Notify {
            notifications::wait_for_them();
        }
        let plan = Plan::open(self.sources, &self.output, self.options);
        let plan = plan.unwrap_or_else(|error| panic!("the plan: {}", chain(&error)));
        let stop = self.shared.stop.get_or_init(|| plan.stop.clone()).clone();
        let shared = Arc::clone(&self.shared);
        let thread = thread::Builder::new().name("merge".into()).spawn(move || {
            let ended = catch_unwind(AssertUnwindSafe(|| merge(plan)));
            shared.watched().ended = Some(ended);
            shared.changed.notify_all();
        });
        thread.expect("a merge needs a thread");
        Run { stop, output: self.output, shared: self.shared }
    }
}

/// Tries a law on sources that look every moment, and on sources that wait until
/// they are notified.
pub(crate) fn both_ways(law: impl Fn(Wake) -> Verdict) -> Verdict {
    law(Wake::Poll).map_err(|broken| broken.and("polled"))?;
    law(Wake::Notify).map_err(|broken| broken.and("notified"))
}

/// A moment of a source.
pub(crate) struct Look<'a> {
    pub(crate) moment: Moment,
    pub(crate) path: &'a Path,
    /// How often this moment has come for this source, this time included.
    pub(crate) count: u64,
    pub(crate) stop: &'a Stop,
}

impl Look<'_> {
    /// Tells whether this is the moment of this log at which it has looked and
    /// found nothing.
    pub(crate) fn found_nothing(&self, log: &Log) -> bool {
        self.moment == Moment::FoundNothing && self.path == log.path
    }

    /// Tells whether this log is about to be looked at.
    pub(crate) fn begins(&self, log: &Log) -> bool {
        self.moment == Moment::BeforeLook && self.path == log.path
    }

    /// Tells whether the thread that looks at this log waits for its file now.
    pub(crate) fn may_block(&self, log: &Log) -> bool {
        self.moment == Moment::MayBlock && self.path == log.path
    }
}

/// A running merge. When this is dropped, the merge is asked to stop, and not waited
/// for.
pub(crate) struct Run {
    pub(crate) stop: Stop,
    output: PathBuf,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    stop: OnceLock<Stop>,
    watched: Mutex<Watched>,
    changed: Condvar,
}

/// What a law can see of a merge.
#[derive(Default)]
pub(crate) struct Watched {
    /// How often each source was about to look and has found nothing; counted
    /// before the law's action, so that the action knows its number, ...
    counts: HashMap<PathBuf, Counts>,
    /// ... and after it, so that whoever waits for a look finds its action done.
    done: HashMap<PathBuf, Counts>,
    looks: u64,
    ended: Option<Ended>,
}

#[derive(Default)]
struct Counts {
    looks: u64,
    nothing: u64,
    other: u64,
}

impl Counts {
    fn of(&mut self, moment: Moment) -> &mut u64 {
        match moment {
            Moment::BeforeLook => &mut self.looks,
            Moment::FoundNothing => &mut self.nothing,
            _ => &mut self.other,
        }
    }
}

impl Watched {
    /// Returns how many looks this log had.
    pub(crate) fn looks_at(&self, log: &Log) -> u64 {
        self.done.get(&log.path).map_or(0, |counts| counts.looks)
    }

    /// Returns how many looks at this log have found nothing.
    pub(crate) fn found_nothing(&self, log: &Log) -> u64 {
        self.done.get(&log.path).map_or(0, |counts| counts.nothing)
    }

    /// Returns how many looks there were, at all sources.
    pub(crate) fn looks(&self) -> u64 {
        self.looks
    }

    /// Tells whether the merge has ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended.is_some()
    }
}

impl Shared {
    fn watched(&self) -> MutexGuard<'_, Watched> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, moment: Moment, path: &Path) -> u64 {
        let mut watched = self.watched();
        if moment == Moment::BeforeLook {
            watched.looks += 1;
        }
        let count = watched.counts.entry(path.to_owned()).or_default().of(moment);
        *count += 1;
        *count
    }

    fn done(&self, moment: Moment, path: &Path) {
        *self.watched().done.entry(path.to_owned()).or_default().of(moment) += 1;
        self.changed.notify_all();
    }
}

impl Run {
    /// Waits until the law sees what it waits for.
    ///
    /// # Errors
    ///
    /// The bound has passed, or the merge has ended before.
    #[track_caller]
    pub(crate) fn until(&self, what: &str, mut is_so: impl FnMut(&Watched) -> bool) -> Verdict {
        let is_so = self.within(bound::left(), |watched| is_so(watched) || watched.has_ended());
        let watched = self.shared.watched();
        match (is_so, &watched.ended) {
            (true, None) => Ok(()),
            (true, Some(Ok(Ok(_)))) => {
                Err(Broken::new(format!("the merge has ended, and not come to this: {what}")))
            }
            (true, Some(Ok(Err(error)))) => panic!("the merge failed: {}", chain(error)),
            (true, Some(Err(panic))) => panic!("the merge panicked: {}", message_of(&**panic)),
            (false, _) => Err(bound::passed(what)),
        }
    }

    /// Waits until each of these sources has given all that it has.
    #[track_caller]
    pub(crate) fn until_empty(&self, logs: &[Log]) -> Verdict {
        self.until("all sources were read and found empty", |merge| {
            logs.iter().all(|log| merge.found_nothing(log) >= 1)
        })
    }

    /// Waits until as many bytes are in the output. A look that found nothing does not
    /// count: its lines before may not be written yet.
    #[track_caller]
    pub(crate) fn until_merged(&self, what: &str, bytes: u64) -> Verdict {
        self.until(&format!("{what} is in the output"), |_| size(&self.output) >= bytes)
    }

    /// Waits until no look has come for a while. If the merge only pauses, the law goes
    /// on a little too early, which makes it no stricter.
    #[track_caller]
    pub(crate) fn until_still(&self) -> Verdict {
        self.until("a look", |merge| merge.looks > 0)?;
        while !bound::left().is_zero() {
            let before = self.see(Watched::looks);
            if !self.within(100 * SOON, |merge| merge.looks > before) {
                return Ok(());
            }
        }
        Err(bound::passed("no look comes for a while"))
    }

    /// Returns what the law sees of the merge now.
    pub(crate) fn see<T>(&self, what: impl FnOnce(&Watched) -> T) -> T {
        what(&self.shared.watched())
    }

    /// Gives the merge time to break the law, and tells whether it did.
    pub(crate) fn within(&self, time: Duration, mut is_so: impl FnMut(&Watched) -> bool) -> bool {
        let deadline = Instant::now() + time;
        let mut watched = self.shared.watched();
        loop {
            if is_so(&watched) {
                return true;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let waited = self.shared.changed.wait_timeout(watched, left.min(TICK));
            watched = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits for the end of the merge, however it ends.
    #[track_caller]
    pub(crate) fn end(&self) -> Result<Ended, Broken> {
        self.within(bound::left(), Watched::has_ended);
        let ended = self.shared.watched().ended.take();
        ended.ok_or_else(|| bound::passed("the merge ends"))
    }

    /// Waits for the end of the merge, which should be a good one: everything
    /// else is an accident here, and the business of other laws.
    #[track_caller]
    pub(crate) fn report(&self) -> Result<Report, Broken> {
        match self.end()? {
            Ok(Ok(report)) => Ok(report),
            Ok(Err(error)) => panic!("the merge failed: {}", chain(&error)),
            Err(panic) => panic!("the merge panicked: {}", message_of(&*panic)),
        }
    }

    /// Requests the stop, and waits for a good end.
    #[track_caller]
    pub(crate) fn stopped(&self) -> Result<Report, Broken> {
        self.stop.request();
        self.report()
    }

    /// Waits for the end of the merge, which should be an error.
    #[track_caller]
    pub(crate) fn error(&self) -> Result<Error, Broken> {
        match self.end()? {
            Ok(Err(error)) => Ok(error),
            Ok(Ok(_)) => Err(Broken::new("the merge should have ended with an error, and did not")),
            Err(panic) => panic!("the merge panicked: {}", message_of(&*panic)),
        }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.stop.request();
    }
}

/// Says an error and its causes.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        said += &format!(": {next}");
        cause = next.source();
    }
    said
}
