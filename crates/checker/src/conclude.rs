//! The last part of every check: lines of the merged file that are no line of
//! a source are held against the lines that are lost.
//!
//! A torn line is both at once: the merged file has a piece that belongs
//! nowhere, and a source has a line that never came. Neither says much alone.

use crate::files::{Line, SourceFile};
use crate::{CheckError, Finding, Kind, Place, Verdict};

/// A line of the merged file that is no line of a source.
pub(crate) struct Strange {
    bytes: Vec<u8>,
    place: Place,
    /// Source and number that it claims to be.
    claim: Option<(usize, u64)>,
    /// A lost line accounts for it.
    explained: bool,
    /// It is the remaining piece of some torn line.
    is_piece: bool,
}

/// The strange lines of a merged file. The first five hundred are kept, up to
/// 64 MiB; the others are counted, and never held against the lost lines.
#[derive(Default)]
pub(crate) struct StrangeLines {
    kept: Vec<Strange>,
    bytes: usize,
    others: u64,
}

impl StrangeLines {
    const KEPT: usize = 500;
    const KEPT_BYTES: usize = 64 * 1024 * 1024;

    pub(crate) fn add(&mut self, line: &Line<'_>, claim: Option<(usize, u64)>) {
        self.bytes += line.bytes.len();
        if self.kept.len() == Self::KEPT || self.bytes > Self::KEPT_BYTES {
            self.others += 1;
            return;
        }
        let (bytes, place) = (line.bytes.to_vec(), line.place);
        self.kept.push(Strange { bytes, place, claim, explained: false, is_piece: false });
    }

    /// Finds a lost line that was changed, glued, or torn in two pieces that are both
    /// here. This is certain, since all of the line's bytes are accounted for.
    fn explain_whole(&mut self, lost: &[u8], _: Option<(usize, u64)>) -> Option<(Kind, usize)> {
        if let Some(end) = self.piece(|piece| lost.ends_with(piece), lost.len()) {
            let length = lost.len() - self.kept[end].bytes.len();
            let start = self.piece(|piece| piece == &lost[..length], lost.len());
            if let Some(start) = start.filter(|&start| start != end) {
                self.use_as_piece(end);
                return Some((Kind::Torn, self.use_as_piece(start)));
            }
        }
        if !lost.is_empty() {
            let glued = |strange: &Strange| {
                strange.bytes.starts_with(lost) || strange.bytes.ends_with(lost)
            };
            if let Some(at) = self.kept.iter().position(glued) {
                self.kept[at].explained = true;
                return Some((Kind::Glued, at));
            }
        }
        None
    }

    /// Finds what is left of a lost line: its beginning, its end, or a line with its
    /// tag.
    fn explain_piece(&mut self, lost: &[u8], whose: Option<(usize, u64)>) -> Option<(Kind, usize)> {
        let is_piece = |piece: &[u8]| lost.starts_with(piece) || lost.ends_with(piece);
        if let Some(at) = self.piece(is_piece, lost.len()) {
            return Some((Kind::Torn, self.use_as_piece(at)));
        }
        let claimed = |strange: &Strange| whose.is_some() && strange.claim == whose;
        let at = self.kept.iter().position(claimed)?;
        self.kept[at].explained = true;
        Some((Kind::Changed, at))
    }

    /// Returns the longest line that `is_piece` and is not yet a piece of another line.
    fn piece(&self, is_piece: impl Fn(&[u8]) -> bool, shorter_than: usize) -> Option<usize> {
        let fits = |&at: &usize| {
            let Strange { bytes, is_piece: taken, .. } = &self.kept[at];
            !taken && !bytes.is_empty() && bytes.len() < shorter_than && is_piece(bytes)
        };
        // Of several of the same length the first.
        (0..self.kept.len()).rev().filter(fits).max_by_key(|&at| self.kept[at].bytes.len())
    }

    fn use_as_piece(&mut self, at: usize) -> usize {
        self.kept[at].is_piece = true;
        self.kept[at].explained = true;
        at
    }
}

/// A line of a source that has not come.
pub(crate) struct Lost {
    pub(crate) source: usize,
    pub(crate) number: u64,
    /// Whether exactly this line is lost, and not an equal one of this or another
    /// source.
    pub(crate) known: bool,
    /// The place in the merged file where it is missed.
    pub(crate) place: Place,
}

/// Counts what is lost, torn, glued, changed and foreign, and closes the
/// verdict.
pub(crate) fn conclude(
    mut verdict: Verdict,
    mut strange: StrangeLines,
    mut lost: Vec<Lost>,
    files: &mut [SourceFile],
) -> Result<Verdict, CheckError> {
    // Whole accounts first: a piece of three bytes could be the beginning of any lost
    // line, and has to go to the one whose end is there too.
    for explain in [StrangeLines::explain_whole, StrangeLines::explain_piece] {
        if strange.kept.is_empty() {
            break;
        }
        let mut unexplained = Vec::new();
        for line in lost {
            let bytes = files[line.source].line(line.number)?;
            let whose = line.known.then_some((line.source, line.number));
            let Some((kind, at)) = explain(&mut strange, bytes, whose) else {
                unexplained.push(line);
                continue;
            };
            let found = &strange.kept[at];
            verdict.add(kind, found.place, |finding| {
                let finding = finding.missing(&line, &mut files[line.source])?;
                Ok(Finding { found: Some(found.bytes.clone()), ..finding })
            })?;
        }
        lost = unexplained;
    }
    for line in lost {
        let file = &mut files[line.source];
        verdict.add(Kind::Lost, line.place, |finding| finding.missing(&line, file))?;
    }
    for line in strange.kept.into_iter().filter(|line| !line.explained) {
        verdict.add(Kind::Foreign, line.place, |finding| {
            Ok(Finding { found: Some(line.bytes), ..finding.claimed(line.claim, files) })
        })?;
    }
    verdict.counts[Kind::Foreign as usize] += strange.others;
    verdict.findings.sort_by_key(|finding| (finding.place, finding.kind, finding.number));
    Ok(verdict)
}
