//! What Chrome's "Trace Event Format" asks of every trace. The snapshot in `main.rs`
//! shows the events themselves.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// Checks that every thread has a name, that two events of a thread lie one inside the
/// other or beside it, and that what begins ends.
///
/// # Errors
///
/// The first event against the format, and why.
pub(crate) fn check(trace: &Value) -> Result<(), String> {
    let (mut named, mut ids) = (BTreeSet::new(), BTreeSet::new());
    let mut open = BTreeMap::new();
    let mut complete: BTreeMap<u64, Vec<(f64, f64)>> = BTreeMap::new();
    for event in trace["traceEvents"].as_array().ok_or("it has no events")? {
        let wrong = |why: &str| Err(format!("{why}: {event}"));
        let text = |key: &str| event[key].as_str();
        let time = |key: &str| event[key].as_f64().filter(|time| *time >= 0.0);
        let (Some(name), Some(ts), Some(thread)) =
            (text("name"), time("ts"), event["tid"].as_u64())
        else {
            return wrong("it has no name, no time or no thread");
        };
        match (text("ph"), time("dur"), text("id")) {
            (Some("M"), ..) if name == "process_name" || named.contains(&thread) => {}
            (Some("M"), ..) if name == "thread_name" => drop(named.insert(thread)),
            _ if !named.contains(&thread) => return wrong("it is of a thread without a name"),
            (Some("X"), Some(length), None) => {
                complete.entry(thread).or_default().push((ts, ts + length));
            }
            (Some("b"), None, Some(id)) if ids.insert(id) => drop(open.insert(id, (name, ts))),
            (Some("e"), None, Some(id)) => match open.remove(id) {
                Some((begun, begin)) if begun == name && begin <= ts => {}
                _ => return wrong("it ends what has not begun"),
            },
            _ => return wrong("no event is like this"),
        }
    }
    if let Some(id) = open.keys().next() {
        return Err(format!("{id} does not end"));
    }
    for (thread, events) in &mut complete {
        events.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.total_cmp(&a.1)));
        let mut around: Vec<f64> = Vec::new();
        for (begin, end) in events {
            // Half a nanosecond, since a sum of two decimals is not exact.
            while around.last().is_some_and(|outer| *outer <= *begin + 0.000_5) {
                around.pop();
            }
            if around.last().is_some_and(|outer| *outer + 0.000_5 < *end) {
                return Err(format!("events of {thread} overlap from {begin} to {end}"));
            }
            around.push(*end);
        }
    }
    Ok(())
}
