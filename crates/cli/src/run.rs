//! One merge, from the arguments to the exit code.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{FileType, fstat};
use rustix::io::fcntl_dupfd_cloexec;
use rustix::stdio::{stderr, stdout};
use tracing::warn;
use tributary::{Error, Plan, Shown, Stop};

use crate::args::Args;
use crate::backlog;
use crate::exit;
use crate::list;
use crate::metrics::{self, Metrics};
use crate::observer::Observer;
use crate::print;
use crate::signals::Signals;
use crate::stats::{self, Format};
use crate::voice::Voice;
use crate::wire;

/// Room for descriptors that are no source: the output, the checkpoint, pipes,
/// notifications.
const OTHER_FILES: usize = 64;

/// Merges as asked, and returns the exit code.
pub(crate) fn run(args: &Args, voice: &Voice) -> u8 {
    if let Some((flag, what, value)) = args.misplaced() {
        let told = format!("{value}: no such file; {what} of {flag} needs a `=`: {flag}={value}");
        if !args.follow {
            voice.error(&told);
            return exit::USAGE;
        }
        // The file may still come.
        warn!("{told}");
    }
    if args.to_stdout() && print::is_closed() {
        voice.error(print::CLOSED);
        return exit::OUTPUT;
    }
    if let Some(told) = args.stream_refused() {
        voice.error(told);
        return exit::USAGE;
    }
    let sources = match sources(args) {
        Ok(sources) => sources,
        Err(told) => {
            voice.error(&told);
            return exit::USAGE;
        }
    };
    if let Some(told) = metrics_refused(args, &sources) {
        voice.error(&told);
        return exit::USAGE;
    }
    // Each source is an open file, and the usual limit is a thousand. If the highest
    // that the system allows is too low, too, the plan says so.
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    make_room_for(sources.len(), !args.watch.is_empty());
    let output = match args.to_stdout() {
        true => "stdout".to_owned(),
        false => Shown(&args.output).to_string(),
    };
    let from = args.stream_that_is_read().map(|place| place.to_string());
    // Before the plan: it waits if the output is a FIFO without a reader.
    let reopens = args.follow && !args.to_stdout();
    let signals = match Signals::listen(args.follow, output, from, reopens) {
        Ok(signals) => signals,
        Err(cause) => return failed(Error::Runtime(cause), voice),
    };
    match merge(args, sources, voice, &signals) {
        Err(error) if args.to_stdout() && exit::is_closed_pipe(&error) => 0,
        // Some lines may have had no answer yet: the next run sends them.
        Err(error) if wire::is_stream(&args.output) && signals.cut_short() => {
            failed(error, voice);
            exit::INTERRUPTED
        }
        Err(error) => failed(error, voice),
        Ok(_) if signals.cut_short() => exit::INTERRUPTED,
        Ok(left_out) if left_out && !args.follow => exit::SOURCE,
        Ok(_) => 0,
    }
}

/// Returns the sources of the command line, and those of `--files-from`.
fn sources(args: &Args) -> Result<Vec<PathBuf>, String> {
    let mut sources = args.sources.clone();
    let Some(path) = &args.files_from else { return Ok(sources) };
    let listed = list::read(path);
    sources.extend(
        listed.map_err(|cause| format!("{}: cannot read this list: {cause}", Shown(path)))?,
    );
    if sources.is_empty() && args.watch.is_empty() {
        return Err(format!("{}: no source is named in this list", Shown(path)));
    }
    Ok(sources)
}

/// Grows the table of descriptors to what the sources need, while this process has
/// one thread: with more, each doubling of the table waits for every processor, some
/// milliseconds.
fn make_room_for(sources: usize, and_patterns: bool) {
    // How many files fit a pattern is not known yet; room for these is 32 KiB.
    let files = if and_patterns { sources.max(4096) } else { sources };
    let last = i32::try_from(files + OTHER_FILES).unwrap_or(i32::MAX);
    // The duplicate is closed at once, and the room stays. If the limit allows no room,
    // the plan says so.
    let _ = fcntl_dupfd_cloexec(stderr(), last);
}

