//! A stall: in words, and where it is on the loop's lane.

use recorder::{Kind, Lane, Segment, Stall};

use super::millis::millis;
use super::picture::file_name;
use super::words::Span;

/// `stall 151.2 ms: append of a.log`.
pub(super) fn in_words(stall: &Stall) -> String {
    match &stall.source {
        Some(source) => format!("{} of {}", in_short(stall), file_name(source)),
        None => in_short(stall),
    }
}

/// `stall 151.2 ms: append`.
pub(super) fn in_short(stall: &Stall) -> String {
    let operation = stall.operation.as_deref().unwrap_or("an unnamed operation");
    format!("stall {}: {operation}", millis(stall.end - stall.begin))
}

/// Returns where a stall is drawn.
///
/// A stall is measured with pings that wait for their turn on the loop, so it is
/// seen to begin and to end a little after what stopped the loop. It is drawn
/// from the begin of the operation that it names, as long as it was measured and
/// no shorter than the operation; where it was measured, if there is no such
/// operation on the lane.
pub(super) fn drawn(stall: &Stall, lane: &Lane) -> Span {
    let length = stall.end - stall.begin;
    let common = |it: &Segment| it.end.min(stall.end) - it.begin.max(stall.begin);
    let is_it = |it: &&Segment| {
        let named = match stall.operation.as_deref() {
            Some("append" | "finish") => it.kind == Kind::Write,
            Some("read_lines") => it.kind == Kind::Read,
            _ => false,
        };
        let begins = it.begin <= stall.begin && stall.begin < it.end;
        named && (begins || common(it) >= length / 2.0)
    };
    let those = lane.segments.iter().filter(is_it);
    match those.max_by(|a, b| common(a).total_cmp(&common(b))) {
        Some(it) => (it.begin, it.end.max(it.begin + length)),
        None => (stall.begin, stall.end),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::fixed;

    fn the_loop() -> Lane {
        fixed::lanes().remove(3).lanes.remove(0)
    }

    #[test]
    fn a_stall_that_was_seen_late_is_drawn_where_its_operation_is() {
        let lane = the_loop();
        let late = Stall { begin: 0.053, end: 0.208, ..lane.stalls[0].clone() };
        let (begin, end) = drawn(&late, &lane);
        assert_eq!(begin, 0.050);
        assert!((end - 0.205).abs() < 1e-9, "{end}");
        let half = Stall { begin: 0.090, end: 0.201, ..late.clone() };
        assert_eq!(drawn(&half, &lane), (0.050, 0.200));
        assert_eq!(in_words(&late), "stall 155.0 ms: append of a.log");
    }

    #[test]
    fn a_stall_of_something_else_is_drawn_where_it_was_measured() {
        let lane = the_loop();
        let late = Stall { begin: 0.053, end: 0.208, ..lane.stalls[0].clone() };
        for operation in [None, Some("read_lines".to_owned())] {
            let other = Stall { operation, ..late.clone() };
            assert_eq!(drawn(&other, &lane), (0.053, 0.208));
        }
        let elsewhere = Stall { begin: 0.210, end: 0.290, ..late };
        assert_eq!(drawn(&elsewhere, &lane), (0.210, 0.290));
    }
}
