//! A folder in which a story happens: the logs, and the merge of them.
//!
//! The merge is driven in this thread, so a story has one outcome. To drop a
//! plan is what `kill -9` is: nothing is saved.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::{self, File, FileTimes, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use fastrand::Rng;
use tempfile::TempDir;
use tributary::{Error, Options, Plan, Read, Wake};

use crate::alphabet::{By, Log, Rotation, Run, Setting, Spelling, Step};
use crate::model::{Claim, FileNo, Kind, LOGS, Model, Wrong};

/// How many rotated files are kept.
const KEPT: usize = 3;
/// How long the bytes are that a file is recognised by.
const FINGERPRINT: usize = 256;
/// How many looks in a row may find lines.
const MANY: usize = 10_000;

/// What lies in the folder of the logs under a name.
#[derive(Debug, Clone, Copy)]
enum Thing {
    File(FileNo),
    CopyOf(FileNo),
}

/// What an output holds that is not written to any more.
enum Output {
    Path(PathBuf),
    Cut(String),
}

struct Running {
    plan: Plan,
    run: Run,
    /// Which logs are followed by their name, and not only by a pattern.
    followed: [bool; LOGS.len()],
    appended: Vec<String>,
    /// The checkpoint as it was, and what was saved then.
    remembered: Option<(Vec<u8>, HashSet<String>)>,
    /// Whether the output has lost its name.
    moved: bool,
}

pub(crate) struct World {
    folder: TempDir,
    setting: Setting,
    names: BTreeMap<String, Thing>,
    model: Model,
    running: Option<Running>,
    before: Vec<Output>,
    /// Whether the last run ended in good order.
    ended: bool,
    /// Whether all is read of the files that each log had before.
    settled: [bool; LOGS.len()],
    spelling: Option<Spelling>,
    /// The birth of the last file of each inode.
    births: HashMap<u64, SystemTime>,
    /// How many things were named by a number.
    count: usize,
    /// What was put back from a backup.
    restored: HashSet<FileNo>,
}

type Told = Result<Option<String>, Wrong>;

fn failed(error: Error) -> Wrong {
    Wrong { kind: Kind::Failed, what: error.to_string() }
}

fn told(words: impl Into<String>) -> Told {
    Ok(Some(words.into()))
}

impl World {
    pub(crate) fn new(setting: Setting) -> World {
        let folder = tempfile::tempdir().unwrap();
        // Beside the logs, a link to each, and one to their folder.
        fs::create_dir(folder.path().join("logs")).unwrap();
        symlink("logs", folder.path().join("linked")).unwrap();
        for log in LOGS {
            symlink(Path::new("logs").join(log), folder.path().join(log)).unwrap();
        }
        let mut world = World {
            folder,
            setting,
            names: BTreeMap::new(),
            model: Model::default(),
            running: None,
            before: Vec::new(),
            ended: true,
            settled: [true; LOGS.len()],
            spelling: None,
            births: HashMap::new(),
            count: 0,
            restored: HashSet::new(),
        };
        if setting.yesterday {
            let name = match setting.rotation {
                Rotation::Numbered | Rotation::CopyTruncate => "app.log.1",
                Rotation::DateBehind => "app.log-20261101",
                Rotation::DateBefore => "app-20261101.log",
                Rotation::Foreign => "@40000000.s",
            };
            let file = world.create(name, None, Claim::Never);
            world.append(name, file, 2);
            let hidden = world.create(".hidden.log", None, Claim::Never);
            world.append(".hidden.log", hidden, 1);
            // Long enough ago that it came before the merge, by any clock.
            let born = world.model.files[file].born;
            while born + Duration::from_millis(30) > SystemTime::now() {
                std::thread::yield_now();
            }
        }
        world
    }

