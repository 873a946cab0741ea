//! Lanes of made-up recordings: no gap, no overlap, nothing lost.

use proptest::collection::vec;
use proptest::prelude::*;
use recorder::{Kind, Lane, Name, Operation, Recording, Segment, Thread};

const SOURCES: usize = 3;

/// Makes a recording; times are given in microseconds.
fn recording(threads: usize, operations: Vec<Operation>, micros: u32) -> Recording {
    Recording {
        // With more than two threads, the first is a loop.
        threads: (0..threads)
            .map(|it| Thread {
                name: format!("thread {}", it + 1),
                is_loop: threads > 2 && it == 0,
            })
            .collect(),
        sources: (0..SOURCES).map(|it| format!("{it}.log")).collect(),
        operations,
        stalls: Vec::new(),
        seconds: f64::from(micros) / 1e6,
        left_out: 0,
    }
}

fn operation(thread: usize, (name, source): (Name, usize), begin: u32, end: u32) -> Operation {
    let source = (name != Name::Finish).then_some(source);
    let (begin, end) = (f64::from(begin) / 1e6, f64::from(end) / 1e6);
    Operation { thread, name, source, begin, end }
}

fn call() -> impl Strategy<Value = (Name, usize)> {
    let names = [Name::ReadLines, Name::Append, Name::ReadLines, Name::Append, Name::Finish];
    (prop::sample::select(names.to_vec()), 0..SOURCES)
}

/// A recording as threads make it: each makes one call after the other. The list of
/// calls is in no order.
fn real() -> impl Strategy<Value = Recording> {
    let calls = vec((call(), 0..50_u32, 1..50_u32), 0..30);
    let ordered = (vec(calls, 1..5), 0..100_u32).prop_map(|(threads, rest)| {
        let mut operations = Vec::new();
        for (thread, calls) in threads.iter().enumerate() {
            let mut now = 0;
            for (call, pause, length) in calls {
                let begin = now + pause;
                now = begin + length;
                operations.push(operation(thread, *call, begin, now));
            }
        }
        let last = operations.iter().map(|it| it.end).fold(0.0, f64::max);
        recording(threads.len(), operations, (last * 1e6).round() as u32 + rest)
    });
    ordered.prop_flat_map(|made| {
        let operations = Just(made.operations.clone()).prop_shuffle();
        operations.prop_map(move |operations| Recording { operations, ..made.clone() })
    })
}

/// A recording that no threads make: calls overlap, in any order, with threads and
/// sources that do not exist, beyond the end.
fn wild() -> impl Strategy<Value = Recording> {
    let call = (0..5_usize, call(), 0..1_000_u32, 0..1_000_u32);
    (vec(call, 0..60), 0..4_usize, 0..800_u32).prop_map(|(calls, threads, micros)| {
        let make = |(thread, call, begin, end)| operation(thread, call, begin, end);
        let mut made = recording(threads, calls.into_iter().map(make).collect(), micros);
        made.sources.pop();
        made
    })
}

fn assert_covers(lane: &Lane, seconds: f64) {
    let mut now = 0.0;
    for segment in &lane.segments {
        assert_eq!(segment.begin, now, "a gap or an overlap in {lane:#?}");
        assert!(segment.begin < segment.end, "nothing in {segment:?}");
        now = segment.end;
    }
    assert_eq!(now, seconds, "{lane:#?}");
}

fn time_of<'a>(segments: impl IntoIterator<Item = &'a Segment>, kinds: &[Kind]) -> f64 {
    let of_kind = segments.into_iter().filter(|segment| kinds.contains(&segment.kind));
    of_kind.map(|segment| segment.end - segment.begin).sum()
}

fn time_in(operations: &[Operation], thread: usize, names: &[Name]) -> f64 {
    let of_name = operations.iter().filter(|it| it.thread == thread && names.contains(&it.name));
    of_name.map(|operation| operation.end - operation.begin).sum()
}

