//! What the tests have in common: a folder with logs, and merges of them that
//! are driven by hand, so that each race has one outcome.
//!
//! To drop a merge is what `kill -9` is: nothing is saved.

pub(crate) mod said;

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tributary::{Error, Options, Plan, Read, Wake};

/// A folder for logs, an output and a checkpoint.
pub(crate) struct Place {
    folder: TempDir,
    pub(crate) log: PathBuf,
    pub(crate) output: PathBuf,
    pub(crate) checkpoint: PathBuf,
    /// How its merges are opened: they follow, and look by themselves.
    pub(crate) options: Options,
}

impl Place {
    pub(crate) fn new() -> Place {
        let folder = tempfile::tempdir().unwrap();
        let path = |name| folder.path().join(name);
        let (log, output, checkpoint) = (path("app.log"), path("merged.log"), path("state"));
        let options = Options { follow: true, wake: Wake::Poll, ..Options::default() };
        Place { folder, log, output, checkpoint, options }
    }

    /// A place whose merges keep a checkpoint.
    pub(crate) fn with_checkpoint() -> Place {
        let mut place = Place::new();
        place.options.checkpoint = Some(place.checkpoint.clone());
        place
    }

    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn append(&self, name: impl AsRef<Path>, bytes: impl AsRef<[u8]>) -> File {
        append(self.path(name), bytes)
    }

    pub(crate) fn rename(&self, from: impl AsRef<Path>, to: impl AsRef<Path>) {
        fs::rename(self.path(from), self.path(to)).unwrap();
    }

    pub(crate) fn read(&self, name: impl AsRef<Path>) -> String {
        String::from_utf8_lossy(&fs::read(self.path(name)).unwrap()).into_owned()
    }

    pub(crate) fn merged(&self) -> String {
        self.read(&self.output)
    }

    /// Returns the options with a pattern in this folder.
    pub(crate) fn pattern(&self, pattern: &str) -> Options {
        let patterns = vec![self.path(pattern).to_str().unwrap().to_owned()];
        Options { patterns, ..self.options.clone() }
    }

    /// Opens a merge of `app.log`.
    pub(crate) fn open(&self) -> Merge {
        self.merge(&["app.log"], self.options.clone())
    }

    /// Opens a merge of `app.log` with options that are changed.
    pub(crate) fn open_with(&self, change: impl FnOnce(&mut Options)) -> Merge {
        let mut options = self.options.clone();
        change(&mut options);
        self.merge(&["app.log"], options)
    }

    pub(crate) fn merge(&self, names: &[&str], options: Options) -> Merge {
        self.try_merge(names, options).unwrap()
    }

    pub(crate) fn try_merge(&self, names: &[&str], options: Options) -> Result<Merge, Error> {
        let logs = names.iter().map(|name| self.path(name));
        Plan::open(logs, &self.output, options)
            .map(|plan| Merge { plan, merged: self.output.clone() })
    }

    /// Says why a merge of `app.log` is refused.
    #[track_caller]
    pub(crate) fn refused(&self, options: Options) -> Error {
        self.try_merge(&["app.log"], options).err().expect("the merge is not refused")
    }

    /// Merges what is there, and ends in good order; returns the output.
    pub(crate) fn run(&self, names: &[&str], options: Options) -> String {
        self.merge(names, options).end();
        self.merged()
    }
}

/// A merge that is driven by hand.
pub(crate) struct Merge {
    plan: Plan,
    merged: PathBuf,
}

impl Merge {
    pub(crate) fn new(log: impl AsRef<Path>, output: &Path, options: Options) -> Merge {
        Merge { plan: Plan::open([log], output, options).unwrap(), merged: output.to_owned() }
    }

    /// Reads lines of the first source, up to a chunk; false if it has none.
    pub(crate) fn look_once(&mut self) -> bool {
        look_once(&mut self.plan, 0)
    }

    /// Looks until there is nothing new, or the end.
    pub(crate) fn drain(&mut self) {
        for source in 0..self.plan.sources.len() {
            while look_once(&mut self.plan, source) {}
        }
    }

    /// Looks, and ends in good order.
    pub(crate) fn end(mut self) {
        self.drain();
        self.output.finish().unwrap();
    }

    /// Looks, and returns what the output holds then.
    pub(crate) fn look(&mut self) -> String {
        self.drain();
        String::from_utf8_lossy(&fs::read(&self.merged).unwrap()).into_owned()
    }

    /// Looks, and returns what that has added to the output.
    pub(crate) fn added(&mut self) -> String {
        let before = fs::metadata(&self.merged).unwrap().len() as usize;
        self.drain();
        String::from_utf8_lossy(&fs::read(&self.merged).unwrap()[before..]).into_owned()
    }

    /// Looks until the output is as expected.
    #[track_caller]
    pub(crate) fn look_until(&mut self, expected: &str) {
        testkit::until(&format!("the output is {expected:?}"), || self.look() == expected);
    }
}

fn look_once(plan: &mut Plan, source: usize) -> bool {
    let Read::Lines(lines) = plan.sources[source].read_lines().unwrap() else { return false };
    plan.output.append(&lines).unwrap();
    true
}

impl Deref for Merge {
    type Target = Plan;

    fn deref(&self) -> &Plan {
        &self.plan
    }
}

impl DerefMut for Merge {
    fn deref_mut(&mut self) -> &mut Plan {
        &mut self.plan
    }
}

/// Appends to a file, which is made if it is not there, and its folder, too.
pub(crate) fn append(path: impl AsRef<Path>, bytes: impl AsRef<[u8]>) -> File {
    fs::create_dir_all(path.as_ref().parent().unwrap()).unwrap();
    let mut file = OpenOptions::new().append(true).create(true).open(path).unwrap();
    file.write_all(bytes.as_ref()).unwrap();
    file
}
