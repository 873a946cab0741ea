//! What is recorded of real threads, and what is not.
//!
//! The spans look like those of a merge. A channel makes the order between two threads,
//! where it matters.

use std::sync::mpsc::channel;
use std::thread;
use std::time::Instant;

use recorder::{Kind, Name, Operation, Recorder, Recording, Role};
use tracing::subscriber::with_default;
use tracing::{Dispatch, Span, debug, dispatcher, warn, warn_span};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::{Identity, SubscriberExt};
use tracing_subscriber::{Layer, registry};

fn dispatch(recorder: &Recorder) -> Dispatch {
    registry().with(recorder.layer()).into()
}

/// Records what `work` does on this thread.
fn recorded(limit: usize, work: impl FnOnce()) -> Recording {
    let recorder = Recorder::new(limit);
    tick();
    dispatcher::with_default(&dispatch(&recorder), work);
    recorder.recording()
}

/// Returns once the clock has moved, so that events before and after have different
/// times.
fn tick() {
    let now = Instant::now();
    while Instant::now() == now {}
}

fn at(span: &Span) {
    span.in_scope(tick);
    tick();
}

fn read_lines(source: &str) {
    at(&warn_span!(target: "tributary", "read_lines", %source));
}

fn append(source: &str) {
    at(&warn_span!(target: "tributary", "append", %source));
}

fn finish() {
    at(&warn_span!(target: "tributary", "finish", output = "merged"));
}

/// Runs `work` on a new thread, recorded too, and waits for its end.
fn on_a_thread(name: Option<&str>, work: impl FnOnce() + Send) {
    let dispatch = dispatcher::get_default(Dispatch::clone);
    let builder = thread::Builder::new();
    let builder = name.into_iter().fold(builder, |builder, name| builder.name(name.to_owned()));
    thread::scope(|scope| {
        let work = || dispatcher::with_default(&dispatch, work);
        builder.spawn_scoped(scope, work).expect("a thread starts").join().expect("no panic");
    });
}

/// Returns each operation as `thread: name source`.
fn told(recording: &Recording) -> Vec<String> {
    let tell = |it: &Operation| {
        let thread = &recording.threads[it.thread].name;
        format!("{thread}: {} {}", it.name, recording.source(it).unwrap_or("-"))
    };
    recording.operations.iter().map(tell).collect()
}

#[test]
fn each_thread_has_what_it_did_in_the_order_in_which_it_did_it() {
    let recording = recorded(100, || {
        on_a_thread(Some("first"), || {
            read_lines("a.log");
            append("a.log");
        });
        on_a_thread(Some("second"), || {
            read_lines("b.log");
            read_lines("a.log");
            finish();
        });
    });
    assert_eq!(
        told(&recording),
        [
            "first: read_lines a.log",
            "first: append a.log",
            "second: read_lines b.log",
            "second: read_lines a.log",
            "second: finish -",
        ]
    );
    assert_eq!(recording.sources, ["a.log", "b.log"]);
    assert_eq!(recording.left_out, 0);
    let mut now = 0.0;
    for operation in &recording.operations {
        assert!(now < operation.begin && operation.begin < operation.end, "{recording:?}");
        now = operation.end;
    }
    assert!(now < recording.seconds, "{recording:?}");
}

#[test]
fn a_note_of_the_service_is_a_write_and_its_client_has_a_lane_of_its_own() {
    let recording = recorded(100, || {
        let client = "[::1]:80";
        on_a_thread(Some("client"), || at(&warn_span!(target: "service", "ask", client)));
        let note = || at(&warn_span!(target: "service::statistics", "note", client));
        on_a_thread(Some("writer"), note);
    });
    assert_eq!(told(&recording), ["client: ask [::1]:80", "writer: note [::1]:80"]);
    let lanes = recording.lanes();
    let kinds = lanes.iter().map(|lane| (lane.role, lane.segments[1].kind)).collect::<Vec<_>>();
    assert_eq!(kinds, [(Role::Client, Kind::WaitForService), (Role::Writer, Kind::Write)]);
    // A note ends no wait.
    assert!(lanes.iter().all(|lane| lane.waiting.is_empty()), "{lanes:?}");
}

#[test]
fn a_span_that_is_entered_twice_is_one_operation() {
    let recording = recorded(100, || {
        let span = warn_span!(target: "tributary", "append", source = "a.log");
        span.in_scope(|| {
            tick();
            at(&span);
            read_lines("a.log");
        });
        tick();
        read_lines("b.log");
    });
    let names: Vec<_> = recording.operations.iter().map(|it| it.name.to_string()).collect();
    assert_eq!(names, ["append", "read_lines", "read_lines"]);
    let [append, within, behind] = &recording.operations[..] else { panic!("{recording:?}") };
    assert!(append.begin < within.begin && within.end < append.end, "{recording:?}");
    assert!(append.end < behind.begin, "{recording:?}");
}

#[test]
fn a_thread_without_a_name_and_those_with_the_same_are_numbered() {
    let recording = recorded(100, || {
        on_a_thread(Some("pool"), || read_lines("a.log"));
        on_a_thread(None, || read_lines("a.log"));
        on_a_thread(Some("writer"), || append("a.log"));
        on_a_thread(Some("pool"), || read_lines("a.log"));
    });
    let names: Vec<_> = recording.threads.iter().map(|thread| thread.name.as_str()).collect();
    assert_eq!(names, ["pool 1", "thread 2", "writer", "pool 2"]);
}

