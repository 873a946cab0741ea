//! The trace that opens in Perfetto.
//!
//! The format is Chrome's "Trace Event Format", as a JSON object. Four kinds of its
//! events are used: `M` names processes and threads, `X` has a beginning and a length
//! on a thread, `b` and `e` are the beginning and the end of something that may overlap
//! with others of its kind.

use serde_json::{Value, json};

use crate::{Kind, Recording};

/// A merge is one process; its number means nothing.
const PROCESS: u32 = 1;

impl Recording {
    /// Returns the recording in Chrome's trace format, which
    /// [Perfetto](https://ui.perfetto.dev) opens.
    ///
    /// Operations and waits for the lock are on the track of their thread. The waits of
    /// tasks and the stalls overlap with what the threads do, so they are on tracks of
    /// their own (asynchronous events). Times are in microseconds, exact to the
    /// nanosecond.
    pub fn chrome_trace(&self) -> Value {
        let lanes = self.lanes();
        let mut events = vec![named("process_name", 0, json!({ "name": "merge" }))];
        for (thread, lane) in lanes.iter().enumerate() {
            let name = format!("{} ({})", lane.thread, lane.role);
            events.push(named("thread_name", tid(thread), json!({ "name": name })));
            let index = json!({ "sort_index": tid(thread) });
            events.push(named("thread_sort_index", tid(thread), index));
        }

        for it in self.operations.iter().filter(|it| it.thread < lanes.len()) {
            let about = about([("source", self.source(it))]);
            let name = it.name.as_str();
            events.push(complete(name, "operation", it.thread, it.begin, it.end, about));
        }
        // Each has an id of its own: two events of one id would be parts of each other.
        let mut ids = 1..;
        let mut overlapping = |name: &str, category, thread, begin, end, about| {
            let id = format!("{:#x}", ids.next().expect("ids have no end"));
            [("b", begin, about), ("e", end, json!({}))].map(|(ph, at, args)| {
                json!({
                    "ph": ph, "name": name, "cat": category, "id": id,
                    "ts": nanos(at) / 1e3, "pid": PROCESS, "tid": tid(thread), "args": args,
                })
            })
        };
        for (thread, lane) in lanes.iter().enumerate() {
            for it in lane.segments.iter().filter(|it| it.kind == Kind::WaitForLock) {
                let (name, about) =
                    (it.kind.to_string(), about([("source", it.source.as_deref())]));
                events.push(complete(&name, "wait", thread, it.begin, it.end, about));
            }
            for it in &lane.waiting {
                let (name, about) =
                    (it.kind.to_string(), about([("source", it.source.as_deref())]));
                events.extend(overlapping(&name, "wait", thread, it.begin, it.end, about));
            }
            for it in &lane.stalls {
                let (operation, task) = (it.operation.as_deref(), it.task.as_deref());
                let source = it.source.as_deref();
                let about = about([("operation", operation), ("source", source), ("task", task)]);
                events.extend(overlapping("stall", "stall", thread, it.begin, it.end, about));
            }
        }
        json!({
            "displayTimeUnit": "ms",
            "otherData": { "left_out": self.left_out.to_string() },
            "traceEvents": events,
        })
    }
}

/// Returns the number of a thread in the trace: 0 is for the whole process.
fn tid(thread: usize) -> usize {
    thread + 1
}

fn named(what: &str, tid: usize, args: Value) -> Value {
    // Category and time mean nothing here. But Chrome itself writes them, and some
    // readers rely on them.
    json!({
        "ph": "M", "name": what, "cat": "__metadata", "ts": 0,
        "pid": PROCESS, "tid": tid, "args": args,
    })
}

fn complete(name: &str, cat: &str, thread: usize, begin: f64, end: f64, args: Value) -> Value {
    // The length is that of the rounded ends, so two events without a gap have none
    // here.
    let (begin, end) = (nanos(begin), nanos(end));
    json!({
        "ph": "X", "name": name, "cat": cat, "ts": begin / 1e3, "dur": (end - begin) / 1e3,
        "pid": PROCESS, "tid": tid(thread), "args": args,
    })
}

fn about<const N: usize>(fields: [(&str, Option<&str>); N]) -> Value {
    fields
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), Value::from(value?))))
        .collect()
}

/// Rounds to whole nanoseconds, the unit in which times are measured.
fn nanos(seconds: f64) -> f64 {
    (seconds * 1e9).round()
}
