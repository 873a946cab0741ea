//! What the questions are played with: logs, a merge that is looked at through
//! its probe, an output that blocks, and a bound against hangs.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, PipeReader, Read};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle, ThreadId};
use std::time::Duration;

use testkit::{BOUND, Folder, within};
use tributary::{Error, MergeFn, Moment, Options, Plan, Probe, Report, Stop, Target, Wake};

/// A folder with logs in it.
pub(crate) struct Logs(Folder);

impl Logs {
    pub(crate) fn new() -> Logs {
        Logs(Folder::new())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path(name)
    }

    /// Makes a log of so many lines of 100 bytes, and returns its path.
    pub(crate) fn log(&self, name: &str, lines: usize) -> PathBuf {
        let line = |line| format!("{:<99}\n", format!("{name} {line}"));
        self.0.append(name, &(1..=lines).map(line).collect::<String>());
        self.path(name)
    }

    /// Returns the names at the beginnings of the merged lines, with how many lines
    /// there are of each.
    pub(crate) fn merged(&self) -> BTreeMap<String, usize> {
        let mut merged = BTreeMap::new();
        for line in self.0.read("merged").lines() {
            let name = line.split(' ').next().unwrap_or_default();
            *merged.entry(name.to_owned()).or_default() += 1;
        }
        merged
    }
}

/// What the probe of a merge has seen of it.
#[derive(Clone, Default)]
pub(crate) struct Seen {
    looks: Arc<(Mutex<AllLooks>, Condvar)>,
}

/// The looks at all sources, by name.
pub(crate) type AllLooks = HashMap<String, Looks>;

/// The looks at one source.
#[derive(Clone, Default)]
pub(crate) struct Looks {
    /// How many have begun, ...
    pub(crate) begun: u64,
    /// ... how many of them found nothing, and ...
    pub(crate) nothing: u64,
    /// ... which threads looked.
    pub(crate) threads: Vec<ThreadId>,
}

impl Seen {
    /// Notes a moment of a source.
    pub(crate) fn note(&self, moment: Moment, path: &Path) {
        let mut looks = self.looks.0.lock().expect("no test panics in here");
        let looks = looks.entry(name(path)).or_default();
        match moment {
            Moment::BeforeLook => looks.begun += 1,
            Moment::FoundNothing => looks.nothing += 1,
            _ => return,
        }
        looks.threads.push(thread::current().id());
        self.looks.1.notify_all();
    }

    /// Waits until what was seen is as it should be, and returns it.
    #[track_caller]
    pub(crate) fn until(&self, what: &str, is_so: impl Fn(&AllLooks) -> bool) -> AllLooks {
        let looks = self.looks.0.lock().expect("no test panics in here");
        let waited = self.looks.1.wait_timeout_while(looks, BOUND, |looks| !is_so(looks));
        let (looks, waited) = waited.expect("no test panics in here");
        assert!(!waited.timed_out(), "waited in vain for this: {what}");
        looks.clone()
    }
}

/// Returns how many looks at a source have begun.
pub(crate) fn begun(looks: &AllLooks, name: &str) -> u64 {
    looks.get(name).map_or(0, |looks| looks.begun)
}

/// Returns how many looks at a source have found nothing.
pub(crate) fn nothing(looks: &AllLooks, name: &str) -> u64 {
    looks.get(name).map_or(0, |looks| looks.nothing)
}

fn name(path: &Path) -> String {
    path.file_name().expect("a log has a name").to_string_lossy().into_owned()
}

/// A merge on a thread of its own.
pub(crate) struct Run {
    pub(crate) seen: Seen,
    pub(crate) stop: Stop,
    /// The thread that called `merge`: with a shared loop, the loop's.
    pub(crate) caller: ThreadId,
    merge: JoinHandle<Result<Report, Error>>,
}

impl Run {
    /// Starts a merge that follows, and looks at each source that waits once a
    /// millisecond.
    pub(crate) fn start(merge: MergeFn, sources: &[PathBuf], output: impl Into<Target>) -> Run {
        Run::probed(merge, sources, output, |_, _, _| {})
    }

    /// The same, with an action between two steps of a source.
    pub(crate) fn probed(
        merge: MergeFn,
        sources: &[PathBuf],
        output: impl Into<Target>,
        action: impl Fn(&Seen, Moment, &str) + Send + Sync + 'static,
    ) -> Run {
        let seen = Seen::default();
        let probe = seen.clone();
        let probe = Probe::new(move |moment, path| {
            probe.note(moment, path);
            action(&probe, moment, &name(path));
            Ok(())
        });
        let options = Options {
            follow: true,
            wake: Wake::Poll,
            interval: Duration::from_millis(1),
            probe: Some(probe),
            ..Options::default()
        };
        let plan = Plan::open(sources, output, options).expect("the plan is in order");
        let stop = plan.stop.clone();
        let merge = thread::spawn(move || merge(plan));
        Run { seen, stop, caller: merge.thread().id(), merge }
    }

    /// Waits for the end, and hands out a panic.
    pub(crate) fn end(self) -> thread::Result<Result<Report, Error>> {
        let merge = self.merge;
        within(move || merge.join())
    }
}

/// An output that blocks as soon as a pipe is full: nobody reads it yet.
pub(crate) struct Blocked {
    reader: PipeReader,
    /// Kept until a plan has opened the output by its name.
    _writer: io::PipeWriter,
    pub(crate) output: PathBuf,
}

impl Blocked {
    pub(crate) fn new() -> Blocked {
        let (reader, writer) = io::pipe().expect("a pipe");
        let output = format!("/dev/fd/{}", writer.as_raw_fd()).into();
        Blocked { reader, _writer: writer, output }
    }

    /// Begins to read; the thread ends with the last line, and counts them.
    pub(crate) fn read(self) -> JoinHandle<usize> {
        let mut reader = self.reader;
        thread::spawn(move || {
            let mut merged = Vec::new();
            reader.read_to_end(&mut merged).expect("a pipe can be read");
            merged.iter().filter(|&&byte| byte == b'\n').count()
        })
    }
}

/// Three sources with several chunks of lines each, one with none, and an
/// output that blocks: returns the looks at each, seen after the one without
/// lines was looked at fifty times more.
pub(crate) fn looks_while_the_output_blocks(merge: MergeFn) -> AllLooks {
    const LINES: usize = 6_000;
    const MORE: u64 = 50;
    const BUSY: [&str; 3] = ["busy1", "busy2", "busy3"];
    let logs = Logs::new();
    let mut sources: Vec<_> = BUSY.iter().map(|name| logs.log(name, LINES)).collect();
    sources.push(logs.log("idle", 0));
    let blocked = Blocked::new();

    let run = Run::start(merge, &sources, &blocked.output);
    let all_begun = |looks: &AllLooks| BUSY.iter().all(|name| begun(looks, name) > 0);
    let looks = run.seen.until("each source with lines is looked at", all_begun);
    let so_far = begun(&looks, "idle");
    let goes_on = |looks: &AllLooks| begun(looks, "idle") >= so_far + MORE;
    let looks = run.seen.until("the idle source goes on and on", goes_on);

    // And all of it comes through once the output is read.
    run.stop.request();
    let read = blocked.read();
    run.end().expect("no panic").expect("the merge is in order");
    assert_eq!(within(move || read.join()).expect("no panic"), 3 * LINES);
    looks
}
