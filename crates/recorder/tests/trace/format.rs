//! Chrome's "Trace Event Format", as far as a trace of this crate uses it, as
//! a strict check: what is not known is wrong.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value};

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
    let trace = trace.as_object().ok_or("a trace is an object")?;
    let known = ["traceEvents", "displayTimeUnit", "otherData"];
    if let Some(key) = trace.keys().find(|key| !known.contains(&key.as_str())) {
        return Err(format!("a trace has no {key}"));
    }
    match trace.get("displayTimeUnit").map(Value::as_str) {
        None | Some(Some("ms" | "ns")) => {}
        Some(unit) => return Err(format!("times are shown in ms or ns, not in {unit:?}")),
    }
    if trace.get("otherData").is_some_and(|it| !it.is_object()) {
        return Err("otherData is an object".into());
    }
    let events = trace.get("traceEvents").and_then(Value::as_array).ok_or("no traceEvents")?;

    let mut seen = Seen::default();
    for event in events {
        seen.event(event).map_err(|why| format!("{why}: {event}"))?;
    }
    seen.conclude()
}

impl Seen {
    fn event(&mut self, event: &Value) -> Result<(), String> {
        let event = event.as_object().ok_or("an event is an object")?;
        match text(event, "ph")? {
            "M" => self.metadata(event),
            "X" => self.complete(event),
            phase @ ("b" | "e") => self.asynchronous(event, phase == "b"),
            phase => Err(format!("no phase is called {phase}")),
        }
    }

    fn metadata(&mut self, event: &Map<String, Value>) -> Result<(), String> {
        // As Chrome writes it; the format itself asks for neither category nor
        // time here, and some readers do.
        exactly(event, &["ph", "name", "cat", "ts", "pid", "tid", "args"])?;
        if text(event, "cat")? != "__metadata" {
            return Err("metadata has a category of its own".into());
        }
        let (pid, tid) = track(event)?;
        let args = event["args"].as_object().ok_or("args is an object")?;
        match text(event, "name")? {
            "process_name" => {
                exactly(args, &["name"])?;
                text(args, "name")?;
                once(&mut self.processes, pid)
            }
            "thread_name" => {
                exactly(args, &["name"])?;
                text(args, "name")?;
                once(&mut self.threads, (pid, tid))
            }
            "thread_sort_index" => {
                exactly(args, &["sort_index"])?;
                args["sort_index"].as_i64().map(drop).ok_or("an index is a whole number".into())
            }
            name => Err(format!("no metadata is called {name}")),
        }
    }

    fn complete(&mut self, event: &Map<String, Value>) -> Result<(), String> {
        exactly(event, &["ph", "name", "cat", "ts", "dur", "pid", "tid", "args"])?;
        self.named(event)?;
        let (begin, length) = (time(event, "ts")?, time(event, "dur")?);
        self.complete.entry(track(event)?).or_default().push((begin, begin + length));
        Ok(())
    }

    fn asynchronous(&mut self, event: &Map<String, Value>, begins: bool) -> Result<(), String> {
        exactly(event, &["ph", "name", "cat", "id", "ts", "pid", "tid", "args"])?;
        self.named(event)?;
        let (pid, _) = track(event)?;
        let at = time(event, "ts")?;
        let name = text(event, "name")?.to_owned();
        let key = (pid, text(event, "cat")?.to_owned(), text(event, "id")?.to_owned());
        if begins {
            once(&mut self.ids, key.clone())?;
            self.open.insert(key, (name, at));
            return Ok(());
        }
        let (begun, begin) = self.open.remove(&key).ok_or("it ends what has not begun")?;
        if begun != name {
            return Err(format!("it ends {begun}"));
        }
        if at < begin {
            return Err(format!("it began at {begin}"));
        }
        Ok(())
    }

    /// Checks what every event but metadata has.
    fn named(&self, event: &Map<String, Value>) -> Result<(), String> {
        for key in ["name", "cat"] {
            if text(event, key)?.is_empty() {
                return Err(format!("{key} is empty"));
            }
        }
        if !event["args"].is_object() {
            return Err("args is an object".into());
        }
        let track = track(event)?;
        if !self.processes.contains(&track.0) || !self.threads.contains(&track) {
            return Err("it is of a thread without a name".into());
        }
        Ok(())
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

fn exactly(event: &Map<String, Value>, keys: &[&str]) -> Result<(), String> {
    if let Some(key) = keys.iter().find(|key| !event.contains_key(**key)) {
        return Err(format!("it has no {key}"));
    }
    match event.keys().find(|key| !keys.contains(&key.as_str())) {
        Some(key) => Err(format!("its phase has no {key}")),
        None => Ok(()),
    }
}

fn text<'a>(event: &'a Map<String, Value>, key: &str) -> Result<&'a str, String> {
    event.get(key).and_then(Value::as_str).ok_or_else(|| format!("{key} is a text"))
}

fn time(event: &Map<String, Value>, key: &str) -> Result<f64, String> {
    let time = event[key].as_f64().filter(|time| time.is_finite() && *time >= 0.0);
    time.ok_or_else(|| format!("{key} is a number of microseconds"))
}

fn track(event: &Map<String, Value>) -> Result<Track, String> {
    let number = |key| event[key].as_u64().ok_or_else(|| format!("{key} is a number"));
    Ok((number("pid")?, number("tid")?))
}

fn once<T: PartialEq>(all: &mut Vec<T>, one: T) -> Result<(), String> {
    if all.contains(&one) {
        return Err("it is there twice".into());
    }
    all.push(one);
    Ok(())
}
