//! Lanes with fixed numbers: who stands in line, who stands still, who goes on.

use recorder::{Kind, Lane, Role, Segment, Stall};

use crate::StageLanes;

/// When the output takes nothing, in seconds.
const BLOCKED: (f64, f64) = (0.050, 0.200);
/// When the run ends.
const END: f64 = 0.300;

/// The lanes of five stages with three sources, each of the shape of its stage.
pub fn lanes() -> Vec<StageLanes> {
    let of = |stage: &str, lanes| StageLanes {
        stage: stage.into(),
        what: "3 files into a pipe that pauses for 150 ms".into(),
        seconds: END,
        lanes,
        left_out: 0,
    };
    let mut pool = in_line();
    pool.push(lane("merge", Role::Loop, &[]));
    vec![
        of("stage1-threads", in_line()),
        of("stage2-mixed", pool),
        of("stage3-bottom-up", in_line()),
        of("stage4-tasks", standing_still()),
        of("stage5-fully-async", going_on()),
    ]
}

/// One thread writes, the others have read and wait for the lock.
fn in_line() -> Vec<Lane> {
    let (begin, end) = BLOCKED;
    let first = [("a.log", Kind::Read, begin - 0.001, begin), ("a.log", Kind::Write, begin, end)];
    let mut lanes = vec![lane("thread 1", Role::Tail, &first)];
    for (at, source) in [(2, "b.log"), (3, "c.log")] {
        let read = begin + 0.004 * f64::from(at);
        let written = end + 0.002 * f64::from(at);
        let segments = [
            (source, Kind::Read, read, read + 0.001),
            (source, Kind::WaitForLock, read + 0.001, written - 0.001),
            (source, Kind::Write, written - 0.001, written),
        ];
        lanes.push(lane(&format!("thread {at}"), Role::Tail, &segments));
    }
    lanes
}

/// The loop writes, and the tasks that have read wait for it.
fn standing_still() -> Vec<Lane> {
    let (begin, end) = BLOCKED;
    let mut the_loop = lane("merge", Role::Loop, &[("a.log", Kind::Write, begin, end)]);
    the_loop.waiting = vec![
        segment("b.log", Kind::WaitForLoop, begin + 0.002, end),
        segment("c.log", Kind::WaitForLoop, begin + 0.003, end + 0.001),
    ];
    the_loop.stalls = vec![Stall {
        begin,
        end,
        operation: Some("append".into()),
        source: Some("/var/log/a.log".into()),
        task: Some("task 3".into()),
    }];
    let reads = [
        ("a.log", Kind::Read, begin - 0.001, begin),
        ("b.log", Kind::Read, begin + 0.001, begin + 0.002),
        ("c.log", Kind::Read, begin + 0.002, begin + 0.003),
    ];
    vec![the_loop, lane("pool-1", Role::Reader, &reads)]
}

/// The writer's thread waits alone, and reading goes on.
fn going_on() -> Vec<Lane> {
    let (begin, end) = BLOCKED;
    let mut the_loop = lane("merge", Role::Loop, &[]);
    the_loop.waiting = vec![
        segment("a.log", Kind::WaitForAnswer, begin, end),
        segment("b.log", Kind::WaitForAnswer, begin + 0.041, end + 0.001),
    ];
    let reads = [
        ("a.log", Kind::Read, begin - 0.001, begin),
        ("b.log", Kind::Read, begin + 0.040, begin + 0.041),
        ("c.log", Kind::Read, begin + 0.090, begin + 0.091),
    ];
    let writer = lane("writer", Role::Writer, &[("a.log", Kind::Write, begin, end)]);
    vec![the_loop, writer, lane("pool-1", Role::Reader, &reads)]
}

/// A lane without gaps: idle wherever nothing else is.
fn lane(thread: &str, role: Role, busy: &[(&str, Kind, f64, f64)]) -> Lane {
    let mut segments = Vec::new();
    let mut now = 0.0;
    let idle = |begin, end| Segment { kind: Kind::Idle, source: None, begin, end };
    for &(source, kind, begin, end) in busy {
        if now < begin {
            segments.push(idle(now, begin));
        }
        segments.push(segment(source, kind, begin, end));
        now = end;
    }
    segments.push(idle(now, END));
    let (waiting, stalls) = (Vec::new(), Vec::new());
    Lane { thread: thread.into(), role, segments, waiting, stalls }
}

fn segment(source: &str, kind: Kind, begin: f64, end: f64) -> Segment {
    Segment { kind, source: Some(source.into()), begin, end }
}
