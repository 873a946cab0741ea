//! What the lanes of a stage show, computed from the segments: if a stage changes, its
//! sentence changes.

use recorder::{Kind, Lane, Role, Segment};

use crate::comparison::StageLanes;
use crate::units::Time;

/// The beginning and the end of a piece of time, in seconds.
pub(crate) type Span = (f64, f64);

/// What can be seen in the lanes of a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// The loop stood still.
    Still,
    /// Threads stood in line for the lock while one of them wrote.
    Line,
    /// A thread that only writes waited, and the loop went on.
    Writer,
    /// Only the thread that wrote waited: no other had anything to write.
    Alone,
    /// Nothing blocked.
    Nothing,
}

pub(crate) fn shape(stage: &StageLanes) -> Shape {
    let blocked = blocked(stage);
    // A busy machine stalls any loop now and then, so a stall counts only if no write
    // blocked.
    if blocked.is_empty() {
        if stalls(stage).is_empty() { Shape::Nothing } else { Shape::Still }
    } else if !blocked_on_loop(stage).is_empty() {
        Shape::Still
    } else if in_line(stage, &blocked) > 0 {
        Shape::Line
    } else if stage.lanes.iter().any(|lane| lane.role == Role::Writer) {
        Shape::Writer
    } else {
        Shape::Alone
    }
}

/// Returns the spans in which a write did not return for long, since the output took
/// nothing. Spans that touch are joined.
pub(crate) fn blocked(stage: &StageLanes) -> Vec<Span> {
    long_writes(stage, |_| true)
}

/// Returns the same of the writes of the loop itself.
pub(crate) fn blocked_on_loop(stage: &StageLanes) -> Vec<Span> {
    long_writes(stage, |lane| lane.role == Role::Loop)
}

fn long_writes(stage: &StageLanes, of: impl Fn(&&Lane) -> bool) -> Vec<Span> {
    let long = (stage.seconds / 50.0).max(0.010);
    let writes = stage.lanes.iter().filter(of).flat_map(|lane| &lane.segments);
    let writes = writes.filter(|it| it.kind == Kind::Write && it.end - it.begin >= long);
    let mut spans: Vec<Span> = writes.map(|it| (it.begin, it.end)).collect();
    spans.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut joined: Vec<Span> = Vec::new();
    for span in spans {
        match joined.last_mut().filter(|last| span.0 <= last.1 + 0.001) {
            Some(last) => last.1 = last.1.max(span.1),
            None => joined.push(span),
        }
    }
    joined
}

/// Returns the stalls as they were measured.
pub(crate) fn stalls(stage: &StageLanes) -> Vec<Span> {
    let stalls = stage.lanes.iter().flat_map(|lane| &lane.stalls);
    stalls.map(|stall| (stall.begin, stall.end)).collect()
}

/// Returns the operations that the stalls name, each once.
pub(crate) fn causes(stage: &StageLanes) -> Vec<&str> {
    let stalls = stage.lanes.iter().flat_map(|lane| &lane.stalls);
    let mut causes: Vec<&str> =
        stalls.map(|it| it.operation.as_deref().unwrap_or("an unnamed operation")).collect();
    causes.sort_unstable();
    causes.dedup();
    causes
}

/// Returns the most threads that wait for the lock near the end of a span. By then all
/// have come that will: sources get their lines, and begin to wait, one after the
/// other.
pub(crate) fn in_line(stage: &StageLanes, spans: &[Span]) -> usize {
    let waits = |it: &&Segment| it.kind == Kind::WaitForLock;
    let segments = stage.lanes.iter().flat_map(|lane| &lane.segments).filter(waits);
    at_the_end(&segments.collect::<Vec<_>>(), spans)
}

/// Returns the most tasks that wait near the end of a span.
pub(crate) fn tasks_waiting(stage: &StageLanes, spans: &[Span]) -> usize {
    let waits: Vec<&Segment> = stage.lanes.iter().flat_map(|lane| &lane.waiting).collect();
    at_the_end(&waits, spans)
}

fn at_the_end(segments: &[&Segment], spans: &[Span]) -> usize {
    let at = |now: f64| segments.iter().filter(|it| it.begin <= now && now < it.end).count();
    spans.iter().map(|span| at(span.0 + 0.95 * (span.1 - span.0))).max().unwrap_or(0)
}

/// Returns how many reads begin within the spans.
pub(crate) fn reads_begun(stage: &StageLanes, spans: &[Span]) -> usize {
    let within = |it: &&Segment| spans.iter().any(|span| (span.0..span.1).contains(&it.begin));
    let reads = stage.lanes.iter().flat_map(|lane| &lane.segments);
    reads.filter(|it| it.kind == Kind::Read).filter(within).count()
}

