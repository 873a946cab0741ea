//! What to merge, into what, and how.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use tracing::warn;

use crate::following::entry::SavedStream;
use crate::following::expand::{self, Expanded, Pattern};
use crate::following::file::{self, Spare};
use crate::following::files::Files;
use crate::following::follow::{Begun, Name};
use crate::following::identity::FileId;
use crate::following::log::{Common, Log};
use crate::following::path::FullPaths;
use crate::following::pattern::Joining;
use crate::keeping::begin::{self, Beginning};
use crate::source::Settings;
use crate::waking::change::{Bell, Change};
use crate::waking::notifications::Notifications;
use crate::waking::notifier::Notifier;
use crate::{Error, Options, Output, Progress, Ready, Reopen, Shown, Source, Stop, Target, Wake};

/// The most bytes that a chunk of lines has, if no line is longer.
const CHUNK: usize = 256 * 1024;
/// The least of these bounds: with fewer bytes, a look costs more than it finds.
const LEAST_CHUNK: usize = 4 * 1024;
/// The most bytes of the chunks of all sources together, so that many sources in front
/// of a slow output do not fill the memory.
const ALL_CHUNKS: usize = 16 * 1024 * 1024;

/// What to merge, into what, and how: made by [`Plan::open`], used up by a
/// stage's `merge`.
#[derive(Debug)]
pub struct Plan {
    /// The open sources; no file is in here twice.
    pub sources: Vec<Source>,
    /// The output: empty, or with what it had if the merge goes on in it.
    pub output: Output,
    /// The longest wait between two looks at a source that has nothing new:
    /// a day where the notifier wakes it.
    pub interval: Duration,
    /// Which sources need a look: for a merge that looks at many in turn.
    pub ready: Ready,
    /// Ends the merge: keep a clone of it before the plan is given away.
    pub stop: Stop,
    /// An event loop that stalls for longer than this names the operation that blocks
    /// it.
    pub debug: Option<Duration>,
    common: Arc<Common>,
    left_out: Vec<Error>,
}

/// The longest wait where the notifier wakes a source: a safety net only.
const NOTIFIED: Duration = Duration::from_secs(24 * 60 * 60);

