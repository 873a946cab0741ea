use std::path::Path;

use crate::conclude::{Lost, StrangeLines, conclude};
use crate::files::{Line, LineReader, SourceFile};
use crate::{CheckError, Finding, Kind, Place, Verdict, tag};

/// Checks a merge of tagged sources, given in the order of their tags.
///
/// Every line of the merged file is looked up by its tag and must be, byte for
/// byte, the next line of that source. So everything can be known: each line
/// that is lost, doubled, torn, glued, changed, foreign or out of order.
///
/// The last line of a source may lack its newline; the merged file must not.
/// An empty source is fine. A line that is swapped with its neighbour is one
/// finding (the one that comes too late), and a source's chunk that comes after
/// a later chunk is one finding a line. A torn line is recognised by its
/// beginning, its end or its tag; the first 500 lines that are no line of a
/// source are examined in this way, and those after them count as foreign.
///
/// It reads source and merged file side by side and holds one buffer of each, and one
/// descriptor at a time besides the merged file's. Where each line starts (nine bytes a
/// line) is noted only for a source in which something is wrong.
///
/// # Blocking
///
/// Blocks the caller until all is read.
///
/// # Errors
///
/// [`CheckError::Read`] if a file cannot be read; [`CheckError::NotTagged`] if lines
/// are missing and their source does not have the tags that it should have.
pub fn check_tagged(sources: &[impl AsRef<Path>], merged: &Path) -> Result<Verdict, CheckError> {
    let mut files: Vec<_> =
        sources.iter().map(|path| SourceFile::new(path.as_ref(), sources.len())).collect();
    let mut progress: Vec<_> = sources.iter().map(|_| Progress::default()).collect();
    let mut verdict = Verdict::new(sources.len());
    let mut strange = StrangeLines::default();
    let mut output = LineReader::open(merged)?;

    while let Some(line) = output.next()? {
        verdict.lines += 1;
        let claim = tag::parse(line.bytes)
            .map(|tag| (tag.source, tag.number))
            .filter(|&(source, _)| source < files.len());
        if let Some((source, number)) = claim {
            let (file, progress) = (&mut files[source], &mut progress[source]);
            if number == progress.highest + 1 && progress.is_next(file, line.bytes)? {
                progress.take_next(line.bytes);
            } else {
                progress.look_up(source, number, file, &line, &mut strange, &mut verdict)?;
            }
        } else {
            strange.add(&line, None);
        }
        if !line.ended {
            verdict.add(Kind::Unfinished, line.place, |finding| {
                Ok(finding.claimed(claim, &files).found(&line))
            })?;
        }
    }
    verdict.bytes = output.place.offset;

    let mut lost = Vec::new();
    for (source, (file, progress)) in files.iter_mut().zip(&mut progress).enumerate() {
        if progress.index.is_some() || progress.offset < file.size()? {
            progress.lost(source, file, output.place, &mut lost)?;
        }
    }
    conclude(verdict, strange, lost, &mut files)
}

/// How far a source has come in the merged file.
#[derive(Default)]
struct Progress {
    /// The highest number that has come.
    highest: u64,
    /// Where in the source the line after it starts.
    offset: u64,
    /// Made once the source's lines come out of order.
    index: Option<Index>,
}

#[derive(Default)]
struct Index {
    /// Whether line `number - 1` has come.
    came: Vec<bool>,
    /// The first number of every gap, and where in the merged file it opened.
    gaps: Vec<(u64, Place)>,
}

impl Progress {
    /// Says whether the next line of the source is this one.
    fn is_next(&self, file: &mut SourceFile, line: &[u8]) -> Result<bool, CheckError> {
        let rest = file.bytes_at(self.offset, line.len() + 1)?;
        // The source's last line may end at the end of the file instead.
        Ok(rest.starts_with(line) && rest.get(line.len()).is_none_or(|&byte| byte == b'\n'))
    }

    fn take_next(&mut self, line: &[u8]) {
        self.highest += 1;
        self.offset += line.len() as u64 + 1;
        if let Some(index) = &mut self.index {
            index.came[self.highest as usize - 1] = true;
        }
    }

    /// Looks up, by its number, a line that is not the next one.
    fn look_up(
        &mut self,
        source: usize,
        number: u64,
        file: &mut SourceFile,
        line: &Line<'_>,
        strange: &mut StrangeLines,
        verdict: &mut Verdict,
    ) -> Result<(), CheckError> {
        let index = self.index(file)?;
        if !(1..=file.lines()).contains(&number) || file.line(number)? != line.bytes {
            strange.add(line, Some((source, number)));
            return Ok(());
        }
        let came = std::mem::replace(&mut index.came[number as usize - 1], true);
        if !came && number > self.highest {
            if number > self.highest + 1 {
                let gap = (self.highest + 1, line.place);
                self.index(file)?.gaps.push(gap);
            }
            self.highest = number;
            self.offset = file.line_start(number + 1);
            return Ok(());
        }
        let kind = if came { Kind::Doubled } else { Kind::OutOfOrder };
        let next = self.highest + 1;
        verdict.add(kind, line.place, |finding| {
            let finding = finding.of(source, &file.path, number).found(line);
            Ok(Finding { expected: file.line_if_any(next)?, ..finding })
        })
    }

    fn index(&mut self, file: &mut SourceFile) -> Result<&mut Index, CheckError> {
        if self.index.is_none() {
            file.find_lines()?;
            let came = (0..file.lines()).map(|before| before < self.highest).collect();
            self.index = Some(Index { came, gaps: Vec::new() });
        }
        Ok(self.index.get_or_insert_default())
    }

    /// Adds the lines that have not come.
    fn lost(
        &mut self,
        source: usize,
        file: &mut SourceFile,
        end: Place,
        lost: &mut Vec<Lost>,
    ) -> Result<(), CheckError> {
        let highest = self.highest;
        let index = self.index(file)?;
        let before = lost.len();
        for (number, _) in (1..).zip(&index.came).filter(|&(_, came)| !came) {
            // The gap that holds the number is the last one that opened at or
            // before it; after the highest number there is only the end.
            let gap = index.gaps.partition_point(|&(first, _)| first <= number);
            let place = if number > highest { end } else { index.gaps[gap - 1].1 };
            lost.push(Lost { source, number, known: true, place });
        }
        let is_tagged = |line: &[u8]| {
            tag::parse(line).is_some_and(|tag| (tag.source, tag.number) == (source, 1))
        };
        if lost.len() > before && !is_tagged(file.line(1)?) {
            let path = file.path.clone();
            return Err(CheckError::NotTagged { path, source_index: source });
        }
        Ok(())
    }
}
