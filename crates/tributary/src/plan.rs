//! What to do.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::follow::Followed;
use crate::{Error, Output, Probe, Source, Stop};

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
    /// The longest wait between two looks at a source that has nothing new.
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
    /// The longest wait between two looks (default: 100 ms).
    pub interval: Duration,
    /// From which stall on the blocked loop is to be named (default: never).
    pub debug: Option<Duration>,
    /// A window for tests (default: none).
    pub probe: Option<Probe>,
}

impl Default for Options {
    fn default() -> Options {
        Options { follow: false, interval: Duration::from_millis(100), debug: None, probe: None }
    }
}

impl Plan {
    /// Opens the sources and the output, checks them, and only then empties
    /// the output.
    ///
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
        let mut names = HashMap::new();
        let mut opened: Vec<(Arc<Path>, Followed)> = Vec::new();
        for path in sources {
            let path: Arc<Path> = path.as_ref().into();
            let file = Followed::open(&path)?;
            if let Entry::Vacant(entry) = names.entry(file.id()) {
                entry.insert(Arc::clone(&path));
                opened.push((path, file));
            }
        }

        let stop = Stop::new();
        let mut output = Output::open(output.into(), &stop)?;
        if let Some(path) = names.get(&output.id()?) {
            return Err(Error::OutputIsSource {
                output: output.path().to_owned(),
                path: path.to_path_buf(),
            });
        }
        output.begin(opened.iter().map(|(path, _)| &**path))?;

        let chunk = (ALL_CHUNKS / opened.len().max(1)).clamp(LEAST_CHUNK, CHUNK);
        let sources = opened
            .into_iter()
            .enumerate()
            .map(|(index, (path, file))| {
                Source::new(index, path, file, chunk, &stop, options.probe.clone())
            })
            .collect();
        if !options.follow {
            stop.request();
        }
        Ok(Plan { sources, output, interval: options.interval, stop, debug: options.debug })
    }
}