impl Plan {
    /// Opens the sources and the output, checks them, and only then empties
    /// the output.
    ///
    /// A source that is not there is waited for with [`Options::follow`], and is an
    /// error without. A source that cannot be read is an error in both cases. A path to
    /// something else (a directory, a pipe) is left out with a warning; it is an error
    /// if nothing else is to be merged. A file that is named twice, or reached through
    /// a link, is one source with its first name. A plan without a source writes an
    /// empty output. Without [`Options::follow`] the stop has been requested before the
    /// plan begins: what is there is merged, in the same way as at the end of a merge
    /// that follows.
    ///
    /// With a checkpoint, an output that was renamed since then is cut back to
    /// what the checkpoint says, and the merge goes on in a new one.
    ///
    /// # Blocking
    ///
    /// Opens files: blocks the calling thread. An output that is a pipe waits
    /// for its reader.
    ///
    /// # Errors
    ///
    /// For a source [`Error::Open`], [`Error::Read`], [`Error::NotAFile`] or
    /// [`Error::TooManyFiles`]; for a pattern [`Error::BadPattern`] or
    /// [`Error::NothingFits`]; for the output [`Error::OutputIsSource`],
    /// [`Error::Create`], [`Error::BadOutput`] or [`Error::UnknownLines`]; for the
    /// checkpoint [`Error::Checkpoint`], [`Error::NotACheckpoint`] or
    /// [`Error::BadCheckpoint`]; and [`Error::Runtime`]. None of these changes a byte.
    /// Then the output is cut to where the merge begins, which may fail with
    /// [`Error::Write`], and the first checkpoint is saved, which may fail with
    /// [`Error::Checkpoint`].
    pub fn open<P: AsRef<Path>>(
        sources: impl IntoIterator<Item = P>,
        output: impl Into<Target>,
        options: Options,
    ) -> Result<Plan, Error> {
        let (began, opened_at) = (SystemTime::now(), Instant::now());
        let bad = |(pattern, why)| Error::BadPattern { pattern, why };
        let excluded = expand::excluded(&options.exclude).map_err(bad)?;
        let patterns = options.patterns.iter().map(|text| {
            let pattern = Pattern::new(text).map_err(|why| bad((text.clone(), why)))?;
            Ok(pattern.without(&excluded))
        });
        let patterns = patterns.collect::<Result<Vec<_>, Error>>()?;
        let target = output.into();
        let saved = begin::saved(&target, &options)?;
        let mut opened = Opened::default();
        // Where there are so few, no source will find one.
        let spare = Spare::hold().ok();
        opened.named(sources, options.follow)?;
        drop(spare);
        if opened.files.is_empty() && patterns.is_empty() && !opened.left_out.is_empty() {
            return Err(opened.left_out.swap_remove(0));
        }
        let mut found = Vec::new();
        for (pattern, text) in patterns.iter().zip(&options.patterns) {
            found.push(fitting(pattern, text, &target, options.follow)?);
        }
        let known = saved.as_ref().map(|saved| &saved.output);
        let beginning = Beginning::open(&target, &options, known, &opened.names)?;
        let stop = Stop::new();
        let notified = options.follow && options.wake == Wake::Notify;
        let notifier =
            notified.then(|| Notifier::start(options.interval, options.latency)).transpose();
        let notifier = notifier.map_err(Error::Runtime)?;

        let stream = begin::stream(&target, &options).map(|name| {
            let known = saved.as_ref().and_then(|saved| saved.output.stream.clone());
            let known =
                known.unwrap_or(SavedStream { name: String::new(), made: None, sequence: 0 });
            SavedStream { name: name.to_owned(), ..known }
        });
        let files = Arc::new(Files::load(saved.map(|saved| saved.files).unwrap_or_default()));
        if let Some(stream) = stream {
            files.stream(stream);
        }
        for file in beginning.outputs() {
            files.output(beginning.to.name(), file, 0);
        }
        if let Some(path) = &options.checkpoint {
            files.checkpoint(path);
        }
        files.beginning();
        let spare = Spare::hold().ok();
        found.into_iter().try_for_each(|paths| opened.found(paths, &files, options.follow))?;
        drop(spare);
        let common = Arc::new(Common {
            files: Arc::clone(&files),
            quiet: options.quiet,
            checkpointed: options.checkpoint.is_some(),
            max_line: options.max_line.unwrap_or(u64::MAX),
            notifier,
            marks: options.marks.clone(),
            next_log: AtomicUsize::new(0),
            tally: Arc::default(),
            patterns: Mutex::default(),
        });
        let chunk = ALL_CHUNKS / (opened.files.len() + patterns.len()).max(1);
        let chunk = chunk.clamp(LEAST_CHUNK, CHUNK);
        let (follows, probe) = (options.follow, options.probe.clone());
        let ready = Ready::default();
        let settings = Arc::new(Settings { chunk, follows, stop: stop.clone(), probe });

        // All logs first take on what the checkpoint says that they have read:
        // those files are theirs, also if another source has their name now.
        let mut logs = Vec::new();
        let mut full_paths = FullPaths::default();
        for (path, by_name, file) in opened.files {
            let change = Change::listed_in(&ready);
            let bell = Bell::new(Arc::clone(&change));
            let id = file.as_ref().map(|(_, id)| *id);
            let name = Name { path: Arc::clone(&path), home: full_paths.of(&path), by_name };
            let log = Log::new(&common, name, id, began, bell);
            let log = log.map_err(|cause| Error::Read { path: path.to_path_buf(), cause })?;
            logs.push((log, path, by_name, file, change));
        }
        let mut sources = Vec::new();
        for (mut log, path, by_name, file, change) in logs {
            let begun = log.follow.begin(file, options.start, began);
            match begun.map_err(|cause| Error::Read { path: path.to_path_buf(), cause })? {
                Begun::No | Begun::Later if !by_name => log.withdraw(),
                _ => sources.push(Source::of_log(log, path, change, by_name, &settings)),
            }
        }
        files.begun();
        for (pattern, text) in patterns.into_iter().zip(&options.patterns) {
            let change = Change::listed_in(&ready);
            let joining = Joining::new(pattern, text, &common, Bell::new(Arc::clone(&change)));
            sources.push(Source::of_pattern(joining, change, &settings));
        }

        // Not before: a log that has nothing to follow is no source.
        sources.iter().enumerate().for_each(|(place, source)| source.takes(place));

        // Everything is known and checked: only now the output is touched.
        let (to, anew) = beginning.touch()?;
        let tally = Arc::clone(&common.tally);
        let mut output = Output::new(to, opened_at, options.durability, &files, tally, &stop);
        if let Some(path) = &options.checkpoint {
            output.keep_checkpoint(path, anew)?;
        }
        if anew {
            // After the first checkpoint, which speaks of an empty output: a
            // merge that is killed in between leaves one that can be gone on with.
            match options.from {
                Some(_) => output.empty_later(),
                None => output.empty()?,
            }
        }
        if !options.follow {
            stop.request();
            // All files are open, and this thread may block, so that no look has to.
            sources.iter_mut().for_each(Source::drain);
        }
        let left_out = opened.left_out;
        left_out.iter().for_each(|error| warn!("{error}; left out"));
        let interval = if notified { NOTIFIED } else { options.interval };
        let debug = options.debug;
        Ok(Plan { sources, output, interval, ready, stop, debug, common, left_out })
    }

