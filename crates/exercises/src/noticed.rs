//! What the spans and the events of this process tell: who appends, who finishes an
//! output, and who waits for the stop of a service.

use std::fmt::{Debug, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, Once, Weak};
use std::thread::{self, ThreadId};

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::{Layer, Registry};

use crate::seen::{Seen, locked};

/// The appends: the name of the source, and the thread.
static APPENDS: Mutex<Vec<(String, ThreadId)>> = Mutex::new(Vec::new());
/// The outputs that are not finished before that is allowed.
static HELD: Mutex<Vec<(String, Weak<Seen>)>> = Mutex::new(Vec::new());
/// The tasks for many workers that have waited for the stop of a service.
static WAITED: Mutex<Vec<task::Id>> = Mutex::new(Vec::new());

/// Returns the appends so far.
pub(crate) fn appends() -> Vec<(String, ThreadId)> {
    locked(&APPENDS).clone()
}

/// Returns the tasks for many workers that have waited for the stop of a service so far.
pub(crate) fn waited() -> Vec<task::Id> {
    begin();
    locked(&WAITED).clone()
}

/// Whoever finishes this output waits at the gate.
pub(crate) fn hold_finish(output: &Path, of: &Arc<Seen>) {
    locked(&HELD).push((output.display().to_string(), Arc::downgrade(of)));
}

/// From now on all of it is noted.
pub(crate) fn begin() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let is_noted = |of: &Metadata<'_>| {
            of.target() == "service::stop"
                || of.target() == "tributary" && matches!(of.name(), "append" | "finish")
        };
        let subscriber = Registry::default().with(Noted.with_filter(filter_fn(is_noted)));
        tracing::subscriber::set_global_default(subscriber).expect("nothing listens here");
    });
}

struct Noted;

impl<S: Subscriber> Layer<S> for Noted {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        let mut of = Name(String::new());
        attributes.record(&mut of);
        if attributes.metadata().name() == "append" {
            locked(&APPENDS).push((of.0, thread::current().id()));
            return;
        }
        let held =
            locked(&HELD).iter().find(|(output, _)| *output == of.0).map(|(_, it)| it.clone());
        if let Some(seen) = held.and_then(|it| it.upgrade()) {
            seen.gate.pass();
        }
    }

    fn on_event(&self, _: &Event<'_>, _: Context<'_, S>) {
        let of = Handle::try_current().ok();
        let is_for_many = of.is_some_and(|of| of.runtime_flavor() == RuntimeFlavor::MultiThread);
        locked(&WAITED).extend(task::try_id().filter(|_| is_for_many));
    }
}

/// Takes the name of the source or of the output from the fields of a span.
struct Name(String);

impl Visit for Name {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if matches!(field.name(), "source" | "output") {
            write!(self.0, "{value:?}").expect("a string takes everything");
        }
    }
}
