//! A pattern of paths as a source: `/var/log/*.log`. What fits it joins the
//! merge when it appears.

use std::collections::HashSet;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use glob::Pattern;
use tracing::info;

use crate::error::Shown;
use crate::following::claims::Claimed;
use crate::following::file;
use crate::following::follow::{Following, Stood};
use crate::following::log::{Common, Log};
use crate::waking::change::Change;
use crate::waking::notify::FolderWatch;
use crate::{Error, Options};

/// How often the folders are read at most, where nobody notifies.
const SELDOM: Duration = Duration::from_secs(1);

/// The logs that fit a pattern.
#[derive(Debug)]
pub(crate) struct Joining {
    pattern: String,
    common: Arc<Common>,
    change: Arc<Change>,
    known: HashSet<PathBuf>,
    watch: Option<FolderWatch>,
    /// When the folders are to be read again, where nobody notifies.
    due: Instant,
    interval: Duration,
    /// How a log is read that is there already; later ones from their start.
    first: Option<Following>,
}

impl Joining {
    pub(crate) fn new(
        pattern: &str,
        common: &Arc<Common>,
        change: &Arc<Change>,
        options: &Options,
    ) -> Result<Joining, Error> {
        Pattern::new(pattern).map_err(|error| Error::BadPattern {
            pattern: pattern.to_owned(),
            why: error.msg.to_owned(),
        })?;
        let watch = common.notifier.as_ref().map(|it| it.watch_folders(Arc::clone(change)));
        Ok(Joining {
            pattern: pattern.to_owned(),
            common: Arc::clone(common),
            change: Arc::clone(change),
            known: HashSet::new(),
            watch,
            due: Instant::now(),
            interval: options.interval.max(SELDOM),
            first: Some(common.following),
        })
    }

    /// Returns the logs that have come since the last time.
    ///
    /// # Blocking
    ///
    /// Reads folders, if one of them has changed.
    pub(crate) fn join(&mut self) -> Vec<Log> {
        if !self.is_due() {
            return Vec::new();
        }
        if let Some(watch) = &self.watch {
            // Before they are read: what comes in between makes them due again.
            folders(&self.pattern).iter().for_each(|folder| watch.arm(folder));
        }
        let began = SystemTime::now();
        let later = Following { last: None, began, ..self.common.following };
        let following = self.first.take().unwrap_or(later);
        let paths = glob::glob(&self.pattern).into_iter().flatten().flatten();
        paths.filter_map(|path| self.begin(path, following)).collect()
    }

    fn is_due(&mut self) -> bool {
        match &self.watch {
            Some(watch) => watch.take_due(),
            None if Instant::now() < self.due => false,
            None => {
                self.due = Instant::now() + self.interval;
                true
            }
        }
    }

    fn begin(&mut self, path: PathBuf, following: Following) -> Option<Log> {
        if self.known.contains(&path) {
            return None;
        }
        // What cannot be opened, or is no log, may become one: it is asked
        // again when its folder changes.
        let (file, id) = file::open(&path).ok()?;
        let mut count = self.common.count.lock().unwrap_or_else(PoisonError::into_inner);
        let stood = match self.common.claims.claim(id, *count) {
            Claimed::Yours => None,
            Claimed::From(position) => {
                Some(Stood { positions: vec![*position], at: SystemTime::now() })
            }
            Claimed::Anothers | Claimed::Output => return None,
        };
        self.known.insert(path.clone());
        info!("{}: joins the merge", Shown(&path));
        let file = Some((file, id));
        let log = self.common.log(*count, path.into(), file, stood, following, &self.change);
        *count += 1;
        log.ok()
    }
}

/// Returns the folders in which something may come to fit the pattern.
fn folders(pattern: &str) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    let mut before = PathBuf::new();
    for part in Path::new(pattern).components() {
        let wild = part.as_os_str().to_string_lossy().contains(['*', '?', '[']);
        if wild || !folders.is_empty() {
            let prefix = before.to_string_lossy();
            let prefix = if prefix.is_empty() { "." } else { &*prefix };
            let found = glob::glob(prefix).into_iter().flatten().flatten();
            folders.extend(found.filter(|path| fs::metadata(path).is_ok_and(|it| it.is_dir())));
        }
        if part != Component::CurDir {
            before.push(part);
        }
    }
    if folders.is_empty() {
        // No wild part: the name itself is waited for.
        folders.extend(Path::new(pattern).parent().map(Path::to_owned));
    }
    folders
}
