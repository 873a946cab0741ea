//! The trace that opens in Perfetto.
//!
//! The format is Chrome's "Trace Event Format", in its form of a JSON object.
//! Of its events four kinds are used: `M` names processes and threads, `X` is
//! something with a begin and a length on a thread, `b` and `e` are begin and
//! end of something that may overlap with others of its like.

use serde_json::{Value, json};

use crate::{Kind, Recording};

/// A merge is one process; its number means nothing.
const PROCESS: u32 = 1;

impl Recording {
    /// Returns the recording in Chrome's trace format, which
    /// [Perfetto](https://ui.perfetto.dev) opens.
    ///
    /// Operations and waits for the lock are on the track of their thread. The
    /// waits of tasks, and the stalls, overlap with what the threads do, so
    /// they are on tracks of their own (asynchronous events). Times are
    /// microseconds, to the nanosecond.
    pub fn chrome_trace(&self) -> Value {
        let lanes = self.lanes();
        let mut events = Vec::new();
        events.push(metadata("process_name", 0, json!({ "name": "merge" })));
        for (thread, lane) in lanes.iter().enumerate() {
            let tid = tid(thread);
            let name = format!("{} ({})", lane.thread, lane.role);
            events.push(metadata("thread_name", tid, json!({ "name": name })));
            events.push(metadata("thread_sort_index", tid, json!({ "sort_index": tid })));
        }

        for operation in self.operations.iter().filter(|it| it.thread < lanes.len()) {
            let args = args([("source", self.source(operation))]);
            let (name, tid) = (operation.name.as_str(), tid(operation.thread));
            events.push(complete(name, "operation", tid, operation.begin, operation.end, args));
        }
        for (thread, lane) in lanes.iter().enumerate() {
            let locks = lane.segments.iter().filter(|it| it.kind == Kind::WaitForLock);
            for wait in locks {
                let (name, args) =
                    (wait.kind.to_string(), args([("source", wait.source.as_deref())]));
                events.push(complete(&name, "wait", tid(thread), wait.begin, wait.end, args));
            }
        }

        // An id of its own for each: those that share one would be taken for
        // parts of each other.
        let mut ids = 1..;
        let mut overlapping = |name: &str, category, thread, begin, end, args| {
            let id = format!("{:#x}", ids.next().expect("ids have no end"));
            for (ph, at, args) in [("b", begin, args), ("e", end, json!({}))] {
                events.push(json!({
                    "ph": ph, "name": name, "cat": category, "id": id,
                    "ts": micros(at), "pid": PROCESS, "tid": tid(thread), "args": args,
                }));
            }
        };
        for (thread, lane) in lanes.iter().enumerate() {
            for wait in &lane.waiting {
                let (name, args) =
                    (wait.kind.to_string(), args([("source", wait.source.as_deref())]));
                overlapping(&name, "wait", thread, wait.begin, wait.end, args);
            }
            for stall in &lane.stalls {
                let args = args([
                    ("operation", stall.operation.as_deref()),
                    ("source", stall.source.as_deref()),
                    ("task", stall.task.as_deref()),
                ]);
                overlapping("stall", "stall", thread, stall.begin, stall.end, args);
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

fn metadata(name: &str, tid: usize, args: Value) -> Value {
    // Category and time say nothing here. Chrome itself writes them, though,
    // and some readers rely on it.
    json!({
        "ph": "M", "name": name, "cat": "__metadata", "ts": 0,
        "pid": PROCESS, "tid": tid, "args": args,
    })
}

fn complete(name: &str, category: &str, tid: usize, begin: f64, end: f64, args: Value) -> Value {
    // From the rounded ends, so that what follows without a gap does so here.
    let (begin, end) = (nanos(begin), nanos(end));
    json!({
        "ph": "X", "name": name, "cat": category, "ts": begin / 1e3, "dur": (end - begin) / 1e3,
        "pid": PROCESS, "tid": tid, "args": args,
    })
}

fn args<const N: usize>(fields: [(&str, Option<&str>); N]) -> Value {
    fields
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), Value::from(value?))))
        .collect()
}

fn micros(seconds: f64) -> f64 {
    nanos(seconds) / 1e3
}

/// Rounds to whole nanoseconds, which is what was measured.
fn nanos(seconds: f64) -> f64 {
    (seconds * 1e9).round()
}
