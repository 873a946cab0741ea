//! The trace is what its format asks for.

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

/// A little of everything: a task waits for the loop, which stalls, and a
/// thread waits for the lock.
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
    // An event a line. Its keys are sorted here: whether `serde_json` does it
    // is up to whoever else is built with it.
    let events: Vec<BTreeMap<String, Value>> =
        serde_json::from_value(trace["traceEvents"].clone()).expect("objects");
    let line = |event| serde_json::to_string(event).expect("it was JSON");
    let lines: Vec<_> = events.iter().map(line).collect();
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
fn a_recording_is_the_same_after_json() {
    let json = serde_json::to_string(&fixed()).expect("it is data");
    assert_eq!(serde_json::from_str::<Recording>(&json).expect("it is its own JSON"), fixed());
}

#[test]
fn an_empty_recording_is_an_empty_trace() {
    let trace = Recorder::new(0).recording().chrome_trace();
    assert_eq!(check(&trace), Ok(()));
    assert_eq!(trace["traceEvents"].as_array().map(Vec::len), Some(1));
}

/// What is wrong with the fixed trace once `spoil` has been at its events.
#[track_caller]
fn wrong(spoil: impl FnOnce(&mut Vec<Value>)) -> String {
    let mut trace = fixed().chrome_trace();
    spoil(trace["traceEvents"].as_array_mut().expect("an array"));
    check(&trace).expect_err("it is spoiled")
}

/// Finds an event of this phase.
fn of<'a>(events: &'a mut [Value], phase: &str) -> &'a mut Value {
    events.iter_mut().find(|event| event["ph"] == phase).expect("there is one")
}

#[test]
fn the_check_finds_what_is_against_the_format() {
    let spoiled: [(&str, &str, Value); 10] = [
        ("X", "dur", json!(-1)),
        ("X", "ts", json!("1 ms")),
        ("X", "tid", json!(77)),
        ("X", "id", json!("0x1")),
        ("X", "args", json!("a.log")),
        ("X", "ph", json!("Y")),
        ("M", "args", json!({})),
        ("M", "cat", json!("wait")),
        ("e", "name", json!("something else")),
        ("e", "ts", json!(0)),
    ];
    for (phase, key, value) in spoiled {
        let why = wrong(|events| of(events, phase)[key] = value.clone());
        assert!(why.contains(&value.to_string()), "{phase} {key}: {why}");
    }
    let fields =
        [("X", "dur"), ("X", "ts"), ("X", "name"), ("X", "cat"), ("b", "id"), ("b", "pid")];
    for (phase, key) in fields {
        let why =
            wrong(|events| drop(of(events, phase).as_object_mut().expect("it is").remove(key)));
        let expected = [format!("missing field `{key}`"), "no phase is like this".into()];
        assert!(expected.iter().any(|it| why.starts_with(it)), "{phase} {key}: {why}");
    }

    let without = |phase: &'static str| {
        move |events: &mut Vec<Value>| {
            let place = events.iter().position(|event| event["ph"] == phase);
            events.remove(place.expect("there is one"));
        }
    };
    assert!(wrong(without("b")).contains("it ends what has not begun"));
    assert!(wrong(without("e")).contains("does not end"));
    assert!(wrong(without("M")).contains("without a name"));

    let overlaps = wrong(|events| {
        let mut other = of(events, "X").clone();
        other["ts"] = (other["ts"].as_f64().expect("a time") + 0.5).into();
        events.push(other);
    });
    assert!(overlaps.contains("overlap"), "{overlaps}");
}
