use std::collections::HashMap;
use std::hash::{BuildHasherDefault, DefaultHasher, Hasher};
use std::path::Path;

use super::conclude::{Lost, StrangeLines, conclude};
use super::files::{LineReader, SourceFile};
use super::verdict::of_source;
use super::{CheckError, Finding, Kind, Place, Verdict};

/// Checks a merge of any files, whose lines do not say whose they are.
///
/// **What it can know.** Which lines are lost, doubled (there more often than
/// in all sources together) or foreign: exactly, since lines are counted. And
/// whether the lines that stand in one source only, even many times in it, are
/// all in order. (Equal lines of one source are interchangeable, so the first
/// to come is the first. If some are not in order, then which of several equal
/// lines has moved can be told in several ways, and it names one of them, not
/// always with the fewest findings.)
///
/// **What it can bound.** A line that stands in several sources (a blank line,
/// `}`) could be anybody's. Its order is judged by the lines around it that are
/// some source's own: it is out of order if fewer of its likes have come than
/// the sources' own lines that have come stand after, or more than may come
/// before the own lines that have not come yet. The second is not asked when
/// lines are lost, because the missing line may be the very one that was to
/// come first.
///
/// **What it cannot know.** Whether shared lines were exchanged between two
/// own lines, or in a stretch that two sources have in common; which source
/// has lost a shared line (the finding names none); and two different lines
/// with the same 64-bit hash are one to it (for ten million lines a chance of
/// less than one in a hundred thousand). A torn line is a lost line of which
/// the merged file has a beginning or an end, and a glued one is a lost line
/// with which a foreign one begins or ends: with short lines that can be
/// chance. Otherwise all is as in [`check_tagged`](super::check_tagged).
///
/// It holds about 50 bytes for every different line of the sources, and five to
/// nine for every line.
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
    let mut book = Book::of(sources)?;
    let mut verdict = Verdict::new(sources.len());
    let mut strange = StrangeLines::default();
    let mut output = LineReader::open(merged)?;

    while let Some(line) = output.next()? {
        verdict.lines += 1;
        match book.take(line.bytes, line.place) {
            Taken::InOrder => {}
            Taken::Shared => verdict.shared += 1,
            Taken::Strange => strange.add(&line, None),
            Taken::Doubled { source } => {
                verdict.add(Kind::Doubled, || {
                    let path = source.and_then(|source| of_source(files[source].path()));
                    let (kind, place, found) = (Kind::Doubled, line.place, line.bytes.to_vec());
                    let (number, expected, found) = (None, None, Some(found));
                    Ok::<_, CheckError>(Finding {
                        kind,
                        source,
                        path,
                        number,
                        place,
                        expected,
                        found,
                    })
                })?;
            }
            Taken::Late { source, number, next } => {
                verdict.add(Kind::OutOfOrder, || {
                    let file = &mut files[source];
                    file.find_lines()?;
                    let expected =
                        if next <= file.lines() { Some(file.line(next)?.to_vec()) } else { None };
                    let (path, found) = (of_source(file.path()), Some(line.bytes.to_vec()));
                    let (kind, place) = (Kind::OutOfOrder, line.place);
                    let (source, number) = (Some(source), Some(number));
                    Ok::<_, CheckError>(Finding {
                        kind,
                        source,
                        path,
                        number,
                        place,
                        expected,
                        found,
                    })
                })?;
            }
        }
        if !line.ended {
            verdict.add(Kind::Unfinished, || {
                let (kind, place, found) = (Kind::Unfinished, line.place, line.bytes.to_vec());
                let (source, path, number, expected) = (None, None, None, None);
                let found = Some(found);
                Ok::<_, CheckError>(Finding { kind, source, path, number, place, expected, found })
            })?;
        }
    }
    verdict.bytes = output.place().offset;

    let lost = book.lost(output.place());
    for misplaced in book.misplaced(lost.is_empty()) {
        let file = &mut files[misplaced.source];
        file.find_lines()?;
        for _ in 0..misplaced.lines {
            verdict.add(Kind::OutOfOrder, || {
                let line = file.line(misplaced.number)?.to_vec();
                let (kind, place) = (Kind::OutOfOrder, misplaced.place);
                let (source, path) = (Some(misplaced.source), of_source(file.path()));
                let (expected, found) =
                    if misplaced.too_early { (None, Some(line)) } else { (Some(line), None) };
                let number = Some(misplaced.number);
                Ok::<_, CheckError>(Finding { kind, source, path, number, place, expected, found })
            })?;
        }
    }
    for line in &lost {
        files[line.source].find_lines()?;
    }
    conclude(verdict, strange, lost, &mut files)
}

const TOO_MANY: &str = "no more than four thousand million lines";

/// All that is known of the sources' lines and of how far the merge has come.
struct Book {
    contents: Contents,
    /// For every content, what is known of it.
    entries: Vec<Entry>,
    /// What is known of the order of shared contents, which are few.
    bounds: Vec<Bounds>,
    progress: Vec<Progress>,
    /// Where own contents stand: `places[entry.first..][..entry.count]`.
    places: Vec<u32>,
}

