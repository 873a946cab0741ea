//! Chrome's "Trace Event Format", as far as a trace of this crate uses it, as a
//! strict check: what is not known is wrong.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Trace {
    trace_events: Vec<Value>,
    display_time_unit: String,
    other_data: Map<String, Value>,
}

/// An event of any kind. Metadata has category and time as Chrome writes it; the
/// format itself asks for neither there, and some readers do.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Event {
    ph: String,
    name: String,
    cat: String,
    ts: f64,
    pid: u64,
    tid: u64,
    args: Map<String, Value>,
    dur: Option<f64>,
    id: Option<String>,
}

/// Numbers of a process and a thread.
type Track = (u64, u64);

/// What the events have said up to one of them.
#[derive(Default)]
struct Seen {
    processes: Vec<u64>,
    threads: Vec<Track>,
    /// Complete events, as begin and end.
    complete: BTreeMap<Track, Vec<(f64, f64)>>,
    /// Asynchronous events that have begun, and when.
    open: HashMap<(u64, String, String), (String, f64)>,
    ids: Vec<(u64, String, String)>,
}

/// Checks a trace in the form of a JSON object.
///
/// # Errors
///
/// The first event that is against the format, and why.
pub(crate) fn check(trace: &Value) -> Result<(), String> {
    let trace = Trace::deserialize(trace).map_err(|why| why.to_string())?;
    if trace.display_time_unit != "ms" || !trace.other_data.contains_key("left_out") {
        return Err("it says neither its unit nor what was left out".into());
    }
    let mut seen = Seen::default();
    for event in &trace.trace_events {
        let read = Event::deserialize(event).map_err(|why| why.to_string());
        read.and_then(|it| seen.event(it)).map_err(|why| format!("{why}: {event}"))?;
    }
    seen.conclude()
}

impl Seen {
    fn event(&mut self, event: Event) -> Result<(), String> {
        let Event { name, cat, ts, pid, .. } = event;
        let track = (pid, event.tid);
        if name.is_empty() || cat.is_empty() || ts < 0.0 || event.dur.is_some_and(|it| it < 0.0) {
            return Err("it has no name, no category or no time".into());
        }
        if event.ph != "M" && !(self.processes.contains(&pid) && self.threads.contains(&track)) {
            return Err("it is of a thread without a name".into());
        }
        match (event.ph.as_str(), event.dur, event.id) {
            ("M", None, None) if cat == "__metadata" => {
                let mut args = event.args.iter().map(|(name, value)| (name.as_str(), value));
                match (name.as_str(), args.next(), args.next()) {
                    ("process_name", Some(("name", Value::String(_))), None) => {
                        once(&mut self.processes, pid)
                    }
                    ("thread_name", Some(("name", Value::String(_))), None) => {
                        once(&mut self.threads, track)
                    }
                    ("thread_sort_index", Some(("sort_index", Value::Number(_))), None) => Ok(()),
                    _ => Err("no metadata is like this".into()),
                }
            }
            ("X", Some(length), None) => {
                self.complete.entry(track).or_default().push((ts, ts + length));
                Ok(())
            }
            ("b", None, Some(id)) => {
                let key = (pid, cat, id);
                self.open.insert(key.clone(), (name, ts));
                once(&mut self.ids, key)
            }
            ("e", None, Some(id)) => match self.open.remove(&(pid, cat, id)) {
                None => Err("it ends what has not begun".into()),
                Some((begun, _)) if begun != name => Err(format!("it ends {begun}")),
                Some((_, begin)) if ts < begin => Err(format!("it began at {begin}")),
                Some(_) => Ok(()),
            },
            _ => Err("no phase is like this".into()),
        }
    }

    /// Checks what can be said only of all events together.
    fn conclude(mut self) -> Result<(), String> {
        if let Some((key, _)) = self.open.iter().next() {
            return Err(format!("{key:?} does not end"));
        }
        for (track, events) in &mut self.complete {
            // On a track, an event is inside another one or beside it.
            events.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.total_cmp(&a.1)));
            let mut around: Vec<f64> = Vec::new();
            for (begin, end) in events {
                // Half a nanosecond: a sum of two decimals is not exact.
                while around.last().is_some_and(|outer| *outer <= *begin + 0.000_5) {
                    around.pop();
                }
                if around.last().is_some_and(|outer| *outer + 0.000_5 < *end) {
                    return Err(format!("events of {track:?} overlap from {begin} to {end}"));
                }
                around.push(*end);
            }
        }
        Ok(())
    }
}

fn once<T: PartialEq>(all: &mut Vec<T>, one: T) -> Result<(), String> {
    if all.contains(&one) {
        return Err("it is there twice".into());
    }
    all.push(one);
    Ok(())
}