    /// Lets a step happen, and tells it in words; `None` if it cannot happen.
    pub(crate) fn act(&mut self, step: &Step) -> Told {
        match *step {
            Step::Write(log, lines) => self.write(log, lines),
            Step::Half(log) => self.half(log),
            Step::Late(log) => self.late(log),
            Step::Rotate(log, at_once) => self.rotate(log, at_once),
            Step::Copy(log) => self.copy(log),
            Step::Pack(log) => self.pack(log),
            Step::Restore(log) => self.restore(log),
            Step::Remove(log) => self.remove_log(log),
            Step::Again(log) => self.again(log),
            Step::Job => self.job(),
            Step::EndJob => self.end_job(),
            Step::Tick => {
                self.tick();
                told("a moment passes")
            }
            Step::Look(seed) => self.look(seed),
            Step::LookAll => self.look_all(),
            Step::Save => self.save(),
            Step::Remember => self.remember(),
            Step::Start(run) => self.start(run),
            Step::Stop => self.stop(),
            Step::Kill(earlier) => self.kill(earlier),
            Step::Renumber => self.renumber(),
            Step::RotateOutput(is_told) => self.rotate_output(is_told),
            Step::CutOutput(removed) => self.cut_output(removed),
        }
    }

    /// Ends the story: every log has a file, and a last run reads everything.
    pub(crate) fn end(&mut self, closing: Run, words: &mut Vec<String>) -> Result<(), Wrong> {
        words.extend(self.stop()?);
        for log in 0..LOGS.len() {
            words.extend(self.write(log, 1)?);
        }
        words.extend(self.start(closing)?);
        let asked = self.asked();
        words.extend(self.look_all()?);
        words.extend(self.stop()?);
        self.model.check(&self.merged(), Some(&asked))
    }

