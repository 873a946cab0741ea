//! The program that writes a log, and rotates, truncates, deletes and remakes its file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use crate::scene::{Log, Scene};

/// Something that happens to a log between two looks.
pub(crate) type Step = fn(&mut Pen) -> io::Result<()>;

/// Takes the pen, also from a probe that has panicked.
pub(crate) fn lock(pen: &Mutex<Pen>) -> MutexGuard<'_, Pen> {
    pen.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The writer of a log, which numbers its lines and knows which bytes have to be
/// merged.
pub(crate) struct Pen {
    log: Log,
    /// The file that is written, whatever its name is by now.
    file: File,
    /// The file that was written before it.
    before: Option<File>,
    lines: u64,
    /// All bytes that have to be merged, in order.
    written: Vec<u8>,
    /// How often the log was rotated.
    pub(crate) rotations: usize,
}

impl Pen {
    /// Begins to write a log that exists and is empty.
    pub(crate) fn new(log: &Log) -> Pen {
        let file = append_to(&log.path).expect("a log can be written");
        Pen { log: log.clone(), file, before: None, lines: 0, written: Vec::new(), rotations: 0 }
    }

    /// Writes tagged lines, in one write.
    pub(crate) fn write(&mut self, lines: u64) -> io::Result<()> {
        let lines = self.next(lines);
        self.file.write_all(&lines)
    }

    /// Writes tagged lines to the file that was written before, as a program
    /// does that has not heard of the rotation.
    pub(crate) fn write_late(&mut self, lines: u64) -> io::Result<()> {
        let lines = self.next(lines);
        self.write_late_bytes(&lines)
    }

    /// Writes bytes to that file. The law itself knows what becomes of them.
    pub(crate) fn write_late_bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.before.as_mut().expect("there was a file before").write_all(bytes)
    }

    /// Writes a line without its newline. It has to be merged with one, since its rest
    /// never comes.
    pub(crate) fn write_half(&mut self) -> io::Result<()> {
        let line = self.next(1);
        self.file.write_all(&line[..line.len() - 1])
    }

    /// Renames the log, as `logrotate` does, and those that were renamed
    /// before: nothing has its name then.
    pub(crate) fn rename(&mut self) -> io::Result<()> {
        let oldest = (1..).find(|&times| !self.rotated(times).exists()).expect("names are many");
        for times in (1..oldest).rev() {
            fs::rename(self.rotated(times), self.rotated(times + 1))?;
        }
        self.rotations += 1;
        fs::rename(&self.log.path, self.rotated(1))
    }

    /// Renames the log, over the file that was renamed before.
    pub(crate) fn replace_renamed(&mut self) -> io::Result<()> {
        self.rotations += 1;
        fs::rename(&self.log.path, self.rotated(1))
    }

    /// Deletes the file that was renamed last.
    pub(crate) fn remove_renamed(&mut self) -> io::Result<()> {
        fs::remove_file(self.rotated(1))
    }

    /// Deletes the log.
    pub(crate) fn remove(&mut self) -> io::Result<()> {
        fs::remove_file(&self.log.path)
    }

    /// Deletes the log and its folder.
    pub(crate) fn remove_folder(&mut self) -> io::Result<()> {
        fs::remove_dir_all(self.log.path.parent().expect("a log is in a folder"))
    }

    /// Makes the log anew, and its folder if that is missing, and goes on in it.
    pub(crate) fn create(&mut self) -> io::Result<()> {
        fs::create_dir_all(self.log.path.parent().expect("a log is in a folder"))?;
        let metadata = self.file.metadata()?;
        self.after_the_tick_of(metadata.created().or_else(|_| metadata.modified())?)?;
        File::create_new(&self.log.path)?;
        self.go_on_in(append_to(&self.log.path)?);
        Ok(())
    }

    /// Renames the log and makes it anew.
    pub(crate) fn rotate(&mut self) -> io::Result<()> {
        self.rename()?;
        self.create()
    }

    /// Truncates the log, as `copytruncate` does.
    pub(crate) fn truncate(&mut self) -> io::Result<()> {
        self.file.set_len(0)
    }

    /// Writes a line that no reader can see, since it is truncated at once.
    pub(crate) fn write_and_truncate(&mut self) -> io::Result<()> {
        self.file.write_all(b"gone, and nobody has seen it\n")?;
        self.truncate()
    }

    /// Overwrites the file with other lines. As many lines have as many bytes.
    pub(crate) fn rewrite(&mut self, lines: u64) -> io::Result<()> {
        let before = self.written.len();
        for _ in 0..lines {
            self.lines += 1;
            let line = self.log.long_line(self.lines, 50);
            self.written.extend(line);
            self.written.push(b'\n');
        }
        // Within one tick of the clock, a file of the same size looks the same.
        self.after_the_tick_of(self.file.metadata()?.modified()?)?;
        fs::write(&self.log.path, &self.written[before..])
    }

    /// Has the path of the log, as a symbolic link, lead to another file, and
    /// goes on in that.
    pub(crate) fn lead_to(&mut self, name: &str) -> io::Result<()> {
        let (target, link) = (self.beside(name), self.beside("link"));
        let file = OpenOptions::new().append(true).create(true).open(&target)?;
        symlink(&target, &link)?;
        fs::rename(&link, &self.log.path)?;
        self.go_on_in(file);
        Ok(())
    }

    /// Has the folder of the log, as a symbolic link, lead to another folder, and goes on
    /// in the log there. A folder that is no link yet is deleted, with what is in it.
    pub(crate) fn lead_folder_to(&mut self, name: &str) -> io::Result<()> {
        let folder = self.log.path.parent().expect("a log is in a folder");
        let (target, link) = (folder.with_file_name(name), folder.with_file_name("link"));
        fs::create_dir_all(&target)?;
        if !folder.is_symlink() {
            fs::remove_dir_all(folder)?;
        }
        symlink(&target, &link)?;
        fs::rename(&link, folder)?;
        let file = OpenOptions::new().append(true).create(true).open(&self.log.path)?;
        self.go_on_in(file);
        Ok(())
    }

    /// Returns how many bytes have to be merged by now.
    pub(crate) fn bytes(&self) -> u64 {
        self.written.len() as u64
    }

    /// Returns a log of all bytes that have to be merged.
    pub(crate) fn expected(&self, scene: &Scene) -> Log {
        scene.expected(&self.log, &self.written)
    }

    fn next(&mut self, lines: u64) -> Vec<u8> {
        let next = self.log.lines(self.lines + 1..=self.lines + lines);
        self.lines += lines;
        self.written.extend_from_slice(&next);
        next
    }

    fn go_on_in(&mut self, file: File) {
        self.before = Some(std::mem::replace(&mut self.file, file));
    }

    fn rotated(&self, times: usize) -> PathBuf {
        let mut path = self.log.path.clone().into_os_string();
        path.push(format!(".{times}"));
        path.into()
    }

    fn beside(&self, name: &str) -> PathBuf {
        self.log.path.with_file_name(name)
    }

    /// Waits until the clock of the file system has moved on: two times of one tick
    /// have no order.
    fn after_the_tick_of(&self, time: SystemTime) -> io::Result<()> {
        let clock = self.beside("clock");
        loop {
            let now = File::create_new(&clock)?.metadata()?.modified()?;
            fs::remove_file(&clock)?;
            if now > time {
                return Ok(());
            }
        }
    }
}

fn append_to(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).open(path)
}
