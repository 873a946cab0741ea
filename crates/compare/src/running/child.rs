//! The work of a process that `compare` starts: one merge, or one law.

use std::collections::HashSet;
use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use recorder::Recorder;
use runner::Status;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tributary::{Moment, Options, Plan, Probe, Shown, Stop};

use crate::protocol::{Done, LawArgs, StageArgs, Until, answer};

/// Stalls shorter than this are not recorded.
const STALL: Duration = Duration::from_millis(50);
/// How many operations and stalls a recording holds; a run has about two thousand.
const OPERATIONS: usize = 100_000;
/// The error where the system refuses a thread.
const NO_THREAD: &str = "cannot start the thread that waits for the end of stdin";

/// The peak of the thread count, taken at each look at a source.
///
/// Each reading thread counts itself at its own first look, so the peak is right even
/// for a run of a millisecond, in which a sample from outside sees nothing.
#[derive(Debug, Default)]
struct Peak {
    looks: AtomicU64,
    threads: AtomicU64,
}

impl Peak {
    /// How many looks are sampled from the start; after those, one in [`Peak::ONE_IN`].
    const ALL: u64 = 10_000;
    const ONE_IN: u64 = 16;

    fn look(&self) {
        let look = self.looks.fetch_add(1, Ordering::Relaxed);
        if look < Self::ALL || look.is_multiple_of(Self::ONE_IN) {
            self.threads.fetch_max(runner::threads().unwrap_or(0), Ordering::Relaxed);
        }
    }

    fn threads(&self, besides: u64) -> Option<u64> {
        let threads = self.threads.load(Ordering::Relaxed).max(runner::threads()?);
        Some(threads.saturating_sub(besides).max(1))
    }
}

/// Merges, and writes [`Done`] to stdout.
pub(crate) fn merge(args: StageArgs) -> anyhow::Result<()> {
    let started = Instant::now();
    let peak = Arc::new(Peak::default());
    let (until_read, until_stdin) =
        (args.follow == Some(Until::Read), args.follow == Some(Until::Stdin));
    // With `--follow read` the stop is requested once every source has been at its end:
    // by then the merge has all the threads that so many followed files need.
    let (stop, sources) = (Arc::new(OnceLock::<Stop>::new()), args.sources.len());
    let probe = Probe::new({
        let (peak, stop, ends) = (Arc::clone(&peak), Arc::clone(&stop), Mutex::default());
        move |moment, path| {
            peak.look();
            if until_read && moment == Moment::FoundNothing {
                let mut ends: MutexGuard<'_, HashSet<PathBuf>> =
                    ends.lock().expect("nobody panics with it");
                ends.insert(path.to_owned());
                if ends.len() == sources {
                    stop.get().expect("the plan that is merged has one").request();
                }
            }
            Ok(())
        }
    });
    let warned = Warned::default();
    let recorder = args.record.map(|path| (Recorder::new(OPERATIONS), path));
    if let Some((recorder, _)) = &recorder {
        // The operation that blocks the loop has a name only where this layer listens.
        let layers = registry().with(recorder.layer()).with(tokio_loop::names());
        layers.with(warned.layer()).init();
    } else if args.follow.is_some() {
        registry().with(warned.layer()).init();
    }
    let options = Options {
        follow: args.follow.is_some(),
        wake: args.wake,
        probe: Some(probe),
        debug: recorder.as_ref().map(|_| STALL),
        ..Options::default()
    };
    let plan = Plan::open(&args.sources, args.output, options)?;
    let stop = stop.get_or_init(|| plan.stop.clone()).clone();
    if until_stdin {
        exercises::at_the_end_of_stdin(move || stop.request()).context(NO_THREAD)?;
    }
    let report = (args.stage.merge)(plan)?;
    if let Some(warning) = warned.0.get() {
        bail!("{warning}; or measure with `--wake poll`");
    }
    if let Some((recorder, path)) = recorder {
        let recording = serde_json::to_vec(&recorder.recording())?;
        fs::write(&path, recording)
            .with_context(|| format!("{}: cannot write this file", Shown(&path)))?;
    }
    answer(&Done {
        lines: report.lines,
        bytes: report.bytes,
        merge: started.elapsed().as_secs_f64(),
        stall: report.stall.map(|stall| stall.as_secs_f64()),
        memory: Status::of(process::id()).and_then(|status| status.peak_memory),
        // The thread that waits for the end of stdin is `compare`'s.
        threads: peak.threads(until_stdin.into()),
    })
}

/// Keeps the first warning of the contract: that sources are polled, for one, since no
/// notification is to be had.
#[derive(Debug, Clone, Default)]
struct Warned(Arc<OnceLock<String>>);

impl Warned {
    fn layer<S: Subscriber + for<'a> LookupSpan<'a>>(&self) -> impl Layer<S> + use<S> {
        let is_ours = filter_fn(|metadata| {
            metadata.is_event()
                && *metadata.level() == Level::WARN
                && metadata.target().starts_with("tributary")
        });
        self.clone().with_filter(is_ours.with_max_level_hint(Level::WARN))
    }
}

impl<S: Subscriber> Layer<S> for Warned {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        event.record(&mut self.clone());
    }
}

impl Visit for Warned {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.0.get_or_init(|| format!("{value:?}"));
        }
    }
}

/// Tries a law, and writes to stdout how the stage breaks it, or null.
pub(crate) fn law(args: &LawArgs) -> anyhow::Result<()> {
    exercises::stops_with_stdin().context(NO_THREAD)?;
    let within = Duration::from_secs(args.within);
    let broken = exercises::try_law(args.law, args.stage.name, args.stage.merge, within);
    answer(&broken.map_err(anyhow::Error::msg)?)
}

#[cfg(test)]
mod tests {
    use tracing::subscriber::with_default;
    use tracing::{debug, warn, warn_span};

    use super::*;

    #[test]
    fn the_first_warning_of_the_contract_is_kept() {
        let warned = Warned::default();
        with_default(registry().with(warned.layer()), || {
            warn!(target: "tokio_loop", "the event loop is stuck");
            debug!(target: "tributary", "a detail");
            assert!(warn_span!(target: "tributary", "read_lines").is_disabled());
            assert_eq!(warned.0.get(), None);
            warn!(target: "tributary::waking::notifier", "polled every {:?}", STALL);
            warn!(target: "tributary", "b.log is gone");
        });
        assert_eq!(warned.0.get().map(String::as_str), Some("polled every 50ms"));
    }
}
