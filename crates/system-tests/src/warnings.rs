//! What was said through `tracing`, kept for the tests.

use std::fmt;
use std::io::Write;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

static SAID: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn said() -> MutexGuard<'static, Vec<String>> {
    SAID.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps the warnings from now on, of all threads: a stage has several.
pub fn keep() {
    static ONCE: Once = Once::new();
    let keep = Warnings(|warning| said().push(warning));
    ONCE.call_once(|| tracing::subscriber::set_global_default(keep).unwrap());
}

/// Says the warnings from now on on standard error, a line each.
pub fn to_stderr() {
    let say = |warning| {
        // With nobody left to hear it, the merge goes on.
        let _ = writeln!(std::io::stderr(), "{warning}");
    };
    tracing::subscriber::set_global_default(Warnings(say)).unwrap();
}

/// Returns the warnings about a path, in their order.
pub fn about(path: &Path) -> Vec<String> {
    let path = path.to_str().unwrap();
    said().iter().filter(|warning| warning.contains(path)).cloned().collect()
}

/// Hands each warning to a function.
struct Warnings<F>(F);

impl<F: Fn(String) + Send + Sync + 'static> Subscriber for Warnings<F> {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && *metadata.level() <= Level::WARN
    }

    fn event(&self, event: &Event<'_>) {
        let mut message = Message(String::new());
        event.record(&mut message);
        (self.0)(message.0);
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}
