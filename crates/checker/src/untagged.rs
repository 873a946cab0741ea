use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hasher};
use std::path::Path;

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::conclude::{Lost, StrangeLines, conclude};
use crate::files::{LineReader, SourceFile};
use crate::{CheckError, Finding, Kind, Place, Verdict};

/// Checks a merge of any files, whose lines do not say whose they are.
///
/// **Lines are counted.** A line is lost, doubled (it stands in the merged file
/// more often than in all sources together) or foreign: this is known exactly.
///
/// **Own lines are in order.** A line that stands in one source only, even many
/// times in it, must come after the own lines that stand before it. Equal lines
/// of one source are interchangeable, so the first to come is the first.
///
/// **Of a shared line, which stands in several sources (a blank line, `}`), the
/// order is not asked.** Nobody can say whose it is, so the finding of a lost
/// one names no source and the end of the merged file. [`Verdict::shared`] says
/// how many there are.
///
/// Two different lines with the same 64-bit hash count as the same line (for ten
/// million lines a chance of less than one in a hundred thousand). A torn line is a
/// lost line of which the merged file has a beginning or an end, and a glued one is a
/// lost line with which a foreign one begins or ends: with short lines that can be
/// chance. All else is as in [`check_tagged`](crate::check_tagged).
///
/// It holds about 50 bytes for every different line of the sources.
///
/// # Blocking
///
/// Blocks the caller until all is read.
///
/// # Errors
///
/// [`CheckError::Read`] if a file cannot be read.
///
/// # Panics
///
/// The sources have more than four thousand million lines.
pub fn check_untagged(sources: &[impl AsRef<Path>], merged: &Path) -> Result<Verdict, CheckError> {
    let mut files: Vec<_> =
        sources.iter().map(|path| SourceFile::new(path.as_ref(), sources.len())).collect();
    let mut expected = Expected::of(sources)?;
    let mut verdict = Verdict::new(sources.len());
    let mut strange = StrangeLines::default();
    let mut output = LineReader::open(merged)?;

    while let Some(line) = output.next()? {
        verdict.lines += 1;
        match expected.take(line.bytes, line.place) {
            Taken::InOrder => {}
            Taken::Shared => verdict.shared += 1,
            Taken::Strange => strange.add(&line, None),
            Taken::Doubled { source } => verdict.add(Kind::Doubled, line.place, |finding| {
                let path = source.map(|source| files[source].path.clone());
                Ok(Finding { source, path, ..finding.found(&line) })
            })?,
            Taken::Late { source, number, next } => {
                verdict.add(Kind::OutOfOrder, line.place, |finding| {
                    let file = &mut files[source];
                    file.find_lines()?;
                    let finding = finding.of(source, &file.path, number).found(&line);
                    Ok(Finding { expected: file.line_if_any(next)?, ..finding })
                })?;
            }
        }
        if !line.ended {
            verdict.add(Kind::Unfinished, line.place, |finding| Ok(finding.found(&line)))?;
        }
    }
    verdict.bytes = output.place.offset;

    let lost = expected.lost(output.place);
    for line in &lost {
        files[line.source].find_lines()?;
    }
    conclude(verdict, strange, lost, &mut files)
}

/// The lines of all sources, and which of them have come.
///
/// A line has one number among all: those of the first source come first.
struct Expected {
    /// By the hash of a line; the map hardly hashes that again.
    contents: FxHashMap<u64, Content>,
    sources: Vec<Progress>,
    /// By content, the lines whose successors have come before them.
    passed: FxHashMap<u64, VecDeque<u32>>,
}

/// The content of a line, wherever it stands.
struct Content {
    source: u32,
    shared: bool,
    /// The lines with this content that have not come; the next one is the last.
    ahead: SmallVec<[u32; 2]>,
}

/// How far a source has come in the merged file.
struct Progress {
    /// The number of its first line.
    first: u32,
    /// The number after the last of its own lines that has come.
    next: u32,
    /// The first number of every gap, and where in the merged file it opened.
    gaps: Vec<(u32, Place)>,
}

/// What a line of the merged file is.
enum Taken {
    InOrder,
    Shared,
    Strange,
    Doubled { source: Option<usize> },
    Late { source: usize, number: u64, next: u64 },
}

impl Expected {
    fn of(paths: &[impl AsRef<Path>]) -> Result<Expected, CheckError> {
        let (mut contents, mut sources) = (FxHashMap::<_, Content>::default(), Vec::new());
        let mut lines = 0_u32;
        for (source, path) in (0_u32..).zip(paths) {
            sources.push(Progress { first: lines, next: lines, gaps: Vec::new() });
            let mut reader = LineReader::open(path.as_ref())?;
            while let Some(line) = reader.next()? {
                let content = contents.entry(hash(line.bytes)).or_insert_with(|| Content {
                    source,
                    shared: false,
                    ahead: SmallVec::new(),
                });
                content.shared |= content.source != source;
                content.ahead.push(lines);
                lines = lines.checked_add(1).expect("no more than four thousand million lines");
            }
        }
        for content in contents.values_mut() {
            content.ahead.reverse();
        }
        Ok(Expected { contents, sources, passed: FxHashMap::default() })
    }

    /// Takes the next line of the merged file.
    fn take(&mut self, line: &[u8], place: Place) -> Taken {
        let hash = hash(line);
        let Some(content) = self.contents.get_mut(&hash) else { return Taken::Strange };
        if content.shared {
            let taken = content.ahead.pop();
            return taken.map_or(Taken::Doubled { source: None }, |_| Taken::Shared);
        }
        let source = content.source as usize;
        let progress = &mut self.sources[source];
        while let Some(number) = content.ahead.pop() {
            if number >= progress.next {
                if number > progress.next {
                    progress.gaps.push((progress.next, place));
                }
                progress.next = number + 1;
                return Taken::InOrder;
            }
            self.passed.entry(hash).or_default().push_back(number);
        }
        match self.passed.get_mut(&hash).and_then(VecDeque::pop_front) {
            Some(number) => Taken::Late {
                source,
                number: progress.number(number),
                next: progress.number(progress.next),
            },
            None => Taken::Doubled { source: Some(source) },
        }
    }

    /// Lists the lines that have not come, in the order of the sources.
    fn lost(&self, end: Place) -> Vec<Lost> {
        let ahead = self
            .contents
            .values()
            .flat_map(|content| content.ahead.iter().map(|&number| (number, !content.shared)));
        let passed = self.passed.values().flatten().map(|&number| (number, true));
        let mut lost: Vec<_> = ahead.chain(passed).collect();
        lost.sort_unstable();
        let lost = lost.into_iter().map(|(number, known)| {
            let source = self.sources.partition_point(|source| source.first <= number) - 1;
            let progress = &self.sources[source];
            let place = if known { progress.missed_at(number).unwrap_or(end) } else { end };
            Lost { source, number: progress.number(number), known, place }
        });
        lost.collect()
    }
}

impl Progress {
    /// The number of a line in its source, from 1.
    fn number(&self, number: u32) -> u64 {
        u64::from(number - self.first) + 1
    }

    /// Where in the merged file an own line that has not come should stand;
    /// none at the end.
    fn missed_at(&self, number: u32) -> Option<Place> {
        let gap = self.gaps.partition_point(|&(first, _)| first <= number);
        (number < self.next).then(|| self.gaps[gap - 1].1)
    }
}

fn hash(line: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(line);
    hasher.finish()
}
