//! Joins segments that are too short to be seen: a run of a hundred thousand segments
//! is then still a picture, and a true one.

use recorder::{Kind, Lane, Segment};

/// A piece of a lane as it is drawn.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Piece {
    pub(super) begin: f64,
    pub(super) end: f64,
    /// Its kinds, each with its time and its number of segments.
    pub(super) parts: Vec<Part>,
    /// Whether it is one long segment, and as high as its lane.
    pub(super) whole: bool,
    /// The source of all its segments, if that is one.
    pub(super) source: Option<String>,
}

/// The share of one kind in a piece.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Part {
    pub(super) kind: Kind,
    pub(super) seconds: f64,
    pub(super) count: usize,
}

/// Returns the length from which on a segment is a piece by itself: `pixel`, doubled
/// until the lanes of a stage have at most `limit` pieces.
pub(super) fn grain(lanes: &[Lane], pixel: f64, limit: usize) -> f64 {
    let all = |lane: &Lane, grain| {
        let waits: usize = rows(&lane.waiting, grain).iter().map(Vec::len).sum();
        pieces(&lane.segments, grain).len() + waits
    };
    let mut grains = (0..100).map(|doublings| pixel * 2_f64.powi(doublings));
    let few = |grain: &f64| lanes.iter().map(|lane| all(lane, *grain)).sum::<usize>() <= limit;
    grains.find(few).unwrap_or(pixel)
}

/// Returns the pieces of one lane, in order. Idle time has none. A segment of the
/// length `grain` or longer is a piece by itself.
pub(super) fn pieces(segments: &[Segment], grain: f64) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut short: Vec<&Segment> = Vec::new();
    for segment in segments.iter().filter(|segment| segment.kind != Kind::Idle) {
        let long = segment.end - segment.begin >= grain;
        let far = short.last().is_some_and(|last| segment.begin - last.end >= grain);
        let full = short.first().is_some_and(|first| segment.end - first.begin >= 2.0 * grain);
        if long || far || full {
            pieces.extend(together(&short));
            short.clear();
        }
        match long {
            true => pieces.extend(together(&[segment]).map(|piece| Piece { whole: true, ..piece })),
            false => short.push(segment),
        }
    }
    pieces.extend(together(&short));
    pieces
}

/// Returns the pieces of waits that may overlap, in rows in which none do.
pub(super) fn rows(waits: &[Segment], grain: f64) -> Vec<Vec<Piece>> {
    let mut rows: Vec<Vec<Segment>> = Vec::new();
    for wait in waits {
        let free = |row: &&mut Vec<Segment>| row.last().is_none_or(|last| last.end <= wait.begin);
        match rows.iter_mut().find(free) {
            Some(row) => row.push(wait.clone()),
            None => rows.push(vec![wait.clone()]),
        }
    }
    rows.iter().map(|row| pieces(row, grain)).collect()
}

/// Joins neighbours to one piece.
fn together(segments: &[&Segment]) -> Option<Piece> {
    let (first, last) = (segments.first()?, segments.last()?);
    let mut parts: Vec<Part> = Vec::new();
    for segment in segments {
        let seconds = segment.end - segment.begin;
        match parts.iter_mut().find(|part| part.kind == segment.kind) {
            Some(part) => {
                part.seconds += seconds;
                part.count += 1;
            }
            None => parts.push(Part { kind: segment.kind, seconds, count: 1 }),
        }
    }
    // In one order everywhere, so that neighbours line up.
    parts.sort_by_key(|part| part.kind as u8);
    let same = segments.iter().all(|segment| segment.source == first.source);
    let source = first.source.clone().filter(|_| same);
    Some(Piece { begin: first.begin, end: last.end, parts, whole: false, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(kind: Kind, begin: f64, end: f64) -> Segment {
        Segment { kind, source: Some("a.log".into()), begin, end }
    }

    #[test]
    fn what_is_long_stands_alone_and_what_is_short_stands_together() {
        let segments = [
            segment(Kind::Idle, 0.0, 10.0),
            segment(Kind::Read, 10.0, 10.1),
            segment(Kind::Write, 10.1, 10.3),
            segment(Kind::Read, 10.3, 10.4),
            segment(Kind::Idle, 10.4, 10.5),
            segment(Kind::Write, 10.5, 15.0),
            segment(Kind::Idle, 15.0, 20.0),
        ];
        let pieces = pieces(&segments, 1.0);
        let spans: Vec<_> = pieces.iter().map(|piece| (piece.begin, piece.end)).collect();
        assert_eq!(spans, [(10.0, 10.4), (10.5, 15.0)]);
        let parts: Vec<_> = pieces[0].parts.iter().map(|part| (part.kind, part.count)).collect();
        assert_eq!(parts, [(Kind::Read, 2), (Kind::Write, 1)]);
        assert_eq!(pieces[0].source.as_deref(), Some("a.log"));
    }

    #[test]
    fn no_time_is_lost_and_the_pieces_are_few() {
        let kinds = [Kind::Read, Kind::WaitForLock, Kind::Write, Kind::Idle];
        let segments: Vec<Segment> =
            (0..10_000).map(|at| segment(kinds[at % 4], at as f64, at as f64 + 1.0)).collect();
        let pieces = pieces(&segments, 100.0);
        assert!((50..=100).contains(&pieces.len()), "{} pieces", pieces.len());
        let parts = pieces.iter().flat_map(|piece| &piece.parts);
        assert_eq!(parts.map(|part| part.seconds).sum::<f64>(), 7_500.0);
        for pair in pieces.windows(2) {
            assert!(pair[0].end <= pair[1].begin, "{pair:?}");
        }
    }

    #[test]
    fn waits_that_overlap_are_in_rows_of_their_own() {
        let wait = |begin, end| segment(Kind::WaitForLoop, begin, end);
        let rows = rows(&[wait(0.0, 5.0), wait(1.0, 6.0), wait(5.5, 9.0)], 1.0);
        let spans: Vec<Vec<_>> =
            rows.iter().map(|row| row.iter().map(|it| (it.begin, it.end)).collect()).collect();
        assert_eq!(spans, [vec![(0.0, 5.0), (5.5, 9.0)], vec![(1.0, 6.0)]]);
    }
}
