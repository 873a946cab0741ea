//! What may block a thread says so, in a span.

use std::fmt::Debug;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use tempfile::tempdir;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::subscriber::with_default;
use tracing::{Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tributary::{Options, Plan, Read};

/// Keeps each span, with its one field.
#[derive(Clone, Default)]
struct Spans(Arc<Mutex<Vec<(&'static str, String)>>>);

impl<S: Subscriber> Layer<S> for Spans {
    fn on_new_span(&self, span: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        let metadata = span.metadata();
        assert_eq!((metadata.target(), *metadata.level()), ("tributary", Level::WARN));
        let mut field = Fields(String::new());
        span.record(&mut field);
        self.0.lock().unwrap().push((metadata.name(), field.0));
    }
}

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0 += &format!("{field}={value:?}");
    }
}

/// Merges two files the plainest way.
fn merge(folder: &Path) {
    let logs = ["a.log", "b\n.log"].map(|name| folder.join(name));
    logs.iter().for_each(|log| fs::write(log, "one\n").unwrap());
    let mut plan = Plan::open(logs, folder.join("merged"), Options::default()).unwrap();
    for source in &mut plan.sources {
        while let Read::Lines(lines) = source.read_lines().unwrap() {
            plan.output.append(&lines).unwrap();
        }
    }
    plan.output.finish().unwrap();
}

#[test]
fn a_read_an_append_and_the_finish_name_what_they_are_about() {
    let folder = tempdir().unwrap();
    let spans = Spans::default();
    with_default(tracing_subscriber::registry().with(spans.clone()), || merge(folder.path()));

    let of = |field, name| format!("{field}={}/{name}", folder.path().display());
    let a = of("source", "a.log");
    // On one line, whatever the name of the file is.
    let b = of("source", r"b\n.log");
    let expected = [
        ("read_lines", a.clone()),
        ("append", a.clone()),
        ("read_lines", a),
        ("read_lines", b.clone()),
        ("append", b.clone()),
        ("read_lines", b),
        ("finish", of("output", "merged")),
    ];
    assert_eq!(*spans.0.lock().unwrap(), expected);
}
