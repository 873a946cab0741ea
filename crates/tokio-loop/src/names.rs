//! The layer that knows the names of operations.

use std::fmt::Debug;
use std::sync::Arc;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Level, Subscriber};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

use crate::turn::{self, Operation};

/// Returns a layer that tells the watch of [`run`](crate::run) which operation
/// is open on the loop's thread, so that a warning can name it.
///
/// An operation is a `tracing` span of level INFO or above, of this workspace
/// (`read_lines`, `append`, `finish`) or of your own program, as
/// `#[tracing::instrument]` makes them. Of spans inside each other the innermost
/// gives its name. What it is about is its field `source`, or else `output`.
/// A span that was created on another thread has its name, and no source.
///
/// Have it beside the layer that prints:
///
/// ```
/// use tracing_subscriber::layer::{Layer, SubscriberExt};
/// # let prints = tracing_subscriber::layer::Identity::new();
/// # use tracing_subscriber::filter::LevelFilter;
///
/// let subscriber = tracing_subscriber::registry()
///     .with(prints.with_filter(LevelFilter::WARN))
///     .with(tokio_loop::names());
/// # tracing::subscriber::with_default(subscriber, || {});
/// ```
///
/// The layer has a filter of its own: the filter of the printing layer does not
/// affect it. A filter that is itself a layer of the registry
/// (`registry().with(LevelFilter::ERROR)`) does: a span that it refuses is never
/// made, and has no name.
///
/// On a thread that drives no loop, and on a loop that runs without `debug`, the
/// layer returns at once. The README says what it costs elsewhere.
pub fn names<S>() -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let operations = filter_fn(|metadata| {
        // Our own span is open all the time, and blocks nothing.
        metadata.is_span() && *metadata.level() <= Level::INFO && metadata.target() != crate::TARGET
    });
    Names.with_filter(operations.with_max_level_hint(Level::INFO))
}

struct Names;

/// What an operation is about, kept with its span.
struct Source(Arc<str>);

impl<S> Layer<S> for Names
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if turn::here(|_| ()).is_none() {
            return;
        }
        let mut about = About::default();
        attributes.record(&mut about);
        if let (Some(source), Some(span)) = (about.source.or(about.output), context.span(id)) {
            span.extensions_mut().insert(Source(source.into()));
        }
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        turn::here(|turns| {
            let Some(span) = context.span(id) else { return };
            turns.open(Operation {
                name: span.metadata().name(),
                source: span.extensions().get().map(|Source(source)| Arc::clone(source)),
                task: tokio::task::try_id(),
                span: id.clone(),
            });
        });
    }

    fn on_exit(&self, id: &Id, _: Context<'_, S>) {
        turn::here(|turns| turns.close(id));
    }
}

/// The fields that say what an operation is about.
#[derive(Default)]
struct About {
    source: Option<String>,
    output: Option<String>,
}

impl About {
    fn field(&mut self, field: &Field) -> Option<&mut Option<String>> {
        match field.name() {
            "source" => Some(&mut self.source),
            "output" => Some(&mut self.output),
            _ => None,
        }
    }
}

impl Visit for About {
    fn record_str(&mut self, field: &Field, value: &str) {
        if let Some(about) = self.field(field) {
            *about = Some(value.to_owned());
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if let Some(about) = self.field(field) {
            *about = Some(format!("{value:?}"));
        }
    }
}
