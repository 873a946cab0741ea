//! What runs inside the process of a stage: one merge, and its figures as a
//! line of JSON on stdout.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::Instant;

use anyhow::Context;
use recorder::Recorder;
use serde::{Deserialize, Serialize};
use tracing_subscriber::layer::SubscriberExt;
use tributary::{Moment, Options, Plan, Probe, Shown, Stop};

use crate::args::Wake;
use crate::lanes;
use crate::machine::{self, Status};
use crate::print::print;
use stages::{Stage, find};

/// Runs one stage in this process: `cargo compare` calls itself with this.
#[derive(Debug, clap::Args)]
pub(crate) struct StageArgs {
    /// The stage, by number or by name.
    #[arg(value_parser = find)]
    stage: &'static Stage,
    /// The merged file.
    #[arg(long, value_name = "PATH")]
    output: PathBuf,
    /// Follow the sources until stdin is closed.
    #[arg(long)]
    follow: bool,
    /// Follow the sources until each of them has been read to its end once.
    #[arg(long, conflicts_with = "follow")]
    until_read: bool,
    /// How sources are noticed to have grown.
    #[arg(long, value_enum, default_value_t = Wake::Notify)]
    wake: Wake,
    /// Record who does what when, into this file.
    #[arg(long, value_name = "PATH")]
    record: Option<PathBuf>,
    /// The sources.
    #[arg(value_name = "FILE")]
    sources: Vec<PathBuf>,
}

/// What a stage says about its merge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Done {
    /// Lines in the output, as the report has it.
    pub(crate) lines: u64,
    /// Bytes in the output, as the report has it.
    pub(crate) bytes: u64,
    /// Seconds from the opening of the plan to the return of `merge`.
    pub(crate) merge: f64,
    /// Seconds of the longest stall, where there is a shared loop.
    pub(crate) stall: Option<f64>,
    /// The peak of resident memory, in bytes, where the system tells.
    pub(crate) memory: Option<u64>,
    /// The most threads at once, those of this process besides the stage's not
    /// counted; `None` where the system does not tell.
    pub(crate) threads: Option<u64>,
}

/// Counts threads when they may have become more: as a source is looked at.
///
/// A thread that reads is counted by its own first look, whoever else has
/// ended by then; so this is right for runs of a millisecond, too, where
/// looking from outside sees nothing.
#[derive(Debug, Default)]
struct Peak {
    looks: AtomicU64,
    threads: AtomicU64,
}

impl Peak {
    /// How many looks at the start are all counted at; later, one in so many.
    const ALL: u64 = 10_000;
    const ONE_IN: u64 = 16;

    fn look(&self) {
        let look = self.looks.fetch_add(1, Ordering::Relaxed);
        if look < Self::ALL || look.is_multiple_of(Self::ONE_IN) {
            self.threads.fetch_max(machine::threads().unwrap_or(0), Ordering::Relaxed);
        }
    }

    fn threads(&self, besides: u64) -> Option<u64> {
        let threads = self.threads.load(Ordering::Relaxed).max(machine::threads()?);
        Some(threads.saturating_sub(besides).max(1))
    }
}

/// Requests the stop once every source has been read to its end: a merge that
/// follows, as long as there is something to read, with all that it needs to
/// follow so many.
#[derive(Debug)]
struct Reached {
    /// How many sources there are; `None` if they are not waited for.
    sources: Option<usize>,
    ends: Mutex<HashSet<PathBuf>>,
    stop: OnceLock<Stop>,
}

impl Reached {
    fn new(sources: Option<usize>) -> Reached {
        Reached { sources, ends: Mutex::default(), stop: OnceLock::new() }
    }

    /// Says which stop it is about; none of its sources has been looked at yet.
    fn tell(&self, stop: &Stop) {
        let stop = self.stop.get_or_init(|| stop.clone());
        if self.sources == Some(0) {
            stop.request();
        }
    }

    fn end_of(&self, source: &Path) {
        let Some(sources) = self.sources else { return };
        let mut ends = self.ends.lock().expect("nobody panics with it");
        if ends.insert(source.to_owned()) && ends.len() == sources {
            self.stop.get().expect("a source is looked at by a merge that runs").request();
        }
    }
}

/// Merges, and prints [`Done`].
pub(crate) fn run(args: StageArgs) -> anyhow::Result<()> {
    let started = Instant::now();
    let peak = Arc::new(Peak::default());
    let reached = Arc::new(Reached::new(args.until_read.then_some(args.sources.len())));
    let probe = Probe::new({
        let (peak, reached) = (Arc::clone(&peak), Arc::clone(&reached));
        move |moment, path| {
            peak.look();
            if moment == Moment::FoundNothing {
                reached.end_of(path);
            }
            Ok(())
        }
    });
    let recorder = args.record.map(|path| (record(), path));
    let debug = recorder.as_ref().map(|_| lanes::STALL);
    let follow = args.follow || args.until_read;
    let (wake, probe) = (args.wake.into(), Some(probe));
    let options = Options { follow, wake, probe, debug, ..Options::default() };
    let plan = Plan::open(&args.sources, args.output, options)?;
    reached.tell(&plan.stop);
    if args.follow {
        let stop = plan.stop.clone();
        // Never joined: it ends with the process, if stdin outlives the merge.
        let wait_for_the_end = move || {
            let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
            stop.request();
        };
        thread::Builder::new()
            .name("stdin".into())
            .spawn(wait_for_the_end)
            .context("cannot start the thread that waits for the stop")?;
    }
    let report = (args.stage.merge)(plan)?;
    if let Some((recorder, path)) = recorder {
        let recording = serde_json::to_vec(&recorder.recording())?;
        fs::write(&path, recording)
            .with_context(|| format!("{}: cannot write this file", Shown(&path)))?;
    }
    let done = Done {
        lines: report.lines,
        bytes: report.bytes,
        merge: started.elapsed().as_secs_f64(),
        stall: report.stall.map(|stall| stall.as_secs_f64()),
        memory: Status::of_this_process().and_then(|status| status.peak_memory),
        // The thread that waits for the stop is compare's.
        threads: peak.threads(args.follow.into()),
    };
    print(&format!("{}\n", serde_json::to_string(&done)?))
}

/// Records what the threads of this process do from now on.
fn record() -> Recorder {
    let recorder = Recorder::new(lanes::OPERATIONS);
    let subscriber = tracing_subscriber::registry()
        .with(recorder.layer())
        // Who blocks the loop is known by name only where this listens.
        .with(event_loop::names());
    tracing::subscriber::set_global_default(subscriber).expect("nothing listens in this process");
    recorder
}
