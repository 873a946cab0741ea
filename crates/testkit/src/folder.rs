use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A folder of log files, removed on drop.
#[derive(Debug)]
pub struct Folder(TempDir);

impl Default for Folder {
    fn default() -> Folder {
        Folder::new()
    }
}

impl Folder {
    /// Makes an empty folder.
    #[track_caller]
    pub fn new() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    /// Makes a folder with these files: each a name and a text.
    #[track_caller]
    pub fn of<const N: usize>(files: [(&str, &str); N]) -> Folder {
        let folder = Folder::new();
        for (name, text) in files {
            folder.append(name, text);
        }
        folder
    }

    /// Returns the path of a file in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Returns the path of the folder.
    pub fn folder(&self) -> &Path {
        self.0.path()
    }

    /// Appends to a file. Makes it, and its folder, if they are missing.
    #[track_caller]
    pub fn append(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("it is in the folder")).unwrap();
        let file = OpenOptions::new().append(true).create(true).open(path);
        file.unwrap().write_all(text.as_bytes()).unwrap();
    }

    /// Renames a file within the folder.
    #[track_caller]
    pub fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).unwrap();
    }

    /// Returns the text of a file, or nothing if it cannot be read.
    pub fn read(&self, name: &str) -> String {
        let bytes = fs::read(self.path(name)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Keeps the folder, for somebody to look at, and returns its path.
    pub fn keep(self) -> PathBuf {
        self.0.keep()
    }
}