    /// Returns the operating system's notifications of the sources, for a merge that
    /// takes them in on its own thread; `None` where there are none. Without this call,
    /// the notifier's thread takes them in.
    pub fn notifications(&self) -> Option<Notifications> {
        self.common.notifier.as_ref().and_then(Notifications::of)
    }

    /// Returns a handle that has the output opened by its name once more, as after a
    /// rotation.
    pub fn reopen(&self) -> Reopen {
        self.output.reopen()
    }

    /// Returns an [`Error::NotAFile`] for each named path that was left out with a
    /// warning: a directory, a pipe or a device.
    pub fn left_out(&self) -> &[Error] {
        &self.left_out
    }

    /// Returns a handle that tells how far the merge has come, while it runs.
    pub fn progress(&self) -> Progress {
        Progress::new(Arc::clone(&self.common.tally), Arc::clone(&self.common.files))
    }
}

/// A path, whether a person has named it, and the file to which it leads, if any.
type OpenedFile = (Arc<Path>, bool, Option<(File, FileId)>);

/// The files that are sources at the start.
#[derive(Default)]
struct Opened {
    /// The first name of each.
    names: HashMap<FileId, Arc<Path>>,
    files: Vec<OpenedFile>,
    /// Paths that were named and lead to no log file.
    left_out: Vec<Error>,
}

impl Opened {
    /// Opens each source that was named; the same file, by whatever name, once.
    fn named<P: AsRef<Path>>(
        &mut self,
        paths: impl IntoIterator<Item = P>,
        wait: bool,
    ) -> Result<(), Error> {
        let mut missing: HashSet<Arc<Path>> = HashSet::new();
        for path in paths {
            let path: Arc<Path> = path.as_ref().into();
            match file::open(&path) {
                Ok(file) => self.add(path, true, file),
                Err(cause) if cause.kind() == io::ErrorKind::NotFound && wait => {
                    if missing.insert(Arc::clone(&path)) {
                        self.files.push((path, true, None));
                    }
                }
                Err(cause) => match Error::of_open(&path, cause) {
                    error @ Error::NotAFile { .. } => self.left_out.push(error),
                    error => return Err(error),
                },
            }
        }
        Ok(())
    }

    /// Opens the files that fit a pattern. A file that cannot be opened is left to the
    /// pattern's source, which warns of it and tries again. But if all descriptors are
    /// taken, and the merge does not `follow`, no later try would be better.
    fn found(&mut self, paths: Vec<PathBuf>, files: &Files, follow: bool) -> Result<(), Error> {
        for path in paths {
            match expand::open_trusted(&path) {
                Ok((file, id)) if !files.is_ours(id, &path) => {
                    self.add(path.into(), false, (file, id));
                }
                Err(cause) if !follow => {
                    if let error @ Error::TooManyFiles { .. } = Error::of_open(&path, cause) {
                        return Err(error);
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn add(&mut self, path: Arc<Path>, by_name: bool, (file, id): (File, FileId)) {
        if let Entry::Vacant(entry) = self.names.entry(id) {
            entry.insert(Arc::clone(&path));
            self.files.push((path, by_name, Some((file, id))));
        }
    }
}

/// Finds the files that fit a pattern; the output does not count. To find none is an
/// error, unless `follow` waits for one.
fn fitting(
    pattern: &Pattern,
    text: &str,
    output: &Target,
    follow: bool,
) -> Result<Vec<PathBuf>, Error> {
    let Expanded { paths, refused, .. } = pattern.find();
    let output = match output {
        Target::Path(path) => FileId::at(path),
        Target::Stdout | Target::Stream(_) => None,
    };
    if paths.iter().any(|path| output.is_none() || FileId::at(path) != output) {
        return Ok(paths);
    }
    let error = match refused.into_iter().next() {
        // The pattern's source warns of it.
        Some(_) if follow => return Ok(paths),
        Some((path, cause)) => Error::of_open(&path, cause),
        None => Error::NothingFits { pattern: text.to_owned(), hint: hint(text) },
    };
    if !follow {
        return Err(error);
    }
    warn!("{error}; waiting for one");
    Ok(paths)
}

/// Says what to type instead, where that can be guessed.
fn hint(pattern: &str) -> String {
    if pattern.starts_with('~') {
        "; the shell does not expand ~ in quotes, write $HOME".to_owned()
    } else if pattern.starts_with('$') {
        "; the shell does not expand $ in single quotes, write double ones".to_owned()
    } else if Path::new(pattern).is_dir() {
        format!("; name the files in it: {}/*", Shown(Path::new(pattern)))
    } else {
        String::new()
    }
}