proptest! {
    #[test]
    fn a_lane_has_no_gap_and_no_overlap_and_all_that_was_read_and_written(made in real()) {
        let lanes = made.lanes();
        prop_assert_eq!(lanes.len(), made.threads.len());
        for (thread, lane) in lanes.iter().enumerate() {
            assert_covers(lane, made.seconds);
            let read = time_in(&made.operations, thread, &[Name::ReadLines]);
            prop_assert!((time_of(&lane.segments, &[Kind::Read]) - read).abs() < 1e-9);
            let written = time_in(&made.operations, thread, &[Name::Append, Name::Finish]);
            prop_assert!((time_of(&lane.segments, &[Kind::Write]) - written).abs() < 1e-9);
        }
    }

    #[test]
    fn a_wait_begins_with_the_end_of_a_read_and_each_append_ends_at_most_one(made in real()) {
        let lanes = made.lanes();
        let locks = lanes.iter().flat_map(|lane| &lane.segments);
        let locks = locks.filter(|segment| segment.kind == Kind::WaitForLock);
        let waits: Vec<_> = locks.chain(lanes.iter().flat_map(|lane| &lane.waiting)).collect();
        for wait in &waits {
            let source = wait.source.as_deref();
            let near = |name, at: fn(&Operation) -> f64, time: f64| {
                let mut of_source = made.operations.iter().filter(|it| made.source(it) == source);
                of_source.any(|it| it.name == name && at(it) == time)
            };
            match wait.kind {
                Kind::WaitForLock => prop_assert!(near(Name::Append, |it| it.begin, wait.end)),
                Kind::WaitForLoop => {
                    prop_assert!(near(Name::ReadLines, |it| it.end, wait.begin));
                    prop_assert!(near(Name::Append, |it| it.begin, wait.end));
                }
                Kind::WaitForAnswer => {
                    prop_assert!(near(Name::ReadLines, |it| it.end, wait.begin));
                    prop_assert!(near(Name::Append, |it| it.end, wait.end));
                }
                other => prop_assert!(false, "{other} is no wait"),
            }
            prop_assert!(wait.begin < wait.end);
        }
        let of = |name| made.operations.iter().filter(|it| it.name == name).count();
        prop_assert!(waits.len() <= of(Name::Append).min(of(Name::ReadLines)));
    }

    #[test]
    fn any_recording_has_lanes_without_gap_and_overlap(made in wild()) {
        for lane in &made.lanes() {
            assert_covers(lane, made.seconds);
            prop_assert!(lane.waiting.is_sorted_by(|one, next| one.begin <= next.begin));
            for wait in &lane.waiting {
                prop_assert!(wait.begin < wait.end && wait.end <= made.seconds);
            }
        }
    }
}

/// Plays steps such as `pool: read a`, each from the tenth to the twentieth microsecond
/// of its twenty, and compares the lanes. The thread `main` drives the loop.
#[track_caller]
fn assert_lanes<const N: usize>(steps: &[&str], expected: [&str; N]) {
    let (mut threads, mut made) = (Vec::new(), Vec::new());
    for (begin, step) in (10..).step_by(20).zip(steps) {
        let (thread, call) = step.split_once(": ").expect("a thread and a call");
        let known = threads.iter().position(|it| *it == thread);
        let place = known.unwrap_or(threads.len());
        threads.extend(known.is_none().then_some(thread));
        let call = match call {
            "read a" => (Name::ReadLines, 0),
            "read b" => (Name::ReadLines, 1),
            "append a" => (Name::Append, 0),
            "append b" => (Name::Append, 1),
            "finish" => (Name::Finish, 0),
            other => panic!("nothing is called {other}"),
        };
        made.push(operation(place, call, begin, begin + 10));
    }
    let mut made = recording(threads.len(), made, 20 * steps.len() as u32);
    made.threads =
        threads.iter().map(|it| Thread { name: (*it).into(), is_loop: *it == "main" }).collect();

    let tell = |it: &Segment| match it.kind {
        Kind::Read | Kind::Write | Kind::Idle => it.kind.to_string(),
        _ => format!("{} {:.0}-{:.0}", it.kind, it.begin * 1e6, it.end * 1e6),
    };
    let told: Vec<_> = made
        .lanes()
        .iter()
        .map(|lane| {
            let segments: Vec<_> = lane.segments.iter().map(tell).collect();
            let waiting: String = lane.waiting.iter().map(|it| format!("; {}", tell(it))).collect();
            format!("{} ({}): {}{waiting}", lane.thread, lane.role, segments.join(", "))
        })
        .collect();
    assert_eq!(told, expected);
}

#[test]
fn who_waits_for_what_is_told_by_who_reads_and_who_appends() {
    // The same thread reads and appends: it waits for the lock. The first look finds
    // nothing, the second finds lines.
    assert_lanes(
        &["1: read a", "1: read a", "1: append a"],
        ["1 (tail): idle, read, idle, read, wait for the lock 40-50, write"],
    );
    // The loop appends: the tasks wait for their turn.
    assert_lanes(
        &["pool: read a", "pool: read b", "main: append a", "main: append b"],
        [
            "pool (reader): idle, read, idle, read, idle",
            "main (loop): idle, write, idle, write; wait for the loop 20-50; wait for the loop 40-70",
        ],
    );
    // A writer appends: the task waits for its answer. The wait is on the lane of the
    // loop, and includes the append.
    assert_lanes(
        &["main: finish", "pool: read a", "writer: append a"],
        [
            "main (loop): idle, write, idle; wait for the answer 40-60",
            "pool (reader): idle, read, idle",
            "writer (writer): idle, write",
        ],
    );
    // Without a loop, the wait is on the lane of the reader.
    assert_lanes(
        &["1: finish", "2: read a", "3: append a"],
        [
            "1 (other): idle, write, idle",
            "2 (reader): idle, read, idle; wait for the answer 40-60",
            "3 (writer): idle, write",
        ],
    );
    // A look finds nothing, another finds lines, which are written; another append has
    // no read.
    assert_lanes(
        &["1: read a", "1: read a", "2: append a", "2: append a"],
        [
            "1 (reader): idle, read, idle, read, idle; wait for the answer 40-60",
            "2 (writer): idle, write, idle, write",
        ],
    );
}