    // What happens to the logs.

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("logs").join(name)
    }

    fn file(&self, name: &str) -> Option<FileNo> {
        match self.names.get(name) {
            Some(Thing::File(file)) => Some(*file),
            _ => None,
        }
    }

    fn name_of(&self, file: FileNo) -> Option<String> {
        let named = |thing: &Thing| matches!(thing, Thing::File(other) if *other == file);
        self.names.iter().find(|(_, thing)| named(thing)).map(|(name, _)| name.clone())
    }

    fn is_asked_for(&self, log: Log) -> bool {
        log == 0 || self.setting.near
    }

    /// Creates a file. One that gets a used inode is born later than the file
    /// before, since by nothing else the two can be told apart.
    fn create(&mut self, name: &str, log: Option<Log>, claim: Claim) -> FileNo {
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

    fn append(&mut self, name: &str, file: FileNo, lines: usize) {
        let bytes = self.model.write(file, lines);
        self.append_bytes(name, &bytes);
    }

    fn append_bytes(&self, name: &str, bytes: &str) {
        let mut file = OpenOptions::new().append(true).open(self.path(name)).unwrap();
        file.write_all(bytes.as_bytes()).unwrap();
    }

    fn write(&mut self, log: Log, lines: usize) -> Told {
        let (name, file) = self.file_of(log);
        self.append(name, file, lines);
        told(format!("write {lines} lines to {name} (file {file})"))
    }

    fn half(&mut self, log: Log) -> Told {
        let (name, file) = self.file_of(log);
        if self.model.files[file].half.is_some() {
            return Ok(None);
        }
        let bytes = self.model.write_half(file);
        self.append_bytes(name, &bytes);
        told(format!("begin a line in {name} (file {file})"))
    }

    fn late(&mut self, log: Log) -> Told {
        let files = &self.model.logs[log];
        let Some(file) = files.len().checked_sub(2).map(|last| files[last]) else {
            return Ok(None);
        };
        let Some(name) = self.name_of(file) else { return Ok(None) };
        let half = self.model.files[file].half.is_some();
        if self.model.files[file].let_go || half {
            return Ok(None);
        }
        self.append(&name, file, 1);
        self.settled[log] = false;
        told(format!("write a late line to {name} (file {file})"))
    }

    fn rotate(&mut self, log: Log, at_once: bool) -> Told {
        let name = LOGS[log];
        if self.setting.rotation == Rotation::CopyTruncate {
            return self.copy_and_truncate(log, at_once);
        }
        let Some(file) = self.file(name) else { return Ok(None) };
        self.settled[log] = false;
        let seen = self.model.files[file].seen;
        // A restored file that no merge has seen is known by the name alone.
        if self.running.is_none() && self.restored.contains(&file) && !seen {
            return Ok(None);
        }
        // What comes to fit a pattern is found once a second, where it is polled.
        let joins = self.running.as_ref().is_some_and(|it| !it.followed[log]);
        if !seen && (joins || self.setting.rotation == Rotation::Foreign) {
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
        told(words)
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

    fn copy_and_truncate(&mut self, log: Log, all_is_read: bool) -> Told {
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

    fn copy(&mut self, log: Log) -> Told {
        let name = LOGS[log];
        // Of a file that no merge has seen, nobody knows which is the copy.
        let Some(file) = self.file(name).filter(|file| self.model.files[*file].seen) else {
            return Ok(None);
        };
        let to = format!("{name}.bak");
        self.copy_file(name, &to, file);
        told(format!("{name} is copied to {to}"))
    }

    fn pack(&mut self, log: Log) -> Told {
        let files = self.model.logs[log].iter().rev();
        let name = files.filter_map(|file| self.name_of(*file)).find(|name| name != LOGS[log]);
        let Some(name) = name else { return Ok(None) };
        let Some(file) = self.file(&name) else { return Ok(None) };
        let packed = format!("{name}.gz");
        fs::write(self.path(&packed), "\x1f packed\n").unwrap();
        self.note_birth(&packed);
        self.remove(&name);
        self.names.insert(packed.clone(), Thing::CopyOf(file));
        told(format!("{name} becomes {packed}"))
    }

    /// Only if enough was read of it: a few bytes may be the same by chance.
    fn restore(&mut self, log: Log) -> Told {
        let name = LOGS[log];
        let Some(file) = self.file(name).filter(|_| self.running.is_none()) else {
            return Ok(None);
        };
        let saved = |text: &String| self.model.saved.contains(text);
        let texts = self.model.files[file].lines.iter().map(|line| &line.text);
        let read: usize = texts.filter(|text| saved(text)).map(|text| text.len() + 1).sum();
        // Nor if there are copies: which of them is the log, if its inode is gone?
        let is_copy = |thing: &Thing| matches!(thing, Thing::CopyOf(other) if *other == file);
        if read < FINGERPRINT || self.names.values().any(is_copy) {
            return Ok(None);
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
        told(format!("{name} is restored, with another inode"))
    }

    fn remove_log(&mut self, log: Log) -> Told {
        let name = LOGS[log];
        if self.file(name).is_none() {
            return Ok(None);
        }
        self.remove(name);
        told(format!("{name} is removed"))
    }

    /// Only a short file: a long one with the same bytes is the same to anybody.
    fn again(&mut self, log: Log) -> Told {
        let name = LOGS[log];
        let Some(from) = self.file(name) else { return Ok(None) };
        let lines = fs::read_to_string(self.path(name)).unwrap();
        let short = (1..FINGERPRINT).contains(&lines.len());
        if !short || self.model.files[from].half.is_some() {
            return Ok(None);
        }
        self.remove(name);
        self.tick();
        let file = self.create_log(log);
        self.model.say_again(file, &lines);
        self.append_bytes(name, &lines);
        told(format!("{name} is removed and made again, with the same lines (file {file})"))
    }

    fn job(&mut self) -> Told {
        self.count += 1;
        let name = format!("job-{}.log", self.count);
        // `*.log` means these, too, and is said only where all are asked for.
        let claim = if self.setting.near { Claim::Perhaps } else { Claim::Never };
        let file = self.create(&name, None, claim);
        self.append(&name, file, 2);
        told(format!("{name} appears, with 2 lines (file {file})"))
    }

    fn end_job(&mut self) -> Told {
        let Some(name) = self.names.keys().find(|name| name.starts_with("job-")).cloned() else {
            return Ok(None);
        };
        self.remove(&name);
        told(format!("{name} is removed"))
    }

    /// Waits until the clock of the file system has ticked.
    fn tick(&self) {
        let path = self.folder.path().join("tick");
        let born = || {
            let born = File::create(&path).unwrap().metadata().unwrap().created().unwrap();
            fs::remove_file(&path).unwrap();
            born
        };
        let first = born();
        while born() <= first {}
    }

    // What happens to the merge.

    fn output(&self) -> PathBuf {
        self.path(if self.setting.inside { "out.log" } else { "out" })
    }

    fn checkpoint(&self) -> PathBuf {
        self.path(if self.setting.inside { "state.log" } else { "state" })
    }

    /// What all outputs hold, the oldest first.
    pub(crate) fn merged(&self) -> String {
        let read = |path: &Path| fs::read_to_string(path).unwrap_or_default();
        let before = self.before.iter().map(|output| match output {
            Output::Path(path) => read(path),
            Output::Cut(text) => text.clone(),
        });
        before.chain([read(&self.output())]).collect()
    }

    fn logs(&self) -> impl Iterator<Item = Log> + use<> {
        0..if self.setting.near { LOGS.len() } else { 1 }
    }

    /// Says what a run is asked for in this story: a pattern that takes all
    /// only where all are sources, a rotated name only if that is a log's.
    fn adapt(&self, mut run: Run) -> Run {
        run.by = match run.by {
            By::All if !self.setting.near => By::Pattern,
            By::RotatedName if self.setting.rotation != Rotation::Numbered => By::Name,
            by => by,
        };
        // By a link to the file, it is another log. What the other one has not
        // read to its end is not taken over.
        let link = |spelling| spelling == Spelling::Link;
        if let Some(last) = self.spelling
            && link(last) != link(run.spelling)
            && !self.logs().all(|log| self.settled[log])
        {
            run.spelling = last;
        }
        run
    }

    fn matches(&self, run: Run, name: &str) -> bool {
        // Beside the links to the logs there are none to other files.
        let main = self.logs().any(|log| name == LOGS[log]);
        main || run.spelling != Spelling::Link
            && self.logs().any(|log| match run.by {
                By::Name => false,
                By::RotatedName => name == format!("{}.1", LOGS[log]),
                By::Pattern | By::NameAndPattern => name.starts_with(LOGS[log]),
                By::All => name.ends_with(".log") && !name.starts_with('.'),
            })
    }

    fn sources(&self, run: Run) -> (Vec<PathBuf>, Vec<String>) {
        let folder = self.folder.path();
        let relative = || {
            let here = std::env::current_dir().unwrap();
            let up: PathBuf = here.components().skip(1).map(|_| "..").collect();
            up.join(folder.strip_prefix("/").unwrap()).join("logs")
        };
        let at = match run.spelling {
            Spelling::Absolute => folder.join("logs"),
            Spelling::Relative => relative(),
            Spelling::Dotted => PathBuf::from(format!("{}/./logs/.", folder.display())),
            Spelling::LinkedFolder => folder.join("linked"),
            Spelling::Link => folder.to_owned(),
        };
        let mut paths: Vec<PathBuf> = Vec::new();
        let mut patterns: Vec<String> = Vec::new();
        for log in self.logs() {
            let path = at.join(LOGS[log]);
            if run.by.names_logs() {
                paths.push(path.clone());
            }
            match run.by {
                By::RotatedName => paths.push(at.join(format!("{}.1", LOGS[log]))),
                By::Pattern | By::NameAndPattern => patterns.push(format!("{}*", path.display())),
                By::All if log == 0 => patterns.push(format!("{}/*.log", at.display())),
                By::All | By::Name => {}
            }
        }
        if run.reversed {
            paths.reverse();
            patterns.reverse();
        }
        (paths, patterns)
    }

    fn start(&mut self, run: Run) -> Told {
        if self.running.is_some() {
            return Ok(None);
        }
        let run = self.adapt(run);
        let (paths, patterns) = self.sources(run);
        let options = Options {
            follow: true,
            wake: Wake::Poll,
            quiet: Duration::from_secs(if run.patient { 3600 } else { 0 }),
            checkpoint: Some(self.checkpoint()),
            patterns: patterns.clone(),
            ..Options::default()
        };
        let plan = Plan::open(&paths, self.output(), options)
            .map_err(|error| Wrong { kind: Kind::Refused, what: error.to_string() })?;
        let mut followed = [false; LOGS.len()];
        for log in self.logs() {
            followed[log] = run.by.names_logs() || self.file(LOGS[log]).is_some();
        }
        let link = |spelling| spelling == Spelling::Link;
        if self.spelling.is_some_and(|last| link(last) != link(run.spelling)) {
            self.leave_old_files();
        }
        self.begin_to_ask(run);
        self.spelling = Some(run.spelling);
        self.running = Some(Running {
            plan,
            run,
            followed,
            appended: Vec::new(),
            remembered: None,
            moved: false,
        });
        let short = |path: &str| path.replace(&self.folder.path().display().to_string(), "");
        let paths = paths.iter().map(|path| path.display().to_string());
        let sources: Vec<_> = paths.chain(patterns).map(|path| short(&path)).collect();
        let quiet = if run.patient { "an hour" } else { "nought" };
        told(format!("start with {}, quiet {quiet}", sources.join(" ")))
    }

    /// Notes that the files that have lost their name are no sources any more.
    fn leave_old_files(&mut self) {
        self.model.known = [false; LOGS.len()];
        for log in self.logs() {
            let named = self.file(LOGS[log]);
            let old = |file: &&FileNo| Some(**file) != named;
            for file in self.model.logs[log].iter().filter(old) {
                self.model.files[*file].let_go = true;
            }
        }
    }

    /// Notes what is a source from now on.
    fn begin_to_ask(&mut self, run: Run) {
        // A source that waits for the rotated name takes what comes to have it.
        self.model.wide |= run.by == By::RotatedName;
        let files: Vec<_> = self.names.iter().map(|(name, thing)| (name.clone(), *thing)).collect();
        for (name, thing) in files {
            let Thing::File(file) = thing else { continue };
            if !self.matches(run, &name) {
                continue;
            }
            if let Some(log) = LOGS.iter().position(|log| name == *log) {
                self.model.see(log, file);
            } else {
                self.model.wide = true;
                self.model.files[file].claim = Claim::ByItself;
            }
        }
    }

    /// Returns what is a source by its name in this run.
    fn asked(&self) -> HashSet<FileNo> {
        let Some(running) = &self.running else { return HashSet::new() };
        let asked = self.names.iter().filter(|(name, _)| self.matches(running.run, name));
        asked.filter_map(|(name, _)| self.file(name)).collect()
    }

    fn look(&mut self, seed: u64) -> Told {
        if self.running.is_none() {
            return Ok(None);
        }
        self.look_once(seed)?;
        told("look once")
    }

    /// Asks each source once; true if one of them had lines.
    fn look_once(&mut self, seed: u64) -> Result<bool, Wrong> {
        let Some(running) = &mut self.running else { return Ok(false) };
        let mut order: Vec<_> = (0..running.plan.sources.len()).collect();
        Rng::with_seed(seed).shuffle(&mut order);
        let mut more = false;
        for source in order {
            let read = running.plan.sources[source].read_lines().map_err(failed)?;
            let Read::Lines(lines) = read else { continue };
            more = true;
            running.plan.output.append(&lines).map_err(failed)?;
            let text = String::from_utf8_lossy(lines.as_bytes());
            running.appended.extend(text.lines().map(str::to_owned));
        }
        let patient = running.run.patient;
        self.take_by_other_names();
        if !patient {
            self.let_go();
        }
        Ok(more)
    }

    /// Notes that a file which no log was seen with may belong to the source of
    /// the name that it has now.
    fn take_by_other_names(&mut self) {
        for file in self.asked() {
            let is_log = LOGS.iter().any(|log| self.file(log) == Some(file));
            let file = &mut self.model.files[file];
            if !is_log && !file.seen && file.claim == Claim::OfLog {
                file.claim = Claim::ByItself;
            }
        }
    }

    /// Notes that files without the name of their log may have been let go.
    fn let_go(&mut self) {
        for log in self.logs() {
            let named = self.file(LOGS[log]);
            for file in self.model.logs[log].clone() {
                if Some(file) != named {
                    self.model.cut_half(file);
                    self.model.files[file].let_go = true;
                }
            }
            // A pattern drops a log that is gone, and knows nothing of it then.
            let by_name = self.running.as_ref().is_some_and(|it| it.run.by.names_logs());
            if named.is_none() && !by_name {
                self.model.forget(log);
                self.running.as_mut().unwrap().followed[log] = false;
            }
        }
    }

    fn look_all(&mut self) -> Told {
        if self.running.is_none() {
            return Ok(None);
        }
        let mut looks = 0;
        while self.look_once(looks as u64)? {
            looks += 1;
            if looks > MANY {
                let what = format!("there are lines after {MANY} looks");
                return Err(Wrong { kind: Kind::Restless, what });
            }
        }
        let followed = self.running.as_ref().map(|running| running.followed).unwrap_or_default();
        // A foreign name is found by the inode, once that is in the checkpoint.
        let by_rule = self.setting.rotation != Rotation::Foreign;
        for log in self.logs().filter(|log| by_rule && followed[*log]) {
            if let Some(file) = self.file(LOGS[log]) {
                self.model.see(log, file);
            }
        }
        told("look until nothing is new")
    }

    fn save(&mut self) -> Told {
        let Some(running) = &mut self.running else { return Ok(None) };
        running.plan.output.finish().map_err(failed)?;
        self.model.saved.extend(running.appended.drain(..));
        told("save the checkpoint")
    }

    fn remember(&mut self) -> Told {
        let checkpoint = fs::read(self.checkpoint());
        let Some(running) = self.running.as_mut().filter(|running| !running.moved) else {
            return Ok(None);
        };
        running.remembered = Some((checkpoint.unwrap(), self.model.saved.clone()));
        told("remember the checkpoint")
    }

    fn stop(&mut self) -> Told {
        let Some(running) = &mut self.running else { return Ok(None) };
        running.plan.stop.request();
        let run = running.run;
        self.look_all()?;
        self.save()?;
        self.begin_to_ask(run);
        self.running = None;
        self.ended = true;
        for (log, name) in LOGS.iter().enumerate() {
            // Without a file of the name, what came between is not found yet.
            self.settled[log] |= self.names.contains_key(*name);
        }
        self.model.check(&self.merged(), None)?;
        told("stop in good order")
    }

    fn kill(&mut self, earlier: bool) -> Told {
        let Some(running) = self.running.take() else { return Ok(None) };
        drop(running.plan);
        self.ended = false;
        self.settled = [false; LOGS.len()];
        let Some((checkpoint, saved)) = running.remembered.filter(|_| earlier) else {
            return told("kill -9");
        };
        fs::write(self.checkpoint(), checkpoint).unwrap();
        self.model.saved = saved;
        told("kill -9, as if nothing had been saved since the checkpoint that was remembered")
    }

    fn renumber(&mut self) -> Told {
        let Ok(text) = fs::read_to_string(self.checkpoint()) else { return Ok(None) };
        if self.running.is_some() {
            return Ok(None);
        }
        fs::write(self.checkpoint(), text.replace("\"device\":", "\"device\":9")).unwrap();
        told("the devices get other numbers")
    }

    fn rotate_output(&mut self, is_told: bool) -> Told {
        let output = self.output();
        if !output.exists() {
            return Ok(None);
        }
        if let Some(running) = &mut self.running {
            running.moved = true;
            running.remembered = None;
        }
        let mut to = output.clone().into_os_string();
        to.push(format!(".{}", self.before.len() + 1));
        fs::rename(&output, &to).unwrap();
        self.before.push(Output::Path(to.into()));
        if !is_told {
            return told("the output is rotated");
        }
        File::create(output).unwrap();
        if let Some(running) = &self.running {
            running.plan.reopen().request();
        }
        told("the output is rotated, with a new one, and the merge told")
    }

    /// Only after a good end: what is behind the checkpoint comes again.
    fn cut_output(&mut self, removed: bool) -> Told {
        let output = self.output();
        if self.running.is_some() || !self.ended || !output.exists() {
            return Ok(None);
        }
        self.before.push(Output::Cut(fs::read_to_string(&output).unwrap()));
        if removed {
            fs::remove_file(output).unwrap();
            return told("the output is removed");
        }
        File::create(output).unwrap();
        told("the output is truncated")
    }
}