/// Returns how many lines of clients are sent and answered within the spans, and the
/// longest wait for an answer, in seconds; `None` without clients.
pub(crate) fn answered(stage: &StageLanes, spans: &[Span]) -> Option<(usize, f64)> {
    let asks = stage.lanes.iter().flat_map(|lane| &lane.segments);
    let asks: Vec<_> = asks.filter(|it| it.kind == Kind::WaitForService).collect();
    let longest = asks.iter().map(|it| it.end - it.begin).max_by(f64::total_cmp)?;
    let within = |it: &&&Segment| spans.iter().any(|span| span.0 <= it.begin && it.end < span.1);
    Some((asks.iter().filter(within).count(), longest))
}

/// Returns how many spans there are, and their time: `2 times, 303 ms in all`.
pub(crate) fn times(spans: &[Span]) -> String {
    let all = Time(spans.iter().map(|span| span.1 - span.0).sum());
    match spans.len() {
        1 => format!("once, for {all}"),
        many => format!("{many} times, {all} in all"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use recorder::Stall;

    fn segment(kind: Kind, begin: f64, end: f64) -> Segment {
        Segment { kind, source: Some("a.log".into()), begin, end }
    }

    fn lane(role: Role, segments: &[Segment]) -> Lane {
        let (waiting, stalls) = (Vec::new(), Vec::new());
        Lane { thread: "t".into(), role, segments: segments.to_vec(), waiting, stalls }
    }

    /// A run in which a lane of this role writes from 50 to 200 ms.
    fn writes(role: Role, others: &[Lane]) -> StageLanes {
        let mut lanes = vec![lane(role, &[segment(Kind::Write, 0.05, 0.2)])];
        lanes.extend_from_slice(others);
        let (stage, what) = ("stage9-x".to_owned(), String::new());
        StageLanes { stage, what, seconds: 0.3, lanes, left_out: 0 }
    }

    #[test]
    fn the_shape_is_that_of_who_waits_behind_a_write_that_blocks() {
        let waits = lane(Role::Tail, &[segment(Kind::WaitForLock, 0.1, 0.21)]);
        let early = lane(Role::Tail, &[segment(Kind::WaitForLock, 0.1, 0.18)]);
        assert_eq!(shape(&writes(Role::Tail, std::slice::from_ref(&waits))), Shape::Line);
        // This thread got the lock before the write ended.
        assert_eq!(shape(&writes(Role::Tail, &[early])), Shape::Alone);
        assert_eq!(shape(&writes(Role::Writer, &[])), Shape::Writer);
        // A loop that writes stands still, whether or not its watch has seen it.
        assert_eq!(shape(&writes(Role::Loop, &[waits])), Shape::Still);
    }

    #[test]
    fn a_stall_of_the_machine_s_is_not_held_against_a_loop_that_does_not_write() {
        let mut stalled = lane(Role::Loop, &[]);
        let (operation, source, task) = (None, None, None);
        stalled.stalls.push(Stall { operation, source, task, begin: 0.06, end: 0.16 });
        let mut stage = writes(Role::Writer, &[stalled]);
        assert_eq!(shape(&stage), Shape::Writer);
        // In ten minutes, 150 ms are a fraction of a pixel, and count as no block.
        stage.seconds = 600.0;
        assert_eq!((blocked(&stage), shape(&stage)), (vec![], Shape::Still));
        assert_eq!(causes(&stage), ["an unnamed operation"]);
        stage.lanes.truncate(1);
        assert_eq!(shape(&stage), Shape::Nothing);
    }

    #[test]
    fn a_line_counts_as_answered_if_all_of_its_wait_is_within_a_write() {
        let waits = [(0.04, 0.06), (0.06, 0.07), (0.07, 0.19), (0.19, 0.21)]
            .map(|(begin, end)| segment(Kind::WaitForService, begin, end));
        let stage = writes(Role::Loop, &[lane(Role::Client, &waits)]);
        let (count, longest) = answered(&stage, &blocked(&stage)).unwrap();
        assert!(count == 2 && (longest - 0.12).abs() < 1e-9, "{count}, {longest}");
        assert_eq!(
            crate::sentences::of_lanes(&stage),
            "In stage9-x, while a note was written (once, for 150 ms), 2 lines were answered, \
             and a client waited for 120 ms at the longest."
        );
        assert_eq!(answered(&writes(Role::Loop, &[]), &[]), None);
    }

    #[test]
    fn writes_that_follow_each_other_at_once_are_one_block() {
        let next = lane(Role::Tail, &[segment(Kind::Write, 0.2005, 0.25)]);
        assert_eq!(blocked(&writes(Role::Tail, &[next])), [(0.05, 0.25)]);
    }
}
