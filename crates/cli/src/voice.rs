//! All that the command says: on stderr, one line each, above the progress bar
//! if there is one.

use std::fmt::{self, Write as _};
use std::io::{self, Write as _};
use std::path::Path;

use anstyle::{AnsiColor, Style};
use indicatif::ProgressBar;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tributary::Shown;

use crate::stalls::Stalls;

const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const INFO: Style = Style::new().bold();

/// Speaks on stderr.
#[derive(Debug, Clone)]
pub(crate) struct Voice {
    /// Hidden until [`backlog`](crate::backlog) shows it.
    pub(crate) bar: ProgressBar,
    /// The stalls of the loop that were heard of so far.
    pub(crate) stalls: Stalls,
}

impl Voice {
    /// Creates a voice, and has it say the warnings of the merge, too; with
    /// `verbose`, its other messages as well. With `debug`, what blocks the loop
    /// is named.
    pub(crate) fn new(verbose: bool, debug: bool) -> Voice {
        let voice = Voice { bar: ProgressBar::hidden(), stalls: Stalls::default() };
        let names = debug.then(tokio_loop::names);
        let heard = tracing_subscriber::registry().with(voice.clone().layer(verbose));
        let heard = heard.with(voice.stalls.layer()).with(names);
        // Fails if this process has a subscriber already: then that one listens.
        let _ = heard.try_init();
        voice
    }

    /// Returns the layer that hears messages. It takes no spans: every read and
    /// every write would make one that nobody looks at.
    fn layer<S: Subscriber + for<'a> LookupSpan<'a>>(self, verbose: bool) -> impl Layer<S> {
        let level = if verbose { Level::INFO } else { Level::WARN };
        let said = filter_fn(move |metadata| {
            // What the NATS client logs is in an error or a warning of ours as well.
            let is_ours = !metadata.target().starts_with("async_nats");
            metadata.is_event() && is_ours && *metadata.level() <= level
        });
        self.with_filter(said.with_max_level_hint(level))
    }

    /// Says what ended the command.
    pub(crate) fn error(&self, text: &str) {
        self.line(ERROR, "error", text);
    }

    /// Says a text of several lines as it is.
    pub(crate) fn text(&self, text: &str) {
        self.bar.suspend(|| {
            // Nobody is left to tell that stderr is gone.
            let _: io::Result<()> = anstream::stderr().write_all(text.as_bytes());
        });
    }

    /// Says a text on one line; [`Shown`] escapes its control characters.
    fn line(&self, style: Style, word: &str, text: &str) {
        self.text(&format!("{style}{word}:{style:#} {}\n", Shown(Path::new(text))));
    }
}

impl<S: Subscriber> Layer<S> for Voice {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        // The message about a blocked loop says all that its fields do.
        let alone = metadata.target() == "tokio_loop";
        let mut message = Message { text: String::new(), alone };
        event.record(&mut message);
        let (style, word) = match *metadata.level() {
            Level::ERROR => (ERROR, "error"),
            Level::WARN => (WARNING, "warning"),
            _ => (INFO, "info"),
        };
        self.line(style, word, &message.text);
    }
}

/// The message of an event, and its other fields behind it.
struct Message {
    text: String,
    /// Whether the other fields are left out.
    alone: bool,
}

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let written = if field.name() == "message" {
            write!(self.text, "{value:?}")
        } else if self.alone {
            Ok(())
        } else {
            write!(self.text, " {field}={value:?}")
        };
        written.expect("a string takes everything");
    }
}

#[cfg(test)]
mod tests {
    use tracing::subscriber::with_default;
    use tracing::{debug_span, event_enabled, warn_span};

    use super::*;

    #[test]
    fn warnings_are_heard_and_spans_are_off() {
        for verbose in [false, true] {
            let voice = Voice { bar: ProgressBar::hidden(), stalls: Stalls::default() };
            let layer = voice.layer(verbose);
            with_default(tracing_subscriber::registry().with(layer), || {
                assert!(event_enabled!(Level::WARN));
                assert_eq!(event_enabled!(Level::INFO), verbose);
                assert!(!event_enabled!(Level::DEBUG));
                assert!(warn_span!("append").is_disabled());
                assert!(debug_span!("append").is_disabled());
            });
        }
    }
}
