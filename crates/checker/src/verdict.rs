use std::fmt::{self, Display};
use std::path::{Path, PathBuf};

use crate::CheckError;
use crate::conclude::Lost;
use crate::files::{Line, SourceFile};

/// What is wrong with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A line of a source is nowhere in the merged file, nor is a piece of it.
    Lost,
    /// A line stands in the merged file once more than in its source.
    Doubled,
    /// Only a beginning or an end of a line is there, or both in two lines.
    Torn,
    /// A line is whole, but shares its line of the merged file with other bytes.
    Glued,
    /// A line is there by its tag, with other bytes (tagged sources only).
    Changed,
    /// A line of the merged file belongs to no source.
    Foreign,
    /// A line comes after one that it should come before.
    OutOfOrder,
    /// The merged file does not end with a newline.
    Unfinished,
}

impl Kind {
    /// All kinds, in the order in which a verdict counts them.
    pub const ALL: [Kind; 8] = [
        Kind::Lost,
        Kind::Doubled,
        Kind::Torn,
        Kind::Glued,
        Kind::Changed,
        Kind::Foreign,
        Kind::OutOfOrder,
        Kind::Unfinished,
    ];
}

impl Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Kind::Lost => "lost",
            Kind::Doubled => "doubled",
            Kind::Torn => "torn",
            Kind::Glued => "glued",
            Kind::Changed => "changed",
            Kind::Foreign => "foreign",
            Kind::OutOfOrder => "out of order",
            Kind::Unfinished => "unfinished",
        })
    }
}

/// A place in the merged file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The number of the line, from 1.
    pub line: u64,
    /// The byte at which the line starts, from 0.
    pub offset: u64,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// What is wrong.
    pub kind: Kind,
    /// The index of the source, from 0, where it is known.
    pub source: Option<usize>,
    /// The path of that source.
    pub path: Option<PathBuf>,
    /// The number of the line in that source, from 1, where it is known.
    pub number: Option<u64>,
    /// Where in the merged file it shows: the line itself; for a lost line, the line
    /// that stands in its place, or the end.
    pub place: Place,
    /// The line that should stand there, without its newline, where it is known.
    pub expected: Option<Vec<u8>>,
    /// The line that stands there, without its newline; none if none does.
    pub found: Option<Vec<u8>>,
}

impl Finding {
    pub(crate) fn of(self, source: usize, path: &Path, number: u64) -> Finding {
        let (source, path, number) = (Some(source), Some(path.to_path_buf()), Some(number));
        Finding { source, path, number, ..self }
    }

    /// Names the source and the number that a line claims to be.
    pub(crate) fn claimed(self, claim: Option<(usize, u64)>, files: &[SourceFile]) -> Finding {
        match claim {
            Some((source, number)) => self.of(source, &files[source].path, number),
            None => self,
        }
    }

    /// Names a line that has not come, and its source if that is known.
    pub(crate) fn missing(self, line: &Lost, file: &mut SourceFile) -> Result<Finding, CheckError> {
        let expected = Some(file.line(line.number)?.to_vec());
        let finding = if line.known { self.of(line.source, &file.path, line.number) } else { self };
        Ok(Finding { expected, ..finding })
    }

    pub(crate) fn found(self, line: &Line<'_>) -> Finding {
        Finding { found: Some(line.bytes.to_vec()), ..self }
    }
}

impl Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind)?;
        if let Some(number) = self.number {
            write!(f, ": line {}", grouped(number))?;
        }
        if let Some(source) = self.source {
            let of = if self.number.is_some() { " of" } else { ":" };
            write!(f, "{of} source {source}")?;
        }
        if let Some(path) = &self.path {
            write!(f, " ({})", path.display())?;
        }
        let Place { line, offset } = self.place;
        write!(f, ", at line {} (byte {}) of the merged file", grouped(line), grouped(offset))?;
        for (name, line) in [("expected", &self.expected), ("found   ", &self.found)] {
            if let Some(line) = line {
                write!(f, "\n      {name} {}", excerpt(line))?;
            }
        }
        Ok(())
    }
}