/// Returns why the metrics cannot be kept in the file of `--metrics`; `None` if they can.
fn metrics_refused(args: &Args, sources: &[PathBuf]) -> Option<String> {
    let path = args.metrics.as_ref()?;
    // Stdout by its descriptor, since it may be redirected to a file.
    let output = if args.to_stdout() { Path::new("/dev/stdout") } else { &args.output };
    let checkpoint = args.checkpoint.iter().map(|path| ("the checkpoint", path.as_path()));
    let sources = sources.iter().map(|path| ("a source", path.as_path()));
    metrics::refused(path, [("the output", output)].into_iter().chain(checkpoint).chain(sources))
}

fn failed(error: Error, voice: &Voice) -> u8 {
    let code = exit::code(&error);
    voice.error(&exit::story(error));
    code
}

/// Merges, and tells whether a source was left out.
fn merge(
    args: &Args,
    sources: Vec<PathBuf>,
    voice: &Voice,
    signals: &Signals,
) -> Result<bool, Error> {
    let plan = Plan::open(sources, args.target(), args.options())?;
    let left_out = !plan.left_out().is_empty();
    let progress = plan.progress();
    // Nobody watches the loop of a merge that reads a stream.
    let is_read = args.wire.from.is_some();
    let stalls = (args.stage.said().has_loop && !is_read).then(|| voice.stalls.clone());
    let observer = Arc::new(Observer::new(progress.clone(), stalls, args.checkpoint.clone()));
    let watched = args.metrics.is_some() || matches!(args.stats, Some(Format::Json));
    let metrics = watched.then(|| Metrics::keep(Arc::clone(&observer), args.metrics.clone()));
    let metrics = metrics.transpose().map_err(Error::Runtime)?;
    signals.attend(&plan, told(args, &observer, voice, metrics.as_ref()));
    if args.to_stdout() && args.follow {
        watch_the_reader(&plan.stop);
    }

    let shows = backlog::show(progress, voice, args.to_stdout());
    let merged = args.merge(plan);
    drop((shows, metrics));
    if let Some(format) = args.stats {
        let stall = merged.as_ref().ok().filter(|_| !is_read).map(|report| report.stall);
        voice.text(&stats::told(&observer.observe(), format, stall));
    }
    merged.map(|_| left_out)
}

/// Returns a function that tells how far the merge is on stderr, and has the metrics
/// written.
fn told(
    args: &Args,
    observer: &Arc<Observer>,
    voice: &Voice,
    metrics: Option<&Metrics>,
) -> impl Fn() + Send + Sync + 'static {
    let (observer, voice) = (Arc::clone(observer), voice.clone());
    let format = args.stats.unwrap_or(Format::Table);
    let metrics = metrics.map(Metrics::now);
    move || {
        if let Some(now) = &metrics {
            now();
        }
        voice.text(&stats::told(&observer.observe(), format, None));
    }
}

/// Ends the merge when the reader of stdout goes away: with quiet sources the
/// next write, which would fail, may be hours away.
fn watch_the_reader(stop: &Stop) {
    let is_pipe = fstat(stdout()).is_ok_and(|stat| {
        matches!(FileType::from_raw_mode(stat.st_mode), FileType::Fifo | FileType::Socket)
    });
    if !is_pipe {
        return;
    }
    let stop = stop.clone();
    let watching = thread::Builder::new().name("reader".into()).spawn(move || {
        // No event is asked for: `poll` reports an error in any case.
        let mut fds = [PollFd::from_borrowed_fd(stdout(), PollFlags::empty())];
        while poll(&mut fds, None).is_err() {}
        stop.abandon();
    });
    // If the system refuses the thread, the next write fails instead.
    let _ = watching;
}
