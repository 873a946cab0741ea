//! What the outputs of a story must hold, may hold, and may not.
//!
//! The model knows each file by itself, whatever its name is, and of each file
//! its lines. It never looks at what the merge does.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::time::SystemTime;

/// The logs that are rotated. The second one has the name that is near.
pub(crate) const LOGS: [&str; 2] = ["app.log", "app-error.log"];

/// What is wrong with the outputs, or with the merge.
#[derive(Debug, Clone)]
pub(crate) struct Wrong {
    /// Of all that goes wrong in this way: a shorter story goes wrong in the same.
    pub(crate) kind: &'static str,
    pub(crate) what: String,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.what)
    }
}

/// Why the lines of a file are to be in the outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Claim {
    /// They are not.
    Never,
    /// Nobody can say whether the file was seen: perhaps.
    Perhaps,
    /// The file was a source by a name that no log has any more. It counts if
    /// it still is one in the run that ends the story.
    ByItself,
    /// It was the file of a log that is followed.
    OfLog,
}

/// One file that holds lines.
#[derive(Debug)]
pub(crate) struct LogFile {
    pub(crate) log: Option<usize>,
    /// How many files of its log were born in a tick before.
    pub(crate) rank: usize,
    pub(crate) born: SystemTime,
    pub(crate) claim: Claim,
    pub(crate) lines: Vec<Line>,
    /// The beginning of a line that was written, and its rest.
    pub(crate) half: Option<(String, String)>,
    /// Beginnings that may have been read before their lines were whole.
    halves: Vec<String>,
    /// How many lines were begun.
    begun: usize,
    /// Whether a merge has seen it under the name of its log.
    pub(crate) seen: bool,
    /// Whether a merge may have let it go: what comes late may be lost.
    pub(crate) let_go: bool,
    /// Whether it has got the name of its log again, and no checkpoint knows that.
    pub(crate) back: bool,
}

#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) text: String,
    /// Whether it could be lost for reasons of its own.
    pub(crate) perhaps: bool,
    /// Whether it was written while its file was the newest of its log.
    early: bool,
}

/// A file by its place among all files of the story.
pub(crate) type FileNo = usize;

#[derive(Debug, Default)]
pub(crate) struct Model {
    pub(crate) files: Vec<LogFile>,
    /// The files that had the name of each log, the oldest first.
    pub(crate) logs: [Vec<FileNo>; LOGS.len()],
    /// Whether each log has been seen with a file.
    pub(crate) known: [bool; LOGS.len()],
    /// Whether rotated names were sources: the order of two is then open.
    pub(crate) wide: bool,
    /// Lines that are in the outputs and in the checkpoint.
    pub(crate) saved: HashSet<String>,
}

impl Model {
    /// Takes in a file that was made: for a log, or by itself.
    pub(crate) fn create(&mut self, log: Option<usize>, born: SystemTime, claim: Claim) -> FileNo {
        let number = self.files.len();
        let mut rank = 0;
        if let Some(log) = log {
            if let Some(last) = self.logs[log].last().map(|last| &self.files[*last]) {
                rank = last.rank + usize::from(last.born < born);
            }
            self.logs[log].push(number);
        }
        self.files.push(LogFile {
            log,
            rank,
            born,
            claim,
            lines: Vec::new(),
            half: None,
            halves: Vec::new(),
            begun: 0,
            seen: false,
            let_go: false,
            back: false,
        });
        number
    }

    /// Notes that a merge has seen the file of a log.
    pub(crate) fn see(&mut self, log: usize, file: FileNo) {
        self.known[log] = true;
        self.files[file].claim = Claim::OfLog;
        self.files[file].seen = true;
    }

    /// Notes that the name of a log may be forgotten: what had it and was not
    /// seen is not looked for any more.
    pub(crate) fn forget(&mut self, log: usize) {
        self.known[log] = false;
        for file in &self.logs[log] {
            let file = &mut self.files[*file];
            if file.claim == Claim::OfLog && !file.seen {
                file.claim = Claim::Perhaps;
            }
        }
    }

    /// Gives a file the name of its log again. What had it in between is gone.
    pub(crate) fn take_back(&mut self, log: usize, file: FileNo) {
        self.logs[log].retain(|other| *other <= file);
        // What the file gets from now on comes after the lines of its successors.
        let rank = self.files[file].rank;
        let of_log = self.files.iter_mut().filter(|it| it.log == Some(log));
        of_log.for_each(|it| it.rank = it.rank.min(rank));
        let file = &mut self.files[file];
        (file.back, file.seen, file.let_go) = (true, false, false);
    }

    /// Writes lines; returns what goes to the file.
    pub(crate) fn write(&mut self, file: FileNo, lines: usize) -> String {
        let mut bytes = String::new();
        if let Some((begin, rest)) = self.files[file].half.take() {
            bytes += &rest;
            bytes.push('\n');
            self.push(file, begin.clone() + &rest);
            self.files[file].halves.push(begin);
        }
        for _ in 0..lines {
            let text = self.begin(file);
            bytes += &text;
            bytes.push('\n');
            self.push(file, text);
        }
        bytes
    }

