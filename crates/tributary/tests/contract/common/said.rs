//! What is said in the thread of a test.

use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::subscriber::{DefaultGuard, set_default};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

/// Hears events and spans, a line each, until it is dropped.
pub(crate) struct Said(Heard, #[allow(dead_code, reason = "it ends the hearing")] DefaultGuard);

/// The lines of the events, and those of the spans.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<[String; 2]>>);

impl Said {
    pub(crate) fn here() -> Said {
        let heard = Heard::default();
        Said(heard.clone(), set_default(tracing_subscriber::registry().with(heard)))
    }

    /// Returns the events since the last time: `WARN: its message`.
    pub(crate) fn events(&self) -> String {
        std::mem::take(&mut self.0.0.lock().unwrap()[0])
    }

    /// Returns the spans since the last time: `WARN tributary: append source=a.log`.
    pub(crate) fn spans(&self) -> String {
        std::mem::take(&mut self.0.0.lock().unwrap()[1])
    }
}

impl<S: Subscriber> Layer<S> for Heard {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut line = Line(format!("{}:", event.metadata().level()));
        event.record(&mut line);
        self.0.lock().unwrap()[0] += &(line.0 + "\n");
    }

    fn on_new_span(&self, span: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        let it = span.metadata();
        let mut line = Line(format!("{} {}: {}", it.level(), it.target(), it.name()));
        span.record(&mut line);
        self.0.lock().unwrap()[1] += &(line.0 + "\n");
    }
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0 += &match field.name() {
            "message" => format!(" {value:?}"),
            name => format!(" {name}={value:?}"),
        };
    }
}
