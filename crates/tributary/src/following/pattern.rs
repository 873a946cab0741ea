//! A pattern of paths: `/var/log/*.log`. A file that fits joins the merge when it
//! appears, and leaves when it is gone and read to its end.

use std::collections::{BTreeMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use tracing::{info, warn};

use crate::error::Shown;
use crate::following::expand::{self, Expanded, Pattern};
use crate::following::file::Spare;
use crate::following::follow::{Begun, Name};
use crate::following::log::{Common, Log};
use crate::following::path::FullPaths;
use crate::waking::change::Bell;
use crate::waking::watch::FolderWatch;
use crate::{Error, Start};

/// How soon the folders are read again, if a file could not be opened, or if nothing
/// notifies.
const RETRY: Duration = Duration::from_secs(1);

/// The logs that come to fit a pattern.
#[derive(Debug)]
pub(crate) struct Joining {
    pattern: Pattern,
    /// The pattern as it was given.
    text: Arc<Path>,
    common: Arc<Common>,
    /// Rung when the folders have to be read.
    bell: Arc<Bell>,
    watch: Option<FolderWatch>,
    /// The folders in which something may come to fit.
    folders: HashSet<PathBuf>,
    /// When the folders are read again, notified or not.
    retry: Option<Instant>,
    /// Files that cannot be merged at the moment. Each was warned of.
    left_out: BTreeMap<PathBuf, io::Error>,
}

impl Joining {
    pub(crate) fn new(
        pattern: Pattern,
        text: &str,
        common: &Arc<Common>,
        bell: Arc<Bell>,
    ) -> Joining {
        let watch = common.notifier.as_ref().map(|it| FolderWatch::new(it, &bell));
        let mut patterns = common.patterns.lock().unwrap_or_else(PoisonError::into_inner);
        patterns.push(Arc::clone(&bell));
        drop(patterns);
        Joining {
            pattern,
            text: Path::new(text).into(),
            common: Arc::clone(common),
            bell,
            watch,
            folders: HashSet::new(),
            retry: None,
            left_out: BTreeMap::new(),
        }
    }

    /// Returns the pattern as it was given.
    pub(crate) fn text(&self) -> &Arc<Path> {
        &self.text
    }

    /// Returns the logs that have come since the last time.
    ///
    /// # Blocking
    ///
    /// Reads folders, if one of them has changed; with `last`, in any case.
    pub(crate) fn join(&mut self, last: bool) -> Vec<Log> {
        let retry = self.retry.is_some_and(|retry| retry <= Instant::now());
        if !self.bell.take() && !retry && !last {
            return Vec::new();
        }
        self.read_folders(SystemTime::now())
    }

    /// Returns the logs that fit and are not followed yet, as of `began`.
    fn read_folders(&mut self, began: SystemTime) -> Vec<Log> {
        let mut complete = true;
        let mut watch = self.watch.as_mut();
        let Expanded { paths, refused, .. } = self.pattern.expand(&mut self.folders, |folder| {
            complete &= watch.as_mut().is_some_and(|watch| watch.arm(folder));
        });
        if let Some(watch) = watch {
            watch.keep(&self.folders);
        }
        let told = std::mem::take(&mut self.left_out);
        self.left_out.extend(refused);
        let mut joined = Vec::new();
        let mut full_paths = FullPaths::default();
        for path in paths {
            let path: Arc<Path> = path.into();
            let home = full_paths.of(&path);
            if self.common.files.is_followed(&home) {
                continue;
            }
            match self.begin(Name { path: Arc::clone(&path), home, by_name: false }, began) {
                Ok(Some((Begun::Yes, log))) => {
                    info!("{}: joins the merge", Shown(&path));
                    joined.push(log);
                }
                Ok(None) => {}
                Ok(Some((Begun::No, log))) => log.withdraw(),
                Ok(Some((Begun::Later, log))) => {
                    log.withdraw();
                    complete = false;
                }
                // It was there when its folder was read, and is gone.
                Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
                Err(cause) => {
                    self.left_out.insert(path.to_path_buf(), cause);
                }
            }
        }
        for (path, cause) in &self.left_out {
            if !told.contains_key(path) {
                warn!("{}: left out: {}", Shown(path), cause);
            }
        }
        complete &= self.left_out.is_empty() && self.watch.is_some();
        self.retry = (!complete).then(|| Instant::now() + RETRY);
        if let (Some(watch), Some(retry)) = (&mut self.watch, self.retry) {
            watch.retry_at(retry);
        }
        joined
    }

    fn begin(&self, name: Name, began: SystemTime) -> io::Result<Option<(Begun, Log)>> {
        let _spare = Spare::hold()?;
        let (file, id) = expand::open_trusted(&name.path)?;
        if self.common.files.is_taken(id, &file.metadata()?) {
            return Ok(None);
        }
        let bell = Bell::new(Arc::clone(self.bell.change()));
        let mut log = Log::new(&self.common, name, Some(id), began, bell)?;
        match log.follow.begin(Some((file, id)), Start::Beginning, began) {
            Ok(begun) => Ok(Some((begun, log))),
            Err(cause) => {
                // Otherwise its path would be followed, by nobody.
                log.withdraw();
                Err(cause)
            }
        }
    }

    /// Returns the error of a file that fits and could not be opened, if there is one:
    /// a merge that does not follow leaves it out.
    pub(crate) fn take_left_out(&mut self) -> Option<Error> {
        // A link that is not trusted is left out on purpose, with a warning.
        self.left_out.retain(|_, cause| cause.raw_os_error().is_some());
        let (path, cause) = self.left_out.pop_first()?;
        Some(Error::Read { path, cause })
    }
}