/// One content: what a line says, wherever it stands.
struct Entry {
    /// How many lines of the sources say it.
    count: u32,
    /// How many lines of the merged file have said it.
    seen: u32,
    whose: Whose,
}

#[derive(Clone, Copy)]
enum Whose {
    /// It stands in one source only. `next` is the first of its places that has
    /// not been passed, `free` one before which all have come.
    Own { source: u32, first: u32, next: u32, free: u32 },
    /// It stands in several; its bounds are those of this index.
    Shared(u32),
}

/// What the own lines say about a shared one.
#[derive(Clone, Copy, Default)]
struct Bounds {
    /// How many should have come by now, and how many may have.
    least: u32,
    most: u32,
    /// By how many it ever missed the two, and where first.
    late: u32,
    early: u32,
    late_at: Option<(u32, u32, Place)>,
    early_at: Option<Place>,
}

#[derive(Default)]
struct Progress {
    /// The content of every line, in order.
    lines: Vec<u32>,
    /// Which own lines have come.
    came: Vec<bool>,
    /// The number of the last own line that has come; 0 for none.
    highest: usize,
    /// Up to which line (this one not included, counted from 0) shared lines
    /// may have come.
    allowed: usize,
    /// The first number of every gap, and where in the merged file it opened.
    gaps: Vec<(usize, Place)>,
}

/// What a line of the merged file is.
enum Taken {
    InOrder,
    Shared,
    Strange,
    Doubled { source: Option<usize> },
    Late { source: usize, number: u64, next: u64 },
}

/// Shared lines that came too early or too late.
struct Misplaced {
    source: usize,
    number: u64,
    place: Place,
    lines: u32,
    too_early: bool,
}

impl Book {
    fn of(sources: &[impl AsRef<Path>]) -> Result<Book, CheckError> {
        let mut contents = Contents::default();
        let mut entries: Vec<Entry> = Vec::new();
        let mut bounds = Vec::new();
        let mut progress = Vec::new();
        for (source, path) in (0_u32..).zip(sources) {
            let mut reader = LineReader::open(path.as_ref())?;
            let mut lines = Vec::new();
            while let Some(line) = reader.next()? {
                let content = contents.number(line.bytes, entries.len());
                if content as usize == entries.len() {
                    let whose = Whose::Own { source, first: 0, next: 0, free: 0 };
                    entries.push(Entry { count: 0, seen: 0, whose });
                }
                let entry = &mut entries[content as usize];
                entry.count += 1;
                if matches!(entry.whose, Whose::Own { source: owner, .. } if owner != source) {
                    // Shared contents are no more than all, whose numbers fit.
                    entry.whose = Whose::Shared(bounds.len() as u32);
                    bounds.push(Bounds::default());
                }
                lines.push(content);
            }
            let came = vec![false; lines.len()];
            progress.push(Progress { lines, came, ..Progress::default() });
        }

        let mut places = 0;
        for entry in &mut entries {
            if let Whose::Own { first, .. } = &mut entry.whose {
                *first = places;
                places = u32::checked_add(places, entry.count).expect(TOO_MANY);
            }
        }
        let places = vec![0; places as usize];
        let mut book = Book { contents, entries, bounds, progress, places };
        for source in &book.progress {
            for (at, &content) in (0_u32..).zip(&source.lines) {
                if let Whose::Own { first, next, .. } = &mut book.entries[content as usize].whose {
                    book.places[(*first + *next) as usize] = at;
                    *next += 1;
                }
            }
        }
        for entry in &mut book.entries {
            if let Whose::Own { next, .. } = &mut entry.whose {
                *next = 0;
            }
        }
        for source in &mut book.progress {
            source.allow(&book.entries, &mut book.bounds);
        }
        Ok(book)
    }

    /// Takes the next line of the merged file.
    fn take(&mut self, line: &[u8], place: Place) -> Taken {
        let Some(content) = self.contents.find(line) else { return Taken::Strange };
        let entry = &mut self.entries[content as usize];
        if entry.seen == entry.count {
            let source = match entry.whose {
                Whose::Own { source, .. } => Some(source as usize),
                Whose::Shared(_) => None,
            };
            return Taken::Doubled { source };
        }
        entry.seen += 1;
        let seen = entry.seen;
        let (source, first, next, free) = match &mut entry.whose {
            Whose::Own { source, first, next, free } => {
                (*source as usize, *first as usize, next, free)
            }
            Whose::Shared(bounds) => {
                let bounds = &mut self.bounds[*bounds as usize];
                let early = seen.saturating_sub(bounds.most);
                if early > 0 {
                    bounds.early = bounds.early.max(early);
                    bounds.early_at.get_or_insert(place);
                }
                return Taken::Shared;
            }
        };
        let progress = &mut self.progress[source];
        let places = &self.places[first..first + entry.count as usize];
        while places.get(*next as usize).is_some_and(|&at| (at as usize) < progress.highest) {
            *next += 1;
        }
        let Some(&at) = places.get(*next as usize) else {
            // All its places are passed, and one of them is still free.
            while progress.came[places[*free as usize] as usize] {
                *free += 1;
            }
            let at = places[*free as usize] as usize;
            progress.came[at] = true;
            let (number, next) = (at as u64 + 1, progress.highest as u64 + 1);
            return Taken::Late { source, number, next };
        };
        *next += 1;
        progress.came[at as usize] = true;
        self.pass(source, at as usize, place);
        Taken::InOrder
    }

