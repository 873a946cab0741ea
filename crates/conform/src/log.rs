//! A log, and the program that writes it.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use checker::tag;

/// A log that is written by a law.
///
/// A file of a law's own folder that cannot be written is no fault of the program
/// that is judged, so that is a panic.
pub(crate) struct Log {
    pub(crate) path: PathBuf,
    index: usize,
    file: File,
    /// The one that was written before it.
    before: Option<File>,
    lines: u64,
    /// All that was written, whatever became of the file.
    pub(crate) written: Vec<u8>,
}

impl Log {
    pub(crate) fn new(folder: &Path, index: usize) -> Log {
        let path = folder.join(format!("source-{index:04}.log"));
        let file = append_to(&path);
        Log { path, index, file, before: None, lines: 0, written: Vec::new() }
    }

    /// Writes tagged lines, in one write.
    pub(crate) fn write(&mut self, lines: u64) {
        let lines: Vec<u8> = (0..lines).flat_map(|_| self.next(b"a line of a log")).collect();
        self.write_bytes(&lines);
    }

    /// Returns the next tagged line, for a law that writes it in its own way.
    pub(crate) fn next(&mut self, payload: &[u8]) -> Vec<u8> {
        self.lines += 1;
        let mut line = Vec::new();
        tag::write(&mut line, self.index, self.lines, None, payload);
        line
    }

    pub(crate) fn write_bytes(&mut self, bytes: &[u8]) {
        self.file.write_all(bytes).expect("a log can be written");
        self.written.extend_from_slice(bytes);
    }

    /// Gives the file another name; its writer goes on in it.
    pub(crate) fn rename(&self) {
        fs::rename(&self.path, self.path.with_extension("log.1")).expect("a log can be renamed");
    }

    /// Takes the file its name; its writer goes on in it.
    pub(crate) fn delete(&self) {
        fs::remove_file(&self.path).expect("a log can be deleted");
    }

    /// Makes a new file of the log's name, and goes on in that.
    pub(crate) fn create(&mut self) {
        self.before = Some(std::mem::replace(&mut self.file, append_to(&self.path)));
    }

    /// Writes lines to the file that was written before, as a program does that has not
    /// heard of the rotation.
    pub(crate) fn write_late(&mut self, lines: u64) {
        let before = self.before.take().expect("the log was rotated");
        let now = std::mem::replace(&mut self.file, before);
        self.write(lines);
        self.before = Some(std::mem::replace(&mut self.file, now));
    }

    pub(crate) fn truncate(&self) {
        self.file.set_len(0).expect("a log can be truncated");
    }

    /// Returns how many bytes were written in whole lines.
    pub(crate) fn whole(&self) -> usize {
        self.written.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1)
    }
}

fn append_to(path: &Path) -> File {
    File::options().append(true).create(true).open(path).expect("a log can be made")
}
