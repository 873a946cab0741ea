//! What to do.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::change::Change;
use crate::claims::Claims;
use crate::file::{self, LogFile};
use crate::follow::Follow;
use crate::identity::FileId;
use crate::notify::Notifier;
use crate::{Error, Marks, Output, Probe, Progress, Source, Stop};

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
}

/// How to merge; `Options::default()` merges what is there and ends.
#[derive(Debug, Clone)]
pub struct Options {
    /// Goes on with what is written later, until the stop (default: no).
    pub follow: bool,
    /// How a source learns that there is something new (default: it looks).
    pub wake: Wake,
    /// How often a source is asked for something new, where nothing notifies
    /// (default: 100 ms).
    pub interval: Duration,
    /// How long a file is read on, and kept open, that has lost its name to a
    /// rotation or a deletion and to which nothing is written (default: 6 s).
    pub quiet: Duration,
    /// From which stall on the blocked loop is to be named (default: never).
    pub debug: Option<Duration>,
    /// What is put round each line (default: nothing).
    pub marks: Marks,
    /// A window for tests (default: none).
    pub probe: Option<Probe>,
}

/// How a source that follows learns that there is something new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// The operating system notifies, through one thread for all sources. Where
    /// it cannot (a network file system, a limit that was met), that thread
    /// asks every [`interval`](Options::interval).
    Notify,
    /// Each source looks every [`interval`](Options::interval), as in the book.
    Poll,
}

/// A wait that something else ends.
const NOTIFIED: Duration = Duration::from_secs(24 * 60 * 60);

impl Default for Options {
    fn default() -> Options {
        Options {
            follow: false,
            wake: Wake::Poll,
            interval: Duration::from_millis(100),
            quiet: Duration::from_secs(6),
            debug: None,
            marks: Marks::None,
            probe: None,
        }
    }
}

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
        output: impl Into<PathBuf>,
        options: Options,
    ) -> Result<Plan, Error> {
        let mut names: HashMap<FileId, Arc<Path>> = HashMap::new();
        let mut opened = Vec::new();
        for path in sources {
            let path: Arc<Path> = path.as_ref().into();
            match file::open(&path) {
                Ok((file, id)) => {
                    if let Entry::Vacant(entry) = names.entry(id) {
                        entry.insert(Arc::clone(&path));
                        opened.push((path, Some(LogFile::new(file, id))));
                    }
                }
                Err(cause) if cause.kind() == io::ErrorKind::NotFound && options.follow => {
                    if !opened.iter().any(|(other, _)| *other == path) {
                        opened.push((path, None));
                    }
                }
                Err(cause) => return Err(Error::of_open(&path, cause)),
            }
        }

        let stop = Stop::new();
        let mut output = Output::open(output.into(), &stop)?;
        let output_id = output.id()?;
        if let Some(path) = names.get(&output_id) {
            return Err(Error::OutputIsSource {
                output: output.path().to_owned(),
                path: path.to_path_buf(),
            });
        }
        let notifier = if options.follow && options.wake == Wake::Notify {
            Some(Notifier::start(options.interval).map_err(Error::Runtime)?)
        } else {
            None
        };
        output.begin(opened.iter().map(|(path, _)| &**path))?;

        let claims = Arc::new(Claims::default());
        claims.output(output_id);
        let chunk = (ALL_CHUNKS / opened.len().max(1)).clamp(LEAST_CHUNK, CHUNK);
        let sources = opened.into_iter().enumerate().map(|(index, (path, file))| {
            let change = Arc::new(Change::default());
            let watch = notifier.as_ref();
            let watch = watch.map(|it| it.watch(Arc::clone(&path), Arc::clone(&change)));
            let claims = Arc::clone(&claims);
            let follow = Follow::new(index, path.clone(), file, claims, watch, options.quiet);
            Source::new(index, path, follow, chunk, &stop, change, &options)
        });
        let sources = sources.collect();
        if !options.follow {
            stop.request();
        }
        let interval = if notifier.is_some() { NOTIFIED } else { options.interval };
        Ok(Plan { sources, output, interval, stop, debug: options.debug })
    }

    /// Returns what tells how far the merge has come, while it runs.
    pub fn progress(&self) -> Progress {
        Progress::new(self.sources.iter().map(Source::counters))
    }
}