    /// Notes that an own line has come: the shared lines before it should have.
    fn pass(&mut self, source: usize, at: usize, place: Place) {
        let progress = &mut self.progress[source];
        for before in progress.highest..at {
            let entry = &self.entries[progress.lines[before] as usize];
            if let Whose::Shared(bounds) = entry.whose {
                let bounds = &mut self.bounds[bounds as usize];
                bounds.least += 1;
                let late = bounds.least.saturating_sub(entry.seen);
                if late > bounds.late {
                    bounds.late = late;
                    bounds.late_at.get_or_insert((source as u32, before as u32, place));
                }
            }
        }
        if at > progress.highest {
            progress.gaps.push((progress.highest, place));
        }
        progress.highest = at + 1;
        progress.allow(&self.entries, &mut self.bounds);
    }

    /// Lists the lines that have not come.
    fn lost(&self, end: Place) -> Vec<Lost> {
        let mut missing: Vec<u32> =
            self.entries.iter().map(|entry| entry.count - entry.seen).collect();
        let mut lost = Vec::new();
        for (source, progress) in self.progress.iter().enumerate() {
            for (at, &content) in progress.lines.iter().enumerate() {
                let missing = &mut missing[content as usize];
                let whose = &self.entries[content as usize].whose;
                let known = matches!(whose, Whose::Own { .. });
                if *missing == 0 || (known && progress.came[at]) {
                    continue;
                }
                *missing -= 1;
                let place = match whose {
                    Whose::Shared(bounds) => {
                        let late_at = self.bounds[*bounds as usize].late_at;
                        late_at.map_or(end, |(_, _, place)| place)
                    }
                    Whose::Own { .. } if at >= progress.highest => end,
                    Whose::Own { .. } => {
                        let gap = progress.gaps.partition_point(|&(first, _)| first <= at);
                        progress.gaps[gap - 1].1
                    }
                };
                lost.push(Lost { source, number: at as u64 + 1, known, place });
            }
        }
        lost
    }

    /// Lists the shared lines that came, but not where they could have.
    fn misplaced(&self, nothing_is_lost: bool) -> Vec<Misplaced> {
        let mut misplaced = Vec::new();
        let mut early = HashMap::new();
        for (content, entry) in (0_u32..).zip(&self.entries) {
            let Whose::Shared(bounds) = entry.whose else { continue };
            let bounds = self.bounds[bounds as usize];
            let late = bounds.late.saturating_sub(entry.count - entry.seen);
            if let Some((source, at, place)) = bounds.late_at
                && late > 0
            {
                let (source, number) = (source as usize, u64::from(at) + 1);
                misplaced.push(Misplaced { source, number, place, lines: late, too_early: false });
            } else if let Some(place) = bounds.early_at
                && nothing_is_lost
            {
                early.insert(content, (place, bounds.early));
            }
        }
        // Whose line came too early nobody knows; the first source that has it
        // stands for all.
        for (source, progress) in self.progress.iter().enumerate() {
            for (number, content) in (1..).zip(&progress.lines) {
                if early.is_empty() {
                    return misplaced;
                }
                if let Some((place, lines)) = early.remove(content) {
                    misplaced.push(Misplaced { source, number, place, lines, too_early: true });
                }
            }
        }
        misplaced
    }
}

impl Progress {
    /// Allows the shared lines up to the next own one that has not come.
    fn allow(&mut self, entries: &[Entry], bounds: &mut [Bounds]) {
        while let Some(&content) = self.lines.get(self.allowed) {
            match entries[content as usize].whose {
                Whose::Shared(shared) => bounds[shared as usize].most += 1,
                Whose::Own { .. } if self.allowed < self.highest => {}
                Whose::Own { .. } => break,
            }
            self.allowed += 1;
        }
    }
}

/// Gives every content a number, from 0, in the order in which they appear.
#[derive(Default)]
struct Contents(HashMap<u64, u32, BuildHasherDefault<Hashed>>);

impl Contents {
    fn find(&self, line: &[u8]) -> Option<u32> {
        self.0.get(&hash(line)).copied()
    }

    /// Finds the number of a content; if it is new, its number is how many
    /// there were.
    fn number(&mut self, line: &[u8], contents: usize) -> u32 {
        let new = u32::try_from(contents).expect(TOO_MANY);
        *self.0.entry(hash(line)).or_insert(new)
    }
}

fn hash(line: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(line);
    hasher.finish()
}

/// The hasher of a key that is a hash already.
#[derive(Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("the keys are u64");
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}
