//! The trace keeps to its format.

use std::collections::BTreeMap;

use recorder::{Name, Operation, Recorder, Recording, Stall, Thread};
use serde_json::{Value, json};

mod format;

use format::check;

fn thread(name: &str, is_loop: bool) -> Thread {
    Thread { name: name.into(), is_loop }
}

fn operation(thread: usize, name: Name, source: usize, begin: f64, end: f64) -> Operation {
    let source = (name != Name::Finish).then_some(source);
    Operation { thread, name, source, begin, end }
}

/// A little of everything: a task waits for the loop, which stalls, and a thread waits
/// for the lock.
fn fixed() -> Recording {
    Recording {
        threads: vec![thread("main", true), thread("pool", false), thread("thread 3", false)],
        sources: vec!["a.log".into(), "\"b\"\n.log".into()],
        operations: vec![
            operation(1, Name::ReadLines, 0, 0.000_001, 0.000_002),
            operation(1, Name::ReadLines, 1, 0.000_002, 0.000_003_5),
            operation(0, Name::Append, 0, 0.000_005, 0.300_005),
            operation(2, Name::ReadLines, 1, 0.1, 0.2),
            operation(2, Name::Append, 1, 0.25, 0.26),
            operation(0, Name::Finish, 0, 0.310_000_001, 0.320_000_002),
        ],
        stalls: vec![Stall {
            begin: 0.000_004,
            end: 0.300_006,
            operation: Some("append".into()),
            source: Some("a.log".into()),
            task: None,
        }],
        seconds: 0.33,
        left_out: 2,
    }
}

#[test]
fn a_fixed_recording_is_this_trace() {
    let trace = fixed().chrome_trace();
    assert_eq!(check(&trace), Ok(()));
    // An event a line, with sorted keys: whether `serde_json` sorts them depends on
    // what else is built with it.
    let events: Vec<BTreeMap<String, Value>> =
        serde_json::from_value(trace["traceEvents"].clone()).expect("objects");
    let lines: Vec<_> = events.iter().map(|event| json!(event).to_string()).collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    {"args":{"name":"merge"},"cat":"__metadata","name":"process_name","ph":"M","pid":1,"tid":0,"ts":0}
    {"args":{"name":"main (loop)"},"cat":"__metadata","name":"thread_name","ph":"M","pid":1,"tid":1,"ts":0}
    {"args":{"sort_index":1},"cat":"__metadata","name":"thread_sort_index","ph":"M","pid":1,"tid":1,"ts":0}
    {"args":{"name":"pool (reader)"},"cat":"__metadata","name":"thread_name","ph":"M","pid":1,"tid":2,"ts":0}
    {"args":{"sort_index":2},"cat":"__metadata","name":"thread_sort_index","ph":"M","pid":1,"tid":2,"ts":0}
    {"args":{"name":"thread 3 (tail)"},"cat":"__metadata","name":"thread_name","ph":"M","pid":1,"tid":3,"ts":0}
    {"args":{"sort_index":3},"cat":"__metadata","name":"thread_sort_index","ph":"M","pid":1,"tid":3,"ts":0}
    {"args":{"source":"a.log"},"cat":"operation","dur":1.0,"name":"read_lines","ph":"X","pid":1,"tid":2,"ts":1.0}
    {"args":{"source":"\"b\"\n.log"},"cat":"operation","dur":1.5,"name":"read_lines","ph":"X","pid":1,"tid":2,"ts":2.0}
    {"args":{"source":"a.log"},"cat":"operation","dur":300000.0,"name":"append","ph":"X","pid":1,"tid":1,"ts":5.0}
    {"args":{"source":"\"b\"\n.log"},"cat":"operation","dur":100000.0,"name":"read_lines","ph":"X","pid":1,"tid":3,"ts":100000.0}
    {"args":{"source":"\"b\"\n.log"},"cat":"operation","dur":10000.0,"name":"append","ph":"X","pid":1,"tid":3,"ts":250000.0}
    {"args":{},"cat":"operation","dur":10000.001,"name":"finish","ph":"X","pid":1,"tid":1,"ts":310000.001}
    {"args":{"source":"a.log"},"cat":"wait","id":"0x1","name":"wait for the loop","ph":"b","pid":1,"tid":1,"ts":2.0}
    {"args":{},"cat":"wait","id":"0x1","name":"wait for the loop","ph":"e","pid":1,"tid":1,"ts":5.0}
    {"args":{"operation":"append","source":"a.log"},"cat":"stall","id":"0x2","name":"stall","ph":"b","pid":1,"tid":1,"ts":4.0}
    {"args":{},"cat":"stall","id":"0x2","name":"stall","ph":"e","pid":1,"tid":1,"ts":300006.0}
    {"args":{"source":"\"b\"\n.log"},"cat":"wait","dur":50000.0,"name":"wait for the lock","ph":"X","pid":1,"tid":3,"ts":200000.0}
    "#);
    assert_eq!(trace["otherData"], json!({ "left_out": "2" }));
}

#[test]
fn a_recording_is_the_same_after_json_and_an_empty_one_is_an_empty_trace() {
    let json = serde_json::to_string(&fixed()).expect("it is data");
    assert_eq!(serde_json::from_str::<Recording>(&json).expect("it is its own JSON"), fixed());
    let trace = Recorder::new(0).recording().chrome_trace();
    assert_eq!(check(&trace), Ok(()));
    assert_eq!(trace["traceEvents"].as_array().map(Vec::len), Some(1));
}

/// Asserts what the check says of the fixed trace, once `spoil` has changed its first
/// event of a phase.
#[track_caller]
fn assert_wrong(phase: &str, why: &str, spoil: impl FnOnce(&mut Vec<Value>, usize)) {
    let mut trace = fixed().chrome_trace();
    let events = trace["traceEvents"].as_array_mut().expect("an array");
    let place = events.iter().position(|event| event["ph"] == phase).expect("there is one");
    spoil(events, place);
    let said = check(&trace).expect_err("it is spoiled");
    assert!(said.contains(why), "{said}");
}

#[test]
fn the_check_finds_what_is_against_the_format() {
    for (phase, key, value, why) in [
        ("X", "dur", json!(-1), "no event"),
        ("X", "ts", json!("1 ms"), "no time"),
        ("X", "tid", json!(77), "without a name"),
        ("X", "ph", json!("Y"), "no event"),
        ("e", "name", json!("something else"), "has not begun"),
        ("e", "ts", json!(0), "has not begun"),
    ] {
        assert_wrong(phase, why, |events, place| events[place][key] = value);
    }
    // Two events of one id.
    assert_wrong("b", "no event", |events, place| events.push(events[place].clone()));
    assert_wrong("b", "has not begun", |events, place| drop(events.remove(place)));
    assert_wrong("e", "does not end", |events, place| drop(events.remove(place)));
    assert_wrong("M", "without a name", |events, place| drop(events.drain(place..place + 2)));
    assert_wrong("X", "overlap", |events, place| {
        let mut other = events[place].clone();
        other["ts"] = (other["ts"].as_f64().expect("a time") + 0.5).into();
        events.push(other);
    });
}
