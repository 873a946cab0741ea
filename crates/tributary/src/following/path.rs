//! Where paths lead: through links, and whatever their folders are called.

use std::borrow::Borrow;
use std::char::TryFromCharError;
use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::ops::Deref;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// How many symbolic links are followed: as many as by the kernel.
const MOST_LINKS: usize = 40;

/// A path in the form in which paths are compared: absolute, its folder without
/// links. The last name stays as it is, whatever it leads to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub(crate) struct FullPath(Arc<Path>);

impl FullPath {
    pub(crate) fn of(path: &Path) -> FullPath {
        let folder = folder(path);
        let folder =
            fs::canonicalize(&folder).or_else(|_| std::path::absolute(&folder)).unwrap_or(folder);
        FullPath(folder.join(path.file_name().unwrap_or_default()).into())
    }

    /// Returns where a path leads, through links.
    pub(crate) fn target(path: &Path) -> FullPath {
        let (folder, name) = target(path);
        FullPath::of(&folder.join(name))
    }

    /// Returns the path of another name in the same folder.
    pub(crate) fn with_name(&self, name: &OsStr) -> FullPath {
        FullPath(self.0.with_file_name(name).into())
    }

    pub(crate) fn folder(&self) -> &Path {
        self.0.parent().unwrap_or(&self.0)
    }

    pub(crate) fn name(&self) -> &OsStr {
        self.0.file_name().unwrap_or_default()
    }
}

/// Full paths of many files, each folder of which is resolved once.
#[derive(Debug, Default)]
pub(crate) struct FullPaths(HashMap<PathBuf, FullPath>);

impl FullPaths {
    /// As [`FullPath::of`], without a copy where `path` has that form.
    pub(crate) fn of(&mut self, path: &Arc<Path>) -> FullPath {
        let in_folder = self.0.entry(folder(path)).or_insert_with(|| FullPath::of(path));
        let full = in_folder.with_name(path.file_name().unwrap_or_default());
        if *full.0 == **path { FullPath(Arc::clone(path)) } else { full }
    }
}

impl Deref for FullPath {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0
    }
}

impl Borrow<Path> for FullPath {
    fn borrow(&self) -> &Path {
        &self.0
    }
}

impl From<FullPath> for String {
    fn from(path: FullPath) -> String {
        to_text(path.as_os_str().as_bytes())
    }
}

impl TryFrom<String> for FullPath {
    type Error = TryFromCharError;

    fn try_from(text: String) -> Result<FullPath, TryFromCharError> {
        let bytes = from_text(&text)?;
        Ok(FullPath(PathBuf::from(OsString::from_vec(bytes)).into()))
    }
}

/// Returns bytes as a checkpoint has them: a string whose characters are the
/// bytes. ASCII stays readable, and what is not UTF-8 is not lost.
pub(crate) fn to_text(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

pub(crate) fn from_text(text: &str) -> Result<Vec<u8>, TryFromCharError> {
    text.chars().map(u8::try_from).collect()
}

/// Returns the folder of a path: `.` where it names none.
pub(crate) fn folder(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Returns the folder and the name to which a path leads, through symbolic
/// links, whether there is such a file now or not.
pub(crate) fn target(path: &Path) -> (PathBuf, OsString) {
    names(path).pop().unwrap_or_else(|| (folder(path), OsString::new()))
}

/// Returns the folders in which a name leads to `path`, with that name: one for each
/// symbolic link on the way, be it that of a folder, and the file's own as the last.
pub(crate) fn names(path: &Path) -> Vec<(PathBuf, OsString)> {
    let mut names = Vec::new();
    // What is walked, and what is left: the next part at the end.
    let mut folder = PathBuf::new();
    let mut left: Vec<OsString> = parts(path);
    while let Some(part) = left.pop() {
        let here = folder.join(&part);
        // Neither `/` nor `..` is a link. All names but the last are of links.
        let link = fs::read_link(&here).ok().filter(|_| names.len() < MOST_LINKS);
        if link.is_some() || (left.is_empty() && here.file_name() == Some(&part)) {
            let place = if folder.as_os_str().is_empty() { Path::new(".") } else { &folder };
            names.push((place.to_owned(), part));
        }
        match link {
            Some(target) => left.extend(parts(&target)),
            None => folder = here,
        }
    }
    names
}

/// Returns the parts of a path, the first at the end.
fn parts(path: &Path) -> Vec<OsString> {
    path.components().rev().map(|part| part.as_os_str().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_target_of_a_path_through_links_and_without_a_file() {
        let tree = tempfile::tempdir().unwrap();
        let at = |name: &str| tree.path().join(name);
        fs::create_dir(at("logs")).unwrap();
        std::os::unix::fs::symlink("logs/current", at("app.log")).unwrap();
        std::os::unix::fs::symlink("real.log", at("logs/current")).unwrap();
        assert_eq!(target(&at("app.log")), (at("logs"), "real.log".into()));
        assert_eq!(target(&at("other")), (tree.path().to_owned(), "other".into()));
        assert_eq!(target(Path::new("here")), (".".into(), "here".into()));
    }

    #[test]
    fn finds_every_link_on_the_way() {
        let tree = tempfile::tempdir().unwrap();
        let at = |name: &str| tree.path().join(name);
        let place = |folder: &str, name: &str| (at(folder), OsString::from(name));
        fs::create_dir_all(at("releases/1/logs")).unwrap();
        let link = |to: &str, name: &str| std::os::unix::fs::symlink(to, at(name)).unwrap();
        link("releases/1", "current");
        link("../current/logs/app.log", "releases/app.log");
        link(at("releases").to_str().unwrap(), "all");
        link("loop", "loop");
        let found = names(&at("all/app.log"));
        let expected = [
            (tree.path().to_owned(), "all".into()),
            place("releases", "app.log"),
            (at("releases/.."), "current".into()),
            (at("releases/../releases/1/logs"), "app.log".into()),
        ];
        assert_eq!(found, expected);
        assert_eq!(names(&at("releases/1/none")), [place("releases/1", "none")]);
        assert_eq!(names(&at("loop")).len(), MOST_LINKS + 1);
        assert_eq!(names(Path::new("/")), []);
    }
}
