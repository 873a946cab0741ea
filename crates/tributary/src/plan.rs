//! What to do.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use crate::following::claims::Claims;
use crate::following::file;
use crate::following::follow::Following;
use crate::following::identity::FileId;
use crate::following::log::Common;
use crate::following::pattern::Joining;
use crate::keeping::checkpoint::{Checkpoint, Saved};
use crate::waking::change::Change;
use crate::waking::notify::Notifier;
use crate::{Error, Options, Output, Progress, Shown, Source, Start, Stop, Target, Wake};

/// The most bytes that a chunk of lines has, if no line is longer.
const CHUNK: usize = 256 * 1024;
/// The least: with fewer, a look costs more than what it finds.
const LEAST_CHUNK: usize = 4 * 1024;
/// What the chunks of all sources may have together, so that many sources in
/// front of a slow output do not fill the memory.
const ALL_CHUNKS: usize = 16 * 1024 * 1024;

/// What to merge, into what, and how: made by [`Plan::open`], used up by a
/// stage's `merge`.
#[derive(Debug)]
pub struct Plan {
    /// The sources, open; the same file is in here once.
    pub sources: Vec<Source>,
    /// The output, open and empty.
    pub output: Output,
    /// The longest wait between two looks at a source that has nothing new:
    /// a day where the notifier wakes it.
    pub interval: Duration,
    /// Ends the merge: keep a clone of it before the plan is given away.
    pub stop: Stop,
    /// From which stall on the blocked loop is to be named.
    pub debug: Option<Duration>,
    common: Arc<Common>,
}

/// A wait that something else ends.
const NOTIFIED: Duration = Duration::from_secs(24 * 60 * 60);

