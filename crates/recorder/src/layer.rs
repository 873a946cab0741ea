//! The layer: from what `tracing` tells to what is noted.

use std::fmt::{self, Write};
use std::sync::Arc;

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use crate::diary::{Own, What};
use crate::recorder::Shared;
use crate::{Name, Stall};

/// The field that only the end of a stall has.
const STALL: &str = "stall_us";

/// Returns the layer that notes for a recorder, behind its own filter.
pub(crate) fn keep<S>(recorder: Arc<Shared>) -> impl Layer<S> + Send + Sync + use<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    // The hint keeps what is below WARN as cheap as it was, for everybody.
    let ours = filter_fn(is_ours).with_max_level_hint(LevelFilter::WARN);
    Keep(recorder).with_filter(ours)
}

fn is_ours(metadata: &Metadata<'_>) -> bool {
    match (metadata.target(), metadata.is_span()) {
        ("tributary", true) => Name::of(metadata.name()).is_some(),
        ("event_loop", true) => metadata.name() == "event_loop",
        ("event_loop", false) => metadata.fields().field(STALL).is_some(),
        _ => false,
    }
}

struct Keep(Arc<Shared>);

impl<S: Subscriber> Layer<S> for Keep {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, _: Context<'_, S>) {
        Own::with(&self.0, true, |own| {
            let what = match Name::of(attributes.metadata().name()) {
                None => What::Loop,
                Some(name) => {
                    own.text.clear();
                    attributes.record(&mut Source(&mut own.text));
                    let source = (!own.text.is_empty()).then(|| own.source());
                    What::Operation { name, source }
                }
            };
            own.made(id, what);
        });
    }

    fn on_enter(&self, id: &Id, _: Context<'_, S>) {
        Own::with(&self.0, false, |own| own.entered(&self.0, id));
    }

    fn on_exit(&self, id: &Id, _: Context<'_, S>) {
        Own::with(&self.0, false, |own| own.left(&self.0, id));
    }

    fn on_close(&self, id: Id, _: Context<'_, S>) {
        Own::with(&self.0, false, |own| own.closed(&id));
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut about = About::default();
        event.record(&mut about);
        let About { micros, operation, source, task } = about;
        let stall = |begin, end| Stall { begin, end, operation, source, task };
        self.0.stall(micros.saturating_mul(1_000), stall);
    }
}

/// Writes the field `source` into a text that is there: no allocation once it
/// has grown to the longest path.
struct Source<'a>(&'a mut String);

impl Visit for Source<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "source" {
            write!(self.0, "{value:?}").expect("a string takes everything");
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "source" {
            self.0.push_str(value);
        }
    }
}

/// The fields of an event that tells a stall.
#[derive(Default)]
struct About {
    micros: u64,
    operation: Option<String>,
    source: Option<String>,
    task: Option<String>,
}

impl Visit for About {
    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == STALL {
            self.micros = value;
        } else {
            self.record_debug(field, &value);
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        // Not as `Debug`, which would put quotes round it.
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let text = match field.name() {
            "operation" => &mut self.operation,
            "source" => &mut self.source,
            "task" => &mut self.task,
            _ => return,
        };
        *text = Some(format!("{value:?}"));
    }
}
