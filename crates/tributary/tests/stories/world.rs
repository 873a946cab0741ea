//! A folder in which a story happens: the merge, and in `logs.rs` what it merges.
//!
//! The merge is driven in this thread, so a story has one outcome. To drop a
//! plan is what `kill -9` is: nothing is saved.

mod logs;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use fastrand::Rng;
use tempfile::TempDir;
use tributary::{Batch, Error, Look, Options, Plan, Read, Wake};

use crate::alphabet::{By, Log, Rotation, Run, Setting, Spelling, Step};
use crate::model::{Claim, FileNo, LOGS, Model, Wrong};

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

impl Running {
    fn append(&mut self, batch: &mut Batch) -> Result<(), Wrong> {
        self.plan.output.append_batch(batch).map_err(failed)?;
        let text = String::from_utf8_lossy(batch.as_bytes());
        self.appended.extend(text.lines().map(str::to_owned));
        batch.clear();
        Ok(())
    }
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
    Wrong { kind: "the merge fails", what: error.to_string() }
}

fn told(words: impl Into<String>) -> Told {
    Ok(Some(words.into()))
}

impl World {
    /// Ends the merge that still runs, and returns the folder.
    pub(crate) fn into_folder(self) -> TempDir {
        self.folder
    }

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
            Step::Write(log, lines) => told(self.write(log, lines)),
            Step::Half(log) => Ok(self.half(log)),
            Step::Late(log) => Ok(self.late(log)),
            Step::TakeBack(log) => Ok(self.take_back(log)),
            Step::Rotate(log, all_is_read) if self.setting.rotation == Rotation::CopyTruncate => {
                self.copy_and_truncate(log, all_is_read)
            }
            Step::Rotate(log, at_once) => Ok(self.rotate(log, at_once)),
            Step::Copy(log) => Ok(self.copy(log)),
            Step::Pack(log) => Ok(self.pack(log)),
            Step::Restore(log) => Ok(self.restore(log)),
            Step::Remove(log) => Ok(self.remove_log(log)),
            Step::Again(log) => Ok(self.again(log)),
            Step::Job => told(self.job()),
            Step::EndJob => Ok(self.end_job()),
            Step::Tick => {
                self.tick();
                told("a moment passes")
            }
            Step::Look(seed) => self.look(seed),
            Step::LookAll => self.look_all(),
            Step::Save => self.save(),
            Step::Remember => Ok(self.remember()),
            Step::Start(run) => self.start(run),
            Step::Stop => self.stop(),
            Step::Kill(earlier) => Ok(self.kill(earlier)),
            Step::Renumber => Ok(self.renumber()),
            Step::RotateOutput(is_told) => Ok(self.rotate_output(is_told)),
            Step::CutOutput(removed) => Ok(self.cut_output(removed)),
        }
    }

    /// Ends the story: every log has a file, and a last run reads everything.
    pub(crate) fn end(&mut self, closing: Run, words: &mut Vec<String>) -> Result<(), Wrong> {
        words.extend(self.stop()?);
        for log in 0..LOGS.len() {
            words.push(self.write(log, 1));
        }
        words.extend(self.start(closing)?);
        let asked = self.asked();
        words.extend(self.look_all()?);
        words.extend(self.stop()?);
        self.model.check(&self.merged(), Some(&asked))
    }

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
            .map_err(|error| Wrong { kind: "the merge does not start", what: error.to_string() })?;
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
        let mut rng = Rng::with_seed(seed);
        rng.shuffle(&mut order);
        let mut more = false;
        let mut batch = Batch::new(4096);
        for source in order {
            // Some looks wait for nothing, and leave to the next what they cannot do.
            if rng.bool() {
                let look = running.plan.sources[source].look_into(&mut batch, 4096);
                if look.map_err(failed)? == Look::More {
                    more = true;
                    continue;
                }
            }
            running.append(&mut batch)?;
            let read = running.plan.sources[source].read_lines().map_err(failed)?;
            let Read::Lines(lines) = read else { continue };
            more = true;
            batch.push(lines);
        }
        running.append(&mut batch)?;
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
                return Err(Wrong { kind: "the merge does not come to rest", what });
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
        // In a checkpoint a file that is back may belong to a source of its other name.
        let wide = self.model.wide;
        self.model.files.iter_mut().for_each(|file| file.back &= wide || !file.seen);
        told("save the checkpoint")
    }

    fn remember(&mut self) -> Option<String> {
        let checkpoint = fs::read(self.checkpoint());
        let back = self.model.files.iter().any(|file| file.back);
        let running = self.running.as_mut().filter(|running| !running.moved && !back)?;
        running.remembered = Some((checkpoint.unwrap(), self.model.saved.clone()));
        Some("remember the checkpoint".into())
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

    fn kill(&mut self, earlier: bool) -> Option<String> {
        let running = self.running.take()?;
        drop(running.plan);
        self.model.files.iter_mut().for_each(|file| file.seen &= !file.back);
        self.ended = false;
        self.settled = [false; LOGS.len()];
        let Some((checkpoint, saved)) = running.remembered.filter(|_| earlier) else {
            return Some("kill -9".into());
        };
        fs::write(self.checkpoint(), checkpoint).unwrap();
        self.model.saved = saved;
        Some(
            "kill -9, as if nothing had been saved since the checkpoint that was remembered".into(),
        )
    }

    fn renumber(&mut self) -> Option<String> {
        let text = fs::read_to_string(self.checkpoint()).ok()?;
        if self.running.is_some() {
            return None;
        }
        fs::write(self.checkpoint(), text.replace("\"device\":", "\"device\":9")).unwrap();
        Some("the devices get other numbers".into())
    }

    fn rotate_output(&mut self, is_told: bool) -> Option<String> {
        let output = self.output();
        if !output.exists() {
            return None;
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
            return Some("the output is rotated".into());
        }
        File::create(output).unwrap();
        if let Some(running) = &self.running {
            running.plan.reopen().request();
        }
        Some("the output is rotated, with a new one, and the merge told".into())
    }

    /// Only after a good end: what is behind the checkpoint comes again.
    fn cut_output(&mut self, removed: bool) -> Option<String> {
        let output = self.output();
        if self.running.is_some() || !self.ended || !output.exists() {
            return None;
        }
        self.before.push(Output::Cut(fs::read_to_string(&output).unwrap()));
        if removed {
            fs::remove_file(output).unwrap();
            return Some("the output is removed".into());
        }
        File::create(output).unwrap();
        Some("the output is truncated".into())
    }
}