/// The result of the check of a merged file.
///
/// Printed, it is one line when the merge is right, and otherwise a count of
/// what is wrong, by kind, with the first findings in full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    pub(crate) sources: usize,
    pub(crate) lines: u64,
    pub(crate) bytes: u64,
    pub(crate) shared: u64,
    pub(crate) counts: [u64; Kind::ALL.len()],
    pub(crate) findings: Vec<Finding>,
}

impl Verdict {
    /// How many findings of a kind are kept in full.
    pub(crate) const KEPT: u64 = 20;

    pub(crate) fn new(sources: usize) -> Verdict {
        let (counts, findings) = ([0; Kind::ALL.len()], Vec::new());
        Verdict { sources, lines: 0, bytes: 0, shared: 0, counts, findings }
    }

    /// Says whether every line of every source stands in the merged file once,
    /// whole and in order, and nothing else does.
    pub fn is_right(&self) -> bool {
        self.wrong() == 0
    }

    /// How many findings there are, of all kinds.
    pub fn wrong(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// How many findings of this kind there are.
    pub fn count(&self, kind: Kind) -> u64 {
        self.counts[kind as usize]
    }

    /// The first 20 findings of each kind, by their place in the merged file.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// How many lines the merged file has.
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// How many bytes the merged file has.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How many sources were merged.
    pub fn sources(&self) -> usize {
        self.sources
    }

    /// How many lines of the merged file stand in several sources, so that
    /// nobody can say whose they are; always 0 for tagged sources.
    pub fn shared(&self) -> u64 {
        self.shared
    }

    /// Counts a finding. `fill` completes it, if it is among those that are kept.
    pub(crate) fn add(
        &mut self,
        kind: Kind,
        place: Place,
        fill: impl FnOnce(Finding) -> Result<Finding, CheckError>,
    ) -> Result<(), CheckError> {
        let count = &mut self.counts[kind as usize];
        *count += 1;
        if *count <= Verdict::KEPT {
            let (source, path, number) = (None, None, None);
            let (expected, found) = (None, None);
            let bare = Finding { kind, source, path, number, place, expected, found };
            self.findings.push(fill(bare)?);
        }
        Ok(())
    }
}

impl Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// How many findings are printed.
        const PRINTED: usize = 20;
        let (lines, sources) =
            (counted(self.lines, "line"), counted(self.sources as u64, "source"));
        if self.is_right() {
            write!(f, "{lines} of {sources}, each once and in order")?;
            return match grouped(self.shared).as_str() {
                "0" => Ok(()),
                shared => {
                    write!(f, " ({shared} of them in several sources, whose order is not asked)")
                }
            };
        }
        let counts = Kind::ALL.into_iter().filter(|kind| self.count(*kind) > 0);
        let counts: Vec<_> =
            counts.map(|kind| format!("{} {kind}", grouped(self.count(kind)))).collect();
        write!(f, "{lines} of {sources}, and not as they should be: {}", counts.join(", "))?;
        for finding in self.findings.iter().take(PRINTED) {
            write!(f, "\n  {finding}")?;
        }
        let more = self.wrong() - self.findings.len().min(PRINTED) as u64;
        if more > 0 {
            write!(f, "\n  and {} more", grouped(more))?;
        }
        Ok(())
    }
}

fn counted(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", grouped(number), if number == 1 { "" } else { "s" })
}

/// 4194304 as 4,194,304.
fn grouped(number: u64) -> String {
    match number {
        0..1_000 => number.to_string(),
        _ => format!("{},{:03}", grouped(number / 1_000), number % 1_000),
    }
}

/// The beginning of a line, printable whatever bytes it has.
fn excerpt(line: &[u8]) -> String {
    const SHOWN: usize = 100;
    let shown = line[..line.len().min(SHOWN)].escape_ascii();
    if line.len() <= SHOWN {
        format!("\"{shown}\"")
    } else {
        format!("\"{shown}\"… ({} bytes)", grouped(line.len() as u64))
    }
}
