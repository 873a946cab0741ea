//! The layer: turns the spans and events of `tracing` into notes.

use std::fmt::{self, Write};
use std::sync::Arc;

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use crate::notes::{Notes, What};
use crate::{Name, Recorder, Stall};

/// The field that only the event at the end of a stall has.
const STALL: &str = "stall_us";

impl Recorder {
    /// Returns the layer that takes the notes; put it on a
    /// [`Registry`](tracing_subscriber::Registry).
    ///
    /// The layer has its own filter, which admits what it notes and nothing else: the
    /// spans `read_lines`, `append` and `finish` of the target `tributary`, `note` and
    /// `ask` of the book's service, the span `tokio_loop` of the target `tokio_loop`,
    /// and the events of that target that tell a stall (with the field `stall_us`). The
    /// filter of another layer hides none of them. A filter for the whole subscriber, a
    /// layer by itself, has to admit the level WARN.
    ///
    /// A span is noted on the thread that made it. Another thread that enters it is not
    /// noted.
    pub fn layer<S>(&self) -> impl Layer<S> + Send + Sync + use<S>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        // With this hint, spans and events below WARN stay as cheap as without the
        // layer.
        let ours = filter_fn(is_ours).with_max_level_hint(LevelFilter::WARN);
        Keep(Arc::clone(&self.notes)).with_filter(ours)
    }
}

fn is_ours(metadata: &Metadata<'_>) -> bool {
    match (metadata.target(), metadata.is_span()) {
        ("tributary" | "service" | "service::statistics", true) => {
            Name::of(metadata.name()).is_some()
        }
        ("tokio_loop", true) => metadata.name() == "tokio_loop",
        // A stall that is too short to be told is an event of the level DEBUG.
        ("tokio_loop", false) => {
            *metadata.level() == Level::WARN && metadata.fields().field(STALL).is_some()
        }
        _ => false,
    }
}

struct Keep(Arc<Notes>);

impl<S: Subscriber> Layer<S> for Keep {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, _: Context<'_, S>) {
        self.0.diary(true, |diary| {
            let what = match Name::of(attributes.metadata().name()) {
                None => What::Loop,
                Some(name) => {
                    diary.text.clear();
                    attributes.record(&mut Fields(|name: &str, value: fmt::Arguments<'_>| {
                        if matches!(name, "source" | "client") {
                            diary.text.write_fmt(value).expect("a string takes everything");
                        }
                    }));
                    let source = (!diary.text.is_empty()).then(|| diary.source());
                    What::Operation { name, source }
                }
            };
            diary.made(id, what);
        });
    }

    fn on_enter(&self, id: &Id, _: Context<'_, S>) {
        self.0.entered(id);
    }

    fn on_exit(&self, id: &Id, _: Context<'_, S>) {
        self.0.left(id);
    }

    fn on_close(&self, id: Id, _: Context<'_, S>) {
        self.0.closed(&id);
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let (mut micros, mut operation, mut source, mut task) = (0_u64, None, None, None);
        event.record(&mut Fields(|name: &str, value: fmt::Arguments<'_>| {
            let text = match name {
                STALL => return micros = value.to_string().parse().unwrap_or_default(),
                "operation" => &mut operation,
                "source" => &mut source,
                "task" => &mut task,
                _ => return,
            };
            *text = Some(value.to_string());
        }));
        let stall = |begin, end| Stall { begin, end, operation, source, task };
        self.0.stall(micros.saturating_mul(1_000), stall);
    }
}

/// Passes on the name and the text of each field. It allocates nothing: the name of a
/// source is written into a text that has grown to the longest path.
struct Fields<F>(F);

impl<F: FnMut(&str, fmt::Arguments<'_>)> Visit for Fields<F> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        (self.0)(field.name(), format_args!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        // Not through `Debug`, which would put quotes round the text.
        (self.0)(field.name(), format_args!("{value}"));
    }
}
