//! The layer that knows the names of operations.

use std::fmt::Debug;
use std::sync::Arc;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Level, Subscriber};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

use crate::here::here;
use crate::turn::Operation;

/// Returns a layer that tells the watch which operation is open on each thread,
/// so that a warning can name it.
///
/// An operation is a `tracing` span of level INFO or above, of your program or of a
/// crate that it uses, as `#[tracing::instrument]` makes them. Of nested spans the
/// innermost gives its name. Its object is the field `source`, or else `output`, or
/// else the first field. A span that was made before the watch began, or on a thread
/// that is not watched, has its name alone.
///
/// Have it beside the layer that prints:
///
/// ```
/// use tracing_subscriber::filter::LevelFilter;
/// use tracing_subscriber::prelude::*;
///
/// tracing_subscriber::registry()
///     .with(tracing_subscriber::fmt::layer().with_filter(LevelFilter::INFO))
///     .with(tokio_loop::names())
///     .init();
/// ```
///
/// The layer has a filter of its own: the filter of the printing layer does not
/// affect it. A filter that is itself a layer of the registry
/// (`registry().with(LevelFilter::ERROR)`) does: a span that it refuses is never
/// made, and has no name.
///
/// On a thread that is not watched, and on a loop that runs without `debug`, the
/// layer returns at once. The README says what it costs elsewhere.
///
/// # Panics
///
/// Where the subscriber is `tracing_subscriber::fmt().finish()`, `with` panics: that one
/// takes no layer with a filter. Take `registry().with(fmt::layer())`, which has the same
/// output, and give the layer its filter, since it prints every level without one.
pub fn names<S>() -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    names_at(Level::INFO)
}

/// As [`names`], with the spans of `level` and above: the `TraceLayer` of tower-http
/// makes a span of level DEBUG for each request.
///
/// # Examples
///
/// ```
/// use tracing::Level;
/// use tracing_subscriber::prelude::*;
///
/// tracing_subscriber::registry()
///     .with(tracing_subscriber::fmt::layer())
///     .with(tokio_loop::names_at(Level::DEBUG))
///     .init();
/// ```
pub fn names_at<S>(level: Level) -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let operations = filter_fn(move |metadata| {
        // Our own span is open all the time, and blocks nothing.
        metadata.is_span() && *metadata.level() <= level && metadata.target() != crate::TARGET
    });
    Names.with_filter(operations.with_max_level_hint(level))
}

struct Names;

/// What an operation is about, kept with its span.
struct Source(Arc<str>);

impl<S> Layer<S> for Names
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if here(|_| ()).is_none() {
            return;
        }
        let mut about = About::default();
        attributes.record(&mut about);
        if let (Some(source), Some(span)) = (about.shown(), context.span(id)) {
            // Not `insert`, which panics where a second layer of names is.
            span.extensions_mut().replace(Source(source.into()));
        }
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        here(|turns| {
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
        here(|turns| turns.close(id));
    }
}

/// The fields that say what an operation is about.
#[derive(Default)]
struct About {
    source: Option<String>,
    output: Option<String>,
    first: Option<String>,
}

/// A value that is longer is cut: a `Debug` can be a page.
const LONGEST: usize = 80;

impl About {
    fn shown(self) -> Option<String> {
        self.source.or(self.output).or(self.first)
    }

    fn note(&mut self, field: &Field, value: impl FnOnce() -> String) {
        let about = match field.name() {
            "source" => &mut self.source,
            "output" => &mut self.output,
            _ if self.first.is_none() => &mut self.first,
            _ => return,
        };
        let mut value = value();
        if let Some((cut, _)) = value.char_indices().nth(LONGEST) {
            value.truncate(cut);
            value.push('…');
        }
        *about = Some(value);
    }
}

impl Visit for About {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.note(field, || value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.note(field, || format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt;

    #[test]
    #[should_panic(expected = "does not currently support filters")]
    fn a_finished_fmt_subscriber_refuses_the_layer() {
        let _ = tracing_subscriber::fmt().finish().with(super::names());
    }
}