#[test]
fn nothing_else_is_admitted_and_nothing_else_is_kept() {
    let recording = recorded(100, || {
        assert!(warn_span!("read_lines", source = "a.log").is_disabled());
        assert!(warn_span!(target: "tributary", "open").is_disabled());
        assert!(warn_span!(target: "tokio_loop", "turn").is_disabled());
        assert!(!tracing::event_enabled!(target: "tokio_loop", tracing::Level::WARN));
        warn!(target: "tributary", "b.log is gone");
        warn!(target: "tokio_loop", "the loop is stuck");
        on_a_thread(Some("bystander"), || warn!(target: "tokio_loop", "it still is"));
    });
    assert_eq!(recording.threads, []);
    assert_eq!(recording.operations, []);
    assert_eq!(recording.stalls, []);
}

#[test]
fn what_another_layer_admits_is_not_kept() {
    let recorder = Recorder::new(100);
    let everything = filter_fn(|_| true);
    let other = registry().with(recorder.layer()).with(Identity::new().with_filter(everything));
    with_default(other, || {
        debug!(target: "tokio_loop", stall_us = 20_000_u64, "the event loop has stalled");
        warn!(target: "tributary", "b.log is gone");
    });
    assert_eq!(recorder.recording().stalls, []);
}

#[test]
fn a_full_recorder_counts_the_rest_and_its_recording_ends_there() {
    let recording = recorded(3, || {
        read_lines("a.log");
        let write = warn_span!(target: "tributary", "append", source = "a.log").entered();
        tick();
        read_lines("b.log");
        // The first without a place; the append is still open here.
        read_lines("c.log");
        drop(write);
        finish();
    });
    let names: Vec<_> = recording.operations.iter().map(|it| it.name).collect();
    assert_eq!(names, [Name::ReadLines, Name::Append, Name::ReadLines]);
    assert_eq!(recording.left_out, 2);
    let [_, write, last] = &recording.operations[..] else { panic!("{recording:?}") };
    assert!(last.end < recording.seconds, "{recording:?}");
    assert_eq!(write.end, recording.seconds);
    // All threads share one limit.
    let shared = recorded(3, || (0..5).for_each(|_| on_a_thread(None, || append("a.log"))));
    assert_eq!((shared.operations.len(), shared.left_out), (3, 2));
}

#[test]
fn what_goes_on_is_in_it_up_to_now() {
    let recorder = Recorder::new(100);
    let (begun, has_begun) = channel();
    let (go_on, goes_on) = channel::<()>();
    let dispatch = dispatch(&recorder);
    let thread = thread::spawn(move || {
        dispatcher::with_default(&dispatch, || {
            warn_span!(target: "tributary", "append", source = "a.log").in_scope(|| {
                tick();
                begun.send(()).expect("the test waits");
                goes_on.recv().expect("the test goes on");
            });
        });
    });
    has_begun.recv().expect("the thread begins");
    tick();
    let midst = recorder.recording();
    assert_eq!(midst.operations.len(), 1);
    assert_eq!(midst.operations[0].end, midst.seconds);

    go_on.send(()).expect("the thread waits");
    thread.join().expect("no panic");
    let end = recorder.recording();
    assert_eq!(end.operations.len(), 1);
    assert_eq!(end.operations[0].begin, midst.operations[0].begin);
    assert!(midst.seconds < end.operations[0].end && end.operations[0].end < end.seconds);
}

#[test]
fn a_span_that_is_entered_twice_is_two_operations() {
    let twice = || {
        let span = warn_span!(target: "tributary", "append", source = "a.log");
        at(&span);
        at(&span);
    };
    assert_eq!(told(&recorded(100, twice)).len(), 2);
    // The second finds no place, and is not taken for the end of the first.
    let full = recorded(1, twice);
    assert!(full.operations[0].end < full.seconds, "{full:?}");
}

#[test]
fn two_recorders_both_keep_all() {
    let (one, other) = (Recorder::new(100), Recorder::new(100));
    with_default(registry().with(one.layer()).with(other.layer()), || {
        read_lines("a.log");
        append("a.log");
    });
    let told_by = [told(&one.recording()), told(&other.recording())];
    assert_eq!(told_by[0].len(), 2);
    assert_eq!(told_by[0], told_by[1]);
}

#[test]
fn a_stall_is_kept_with_what_is_known_of_it() {
    let recording = recorded(100, || {
        at(&warn_span!(target: "tokio_loop", "tokio_loop"));
        // The event comes from another thread, as that of the watch does.
        on_a_thread(Some("stall-watch"), || {
            let path = "a.log";
            warn!(target: "tokio_loop", stall_us = 1_u64, operation = "append", source = %path,
                task = 7_u64, "the event loop turns again");
            warn!(target: "tokio_loop", stall_us = 60_000_000_u64, "the event loop turns again");
        });
    });
    // The watch makes no span, so it has no lane.
    assert_eq!(recording.threads.len(), 1);
    let lanes = recording.lanes();
    assert_eq!(lanes[0].role, Role::Loop);
    assert_eq!(lanes[0].stalls, recording.stalls);
    // In the order of their beginnings; the second event's stall cannot have begun
    // before the recording.
    let [long, short] = &recording.stalls[..] else { panic!("{recording:?}") };
    assert_eq!((long.begin, &long.operation, &long.task), (0.0, &None, &None));
    assert!((short.end - short.begin - 1e-6).abs() < 1e-12, "{short:?}");
    assert_eq!(short.operation.as_deref(), Some("append"));
    assert_eq!(short.source.as_deref(), Some("a.log"));
    assert_eq!(short.task.as_deref(), Some("7"));
}