impl Plan {
    /// Opens the sources and the output, checks them, and only then empties
    /// the output.
    ///
    /// A source that is not there is waited for with [`Options::follow`], and
    /// is an error without. It is an error in both cases if it cannot be read.
    /// A file that is named twice, or reached through a link, is one source
    /// with its first name. No source at all is a plan that writes an empty
    /// output. Without [`Options::follow`] the stop has been requested before
    /// the plan begins: what is there is merged, in the same way as at the end
    /// of a merge that follows.
    ///
    /// # Blocking
    ///
    /// Opens files: blocks the calling thread. An output that is a pipe waits
    /// for its reader.
    ///
    /// # Errors
    ///
    /// [`Error::Open`] or [`Error::NotAFile`] for a source,
    /// [`Error::OutputIsSource`] or [`Error::Create`] for the output, each
    /// with the path. Nothing has been changed then.
    pub fn open<P: AsRef<Path>>(
        sources: impl IntoIterator<Item = P>,
        output: impl Into<Target>,
        options: Options,
    ) -> Result<Plan, Error> {
        let began = SystemTime::now();
        let saved = options.checkpoint.as_deref().map(Saved::load).transpose()?.flatten();
        let (names, opened) = open_sources(sources, options.follow)?;

        let stop = Stop::new();
        // An output that a checkpoint speaks of is not made anew.
        let mut output = Output::open(output.into(), saved.is_none(), options.durability, &stop)?;
        let (output_id, length) = output.identify()?;
        if let Some(path) = names.get(&output_id) {
            return Err(Error::OutputIsSource {
                output: output.path().to_owned(),
                path: path.to_path_buf(),
            });
        }
        if length.is_some() {
            output.lock()?;
        } else if let Some(path) = &options.checkpoint {
            let why = "a pipe or a device cannot be cut back to it; name a file as the output";
            return Err(Error::BadCheckpoint { path: path.clone(), why: why.into() });
        }
        if let Some(path) = &options.checkpoint {
            let itself = fs::metadata(path).is_ok_and(|it| FileId::of(&it) == output_id);
            let other = saved.as_ref().is_some_and(|saved| saved.output().0 != output_id);
            if itself || other {
                let what = if itself { "also the output," } else { "of another output than" };
                let why = format!("it is {what} {}", Shown(output.path()));
                return Err(Error::BadCheckpoint { path: path.clone(), why });
            }
        }
        let notified = options.follow && options.wake == Wake::Notify;
        let notifier = notified.then(|| Notifier::start(options.interval)).transpose();
        let notifier = notifier.map_err(Error::Runtime)?;

        let claims = Arc::new(Claims::default());
        claims.output(output_id);
        let following = Following {
            quiet: options.quiet,
            keep: options.checkpoint.is_some(),
            last: match options.start {
                Start::Beginning => None,
                Start::End => Some(0),
                Start::LastLines(lines) => Some(lines),
            },
            began,
        };
        let common = Arc::new(Common {
            claims: Arc::clone(&claims),
            following,
            notifier,
            saved,
            marks: options.marks.clone(),
            count: Mutex::new(opened.len()),
            counters: Mutex::default(),
        });
        let saved = common.saved.as_ref();
        let chunk = ALL_CHUNKS / (opened.len() + options.patterns.len()).max(1);
        let chunk = chunk.clamp(LEAST_CHUNK, CHUNK);
        let source = |path, logs, joining, change| {
            Source::new(path, logs, joining, change, chunk, &stop, options.probe.clone())
        };
        let mut sources = Vec::new();
        for (index, (path, file)) in opened.into_iter().enumerate() {
            let change = Arc::new(Change::default());
            let log = common.log(index, Arc::clone(&path), file, None, following, &change);
            let log = log.map_err(|cause| Error::Read { path: path.to_path_buf(), cause })?;
            sources.push(source(path, vec![log], None, change));
        }
        for pattern in &options.patterns {
            let change = Arc::new(Change::default());
            let mut joining = Joining::new(pattern, &common, &change, &options)?;
            let logs = joining.join();
            sources.push(source(Path::new(pattern).into(), logs, Some(joining), change));
        }

        // Everything is known and checked: only now the output is touched.
        match saved {
            Some(saved) => output.cut(saved.output().1)?,
            None if options.append => output.behind()?,
            None => output.anew()?,
        }
        let follows = || sources.iter().flat_map(Source::follows);
        follows().for_each(|(path, _)| output.count(path));
        if let Some(path) = &options.checkpoint {
            let at = (output_id, output.length().unwrap_or(0));
            let stand = follows().flat_map(|(_, follow)| follow.positions());
            let (path, durability) = (path.clone(), options.durability);
            let checkpoint = Checkpoint::new(path, at, durability, claims, stand, saved);
            output.keep(checkpoint, options.follow)?;
        }
        if !options.follow {
            stop.request();
        }
        let interval = if notified { NOTIFIED } else { options.interval };
        let debug = options.debug;
        Ok(Plan { sources, output, interval, stop, debug, common })
    }

    /// Returns what tells how far the merge has come, while it runs.
    pub fn progress(&self) -> Progress {
        Progress::new(Arc::clone(&self.common))
    }
}

/// Which files are sources, and the first name of each.
type Names = HashMap<FileId, Arc<Path>>;

/// A path, and what it names, if anything.
type Opened = (Arc<Path>, Option<(File, FileId)>);

/// Opens each source; the same file, by whatever name, once.
fn open_sources<P: AsRef<Path>>(
    paths: impl IntoIterator<Item = P>,
    wait: bool,
) -> Result<(Names, Vec<Opened>), Error> {
    let mut names = Names::new();
    let mut missing: HashSet<Arc<Path>> = HashSet::new();
    let mut sources = Vec::new();
    for path in paths {
        let path: Arc<Path> = path.as_ref().into();
        match file::open(&path) {
            Ok((file, id)) => {
                if let Entry::Vacant(entry) = names.entry(id) {
                    entry.insert(Arc::clone(&path));
                    sources.push((path, Some((file, id))));
                }
            }
            Err(cause) if cause.kind() == io::ErrorKind::NotFound && wait => {
                if missing.insert(Arc::clone(&path)) {
                    sources.push((path, None));
                }
            }
            Err(cause) => return Err(Error::of_open(&path, cause)),
        }
    }
    Ok((names, sources))
}
