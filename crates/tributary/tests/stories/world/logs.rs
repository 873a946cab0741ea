//! What happens to the logs: written, rotated, copied, restored, removed.

use std::fs::{self, File, FileTimes, OpenOptions};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use crate::alphabet::{Log, Rotation};
use crate::model::{Claim, FileNo, LOGS};
use crate::world::{FINGERPRINT, KEPT, Running, Thing, Told, World, told};

impl World {
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("logs").join(name)
    }

    pub(super) fn file(&self, name: &str) -> Option<FileNo> {
        match self.names.get(name) {
            Some(Thing::File(file)) => Some(*file),
            _ => None,
        }
    }

    fn name_of(&self, file: FileNo) -> Option<String> {
        let named = |thing: &Thing| matches!(thing, Thing::File(other) if *other == file);
        self.names.iter().find(|(_, thing)| named(thing)).map(|(name, _)| name.clone())
    }

    /// Tells whether a merge runs that lets files go at once, and names no log.
    fn lets_go_unfollowed(&self) -> bool {
        self.running.as_ref().is_some_and(|it| !it.run.patient && !it.run.by.names_logs())
    }

    fn is_asked_for(&self, log: Log) -> bool {
        log == 0 || self.setting.near
    }

    /// Creates a file. One that gets a used inode is born later than the file
    /// before, since by nothing else the two can be told apart.
    pub(super) fn create(&mut self, name: &str, log: Option<Log>, claim: Claim) -> FileNo {
        let born = loop {
            let file = File::create_new(self.path(name)).unwrap().metadata().unwrap();
            let born = file.created().unwrap();
            if self.births.insert(file.ino(), born).is_none_or(|before| before < born) {
                break born;
            }
            fs::remove_file(self.path(name)).unwrap();
        };
        let file = self.model.create(log, born, claim);
        self.names.insert(name.to_owned(), Thing::File(file));
        file
    }

    /// Creates the file of a log.
    fn create_log(&mut self, log: Log) -> FileNo {
        let claim = match (self.is_asked_for(log), self.model.known[log]) {
            (false, _) => Claim::Never,
            // What comes and goes between two looks is found by its name.
            (true, known) if known && self.setting.rotation != Rotation::Foreign => Claim::OfLog,
            (true, _) => Claim::Perhaps,
        };
        self.create(LOGS[log], Some(log), claim)
    }

    /// Returns the name of a log and its file, which is made if there is none.
    fn file_of(&mut self, log: Log) -> (&'static str, FileNo) {
        let name = LOGS[log];
        (name, self.file(name).unwrap_or_else(|| self.create_log(log)))
    }

    pub(super) fn append(&mut self, name: &str, file: FileNo, lines: usize) {
        let bytes = self.model.write(file, lines);
        self.append_bytes(name, &bytes);
    }

    fn append_bytes(&self, name: &str, bytes: &str) {
        let mut file = OpenOptions::new().append(true).open(self.path(name)).unwrap();
        file.write_all(bytes.as_bytes()).unwrap();
    }

    pub(super) fn write(&mut self, log: Log, lines: usize) -> String {
        let (name, file) = self.file_of(log);
        self.append(name, file, lines);
        format!("write {lines} lines to {name} (file {file})")
    }

    pub(super) fn half(&mut self, log: Log) -> Option<String> {
        let (name, file) = self.file_of(log);
        // A file that is back may belong to a source of another name, which lets it go
        // and ends the line, where no log follows the name that is back.
        let ends = self.model.files[file].back && self.lets_go_unfollowed();
        if self.model.files[file].half.is_some() || ends {
            return None;
        }
        let bytes = self.model.write_half(file);
        self.append_bytes(name, &bytes);
        Some(format!("begin a line in {name} (file {file})"))
    }

    pub(super) fn late(&mut self, log: Log) -> Option<String> {
        let files = &self.model.logs[log];
        let file = files.len().checked_sub(2).map(|last| files[last])?;
        let name = self.name_of(file)?;
        let half = self.model.files[file].half.is_some();
        if self.model.files[file].let_go || half {
            return None;
        }
        self.append(&name, file, 1);
        self.settled[log] = false;
        Some(format!("write a late line to {name} (file {file})"))
    }

    pub(super) fn rotate(&mut self, log: Log, at_once: bool) -> Option<String> {
        let name = LOGS[log];
        let file = self.file(name)?;
        self.settled[log] = false;
        let seen = self.model.files[file].seen;
        // A restored file that no merge has seen is known by the name alone.
        if self.running.is_none() && self.restored.contains(&file) && !seen {
            return None;
        }
        // What comes to fit a pattern is found once a second, where it is polled.
        let joins = self.running.as_ref().is_some_and(|it| !it.followed[log]);
        let unknown = !seen && (joins || self.setting.rotation == Rotation::Foreign);
        // Nor is an old file that had the name again, if no checkpoint knows that.
        if unknown || self.model.files[file].back {
            self.lose(file);
            self.model.files[file].let_go = true;
        }
        let (stem, ending) = name.rsplit_once('.').unwrap();
        let to = match self.setting.rotation {
            Rotation::DateBehind => format!("{name}-{}", self.date()),
            Rotation::DateBefore => format!("{stem}-{}.{ending}", self.date()),
            Rotation::Foreign => format!("@{}.s", 20_000_000 + self.date()),
            _ => self.make_room(name),
        };
        self.rename(name, &to);
        let mut words = format!("{name} becomes {to}");
        if at_once {
            self.create_log(log);
            words += &format!(", with a new {name}");
        }
        Some(words)
    }

    pub(super) fn take_back(&mut self, log: Log) -> Option<String> {
        let name = LOGS[log];
        let named = self.file(name);
        let file = *self.model.logs[log].iter().rfind(|file| Some(**file) != named)?;
        let from = self.name_of(file)?;
        // A half line of a file that was let go has got its end: the rest would be torn.
        // So it may get one now, from a source that knows the file by the rotated name.
        let torn = fs::read(self.path(&from)).unwrap().last().is_some_and(|it| *it != b'\n');
        if torn && (self.model.files[file].half.is_none() || self.lets_go_unfollowed()) {
            return None;
        }
        // A source of the rotated name may have it, also if it has only come to fit.
        let is_source = |it: &Running| self.matches(it.run, &from);
        self.model.wide |= self.running.as_ref().is_some_and(is_source);
        self.remove(name);
        self.rename(&from, name);
        self.model.take_back(log, file);
        self.settled[log] = false;
        if let Some(running) = &mut self.running {
            running.remembered = None;
        }
        Some(format!("{from} becomes {name} again (file {file})"))
    }

    /// A date that is later than the one before.
    fn date(&mut self) -> usize {
        self.count += 1;
        20_261_121 + self.count
    }

    /// Moves numbered names on by one; returns the first, which is free then.
    fn make_room(&mut self, name: &str) -> String {
        for ending in ["", ".gz"] {
            let numbered = |number: usize| format!("{name}.{number}{ending}");
            self.remove(&numbered(KEPT));
            for number in (1..KEPT).rev() {
                if self.names.contains_key(&numbered(number)) {
                    self.rename(&numbered(number), &numbered(number + 1));
                }
            }
        }
        format!("{name}.1")
    }

    fn rename(&mut self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).unwrap();
        let thing = self.names.remove(from).unwrap();
        self.names.insert(to.to_owned(), thing);
    }

    /// Removes what has a name, and the copies of a file with it: whose lines
    /// they hold cannot be known any more.
    fn remove(&mut self, name: &str) {
        let Some(thing) = self.names.remove(name) else { return };
        fs::remove_file(self.path(name)).unwrap();
        let Thing::File(file) = thing else { return };
        self.lose(file);
        let copy = |thing: &Thing| matches!(thing, Thing::CopyOf(other) if *other == file);
        let copies: Vec<_> =
            self.names.iter().filter(|(_, it)| copy(it)).map(|(name, _)| name.clone()).collect();
        copies.iter().for_each(|name| self.remove(name));
    }

    /// Notes that what stood in a file is no more: no kill may go back behind.
    fn lose(&mut self, file: FileNo) {
        self.model.gone(file);
        if let Some(running) = &mut self.running {
            running.remembered = None;
        }
    }

    pub(super) fn copy_and_truncate(&mut self, log: Log, all_is_read: bool) -> Told {
        let name = LOGS[log];
        let Some(file) = self.file(name) else { return Ok(None) };
        // Of a restored file that no merge has seen, nobody knows which is the copy.
        if self.running.is_none() && !self.model.files[file].seen {
            return Ok(None);
        }
        let mut words = String::new();
        if all_is_read && self.running.is_some() {
            self.look_all()?;
            self.save()?;
            words += "look until nothing is new, save; then ";
        }
        let to = self.make_room(name);
        self.copy_file(name, &to, file);
        self.tick();
        File::create(self.path(name)).unwrap();
        self.lose(file);
        told(format!("{words}{name} is copied to {to} and truncated"))
    }

    fn copy_file(&mut self, name: &str, to: &str, file: FileNo) {
        fs::copy(self.path(name), self.path(to)).unwrap();
        self.note_birth(to);
        self.names.insert(to.to_owned(), Thing::CopyOf(file));
    }

    fn note_birth(&mut self, name: &str) {
        let metadata = fs::metadata(self.path(name)).unwrap();
        self.births.insert(metadata.ino(), metadata.created().unwrap());
    }

    pub(super) fn copy(&mut self, log: Log) -> Option<String> {
        let name = LOGS[log];
        // Of a file that no merge has seen, nobody knows which is the copy.
        let file = self.file(name).filter(|file| self.model.files[*file].seen)?;
        let to = format!("{name}.bak");
        self.copy_file(name, &to, file);
        Some(format!("{name} is copied to {to}"))
    }

    pub(super) fn pack(&mut self, log: Log) -> Option<String> {
        let files = self.model.logs[log].iter().rev();
        let name = files.filter_map(|file| self.name_of(*file)).find(|name| name != LOGS[log]);
        let name = name?;
        let file = self.file(&name)?;
        let packed = format!("{name}.gz");
        fs::write(self.path(&packed), "\x1f packed\n").unwrap();
        self.note_birth(&packed);
        self.remove(&name);
        self.names.insert(packed.clone(), Thing::CopyOf(file));
        Some(format!("{name} becomes {packed}"))
    }

    /// Only if enough was read of it: a few bytes may be the same by chance.
    pub(super) fn restore(&mut self, log: Log) -> Option<String> {
        let name = LOGS[log];
        let file = self.file(name).filter(|_| self.running.is_none())?;
        let saved = |text: &String| self.model.saved.contains(text);
        let texts = self.model.files[file].lines.iter().map(|line| &line.text);
        let read: usize = texts.filter(|text| saved(text)).map(|text| text.len() + 1).sum();
        // Nor if there are copies: which of them is the log, if its inode is gone?
        let is_copy = |thing: &Thing| matches!(thing, Thing::CopyOf(other) if *other == file);
        // Nor a file that is back: for the checkpoint it may be one of another name.
        let back = self.model.files[file].back;
        if back || read < FINGERPRINT || self.names.values().any(is_copy) {
            return None;
        }
        self.tick();
        let beside = self.path("restored.tmp");
        fs::copy(self.path(name), &beside).unwrap();
        let modified = fs::metadata(self.path(name)).unwrap().modified().unwrap();
        let restored = OpenOptions::new().append(true).open(&beside).unwrap();
        restored.set_times(FileTimes::new().set_modified(modified)).unwrap();
        fs::rename(beside, self.path(name)).unwrap();
        self.note_birth(name);
        self.settled[log] = false;
        self.model.files[file].seen = false;
        self.restored.insert(file);
        Some(format!("{name} is restored, with another inode"))
    }

    pub(super) fn remove_log(&mut self, log: Log) -> Option<String> {
        let name = LOGS[log];
        self.file(name)?;
        self.remove(name);
        Some(format!("{name} is removed"))
    }

    /// Only a short file: a long one with the same bytes is the same to anybody.
    pub(super) fn again(&mut self, log: Log) -> Option<String> {
        let name = LOGS[log];
        let from = self.file(name)?;
        let lines = fs::read_to_string(self.path(name)).unwrap();
        let short = (1..FINGERPRINT).contains(&lines.len());
        if !short || self.model.files[from].half.is_some() {
            return None;
        }
        self.remove(name);
        self.tick();
        let file = self.create_log(log);
        self.model.say_again(file, &lines);
        self.append_bytes(name, &lines);
        Some(format!("{name} is removed and made again, with the same lines (file {file})"))
    }

    pub(super) fn job(&mut self) -> String {
        self.count += 1;
        let name = format!("job-{}.log", self.count);
        // `*.log` means these, too, and is said only where all are asked for.
        let claim = if self.setting.near { Claim::Perhaps } else { Claim::Never };
        let file = self.create(&name, None, claim);
        self.append(&name, file, 2);
        format!("{name} appears, with 2 lines (file {file})")
    }

    pub(super) fn end_job(&mut self) -> Option<String> {
        let name = self.names.keys().find(|name| name.starts_with("job-")).cloned()?;
        self.remove(&name);
        Some(format!("{name} is removed"))
    }

    /// Waits until the clock of the file system has ticked.
    pub(super) fn tick(&self) {
        let path = self.folder.path().join("tick");
        let born = || {
            let born = File::create(&path).unwrap().metadata().unwrap().created().unwrap();
            fs::remove_file(&path).unwrap();
            born
        };
        let first = born();
        while born() <= first {}
    }
}