    /// Begins a line; returns what goes to the file.
    pub(crate) fn write_half(&mut self, file: FileNo) -> String {
        let text = self.begin(file);
        let (begin, rest) = text.split_at(text.len() - 6);
        self.files[file].half = Some((begin.to_owned(), rest.to_owned()));
        begin.to_owned()
    }

    fn begin(&mut self, number: FileNo) -> String {
        let file = &mut self.files[number];
        file.begun += 1;
        let log = file.log.map_or("job", |log| ["app", "error"][log]);
        format!("{log}, file {number}, line {}, and so forth", file.begun)
    }

    fn push(&mut self, number: FileNo, text: String) {
        let file = &self.files[number];
        let newest = file.log.and_then(|log| self.logs[log].last()) == Some(&number);
        let (early, perhaps) = (newest, file.let_go);
        self.files[number].lines.push(Line { text, perhaps, early });
    }

    /// The bytes of a file are gone: what was not saved may be lost.
    pub(crate) fn gone(&mut self, file: FileNo) {
        self.cut_half(file);
        let file = &mut self.files[file];
        for line in &mut file.lines {
            line.perhaps |= !self.saved.contains(&line.text);
        }
        let cut = file.halves.drain(..).map(|text| Line { text, perhaps: true, early: false });
        file.lines.extend(cut);
    }

    /// The rest of a half line does not come: it may be ended where it is.
    pub(crate) fn cut_half(&mut self, file: FileNo) {
        let file = &mut self.files[file];
        if let Some((text, _)) = file.half.take() {
            file.lines.push(Line { text, perhaps: true, early: false });
        }
    }

    /// Takes in lines that another file has held before.
    pub(crate) fn say_again(&mut self, file: FileNo, lines: &str) {
        for text in lines.lines() {
            self.saved.remove(text);
            self.push(file, text.to_owned());
        }
    }

    /// Checks what all outputs hold together. Only at the end of the story
    /// everything has to be there; `asked` are the files that are sources then.
    pub(crate) fn check(&self, merged: &str, asked: Option<&HashSet<FileNo>>) -> Result<(), Wrong> {
        let expected = self.expected(asked);
        let wrong = |kind, line: &str| Err(Wrong { kind, what: format!("{line:?}") });
        let mut found: HashMap<&str, usize> = HashMap::new();
        for line in merged.lines() {
            let count = found.entry(line).or_default();
            *count += 1;
            match expected.get(line) {
                None => return wrong("not asked for, or torn", line),
                Some(it) if *count > it.most => return wrong("doubled", line),
                Some(_) => {}
            }
        }
        let is_missing =
            |(line, it): &(&&str, &Expected)| found.get(**line).copied().unwrap_or(0) < it.least;
        match expected.iter().filter(is_missing).min_by_key(|(_, it)| (it.file, it.place)) {
            Some((line, _)) => wrong("missing", line),
            None => self.check_order(merged, &expected),
        }
    }

    fn expected(&self, asked: Option<&HashSet<FileNo>>) -> HashMap<&str, Expected> {
        let mut expected = HashMap::new();
        for (number, file) in self.files.iter().enumerate() {
            let surely = match (file.claim, asked) {
                (Claim::Never, _) => continue,
                (Claim::OfLog, Some(_)) => true,
                (Claim::ByItself, Some(asked)) => asked.contains(&number),
                _ => false,
            };
            for (place, line) in file.lines.iter().enumerate() {
                let new = Expected { least: 0, most: 0, file: number, place };
                let expected = expected.entry(&*line.text).or_insert(new);
                expected.least += usize::from(surely && !line.perhaps);
                expected.most += 1;
            }
        }
        expected
    }

    /// Checks the order of the lines of a file, and of the files of a log. A
    /// line that could be lost may come late, from a copy.
    fn check_order(&self, merged: &str, expected: &HashMap<&str, Expected>) -> Result<(), Wrong> {
        let mut places: HashMap<FileNo, usize> = HashMap::new();
        let mut newest = [(0, ""); LOGS.len()];
        for text in merged.lines() {
            let it = &expected[text];
            let file = &self.files[it.file];
            let line = &file.lines[it.place];
            if it.most > 1 || line.perhaps {
                continue;
            }
            let wrong = |what: String| Err(Wrong { kind: "out of order", what });
            if places.insert(it.file, it.place) > Some(it.place) {
                return wrong(format!("{text:?} comes after a later line of its file"));
            }
            let Some(log) = file.log.filter(|_| !self.wide && file.claim == Claim::OfLog) else {
                continue;
            };
            let (rank, newer) = newest[log];
            if line.early && file.rank < rank {
                return wrong(format!("{text:?} comes after {newer:?} of a newer file"));
            }
            newest[log] = newest[log].max((file.rank, text));
        }
        Ok(())
    }
}

/// How often a line is to be there, and where it is from.
struct Expected {
    least: usize,
    most: usize,
    file: FileNo,
    place: usize,
}
