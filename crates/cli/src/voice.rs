//! All that the command says: on stderr, one line each, above the progress bar
//! if there is one.

use std::fmt::{self, Write as _};
use std::io::{self, Write as _};
use std::path::Path;

use anstyle::{AnsiColor, Style};
use indicatif::ProgressBar;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tributary::Shown;

const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const INFO: Style = Style::new().bold();

/// Speaks on stderr.
#[derive(Debug, Clone)]
pub(crate) struct Voice {
    /// Nothing is seen of it until somebody shows it.
    pub(crate) bar: ProgressBar,
}

impl Voice {
    /// Creates a voice through which the warnings of the merge are heard, too;
    /// with `verbose`, all else that it has to say.
    pub(crate) fn new(verbose: bool) -> Voice {
        let voice = Voice { bar: ProgressBar::hidden() };
        let level = if verbose { LevelFilter::INFO } else { LevelFilter::WARN };
        let heard = tracing_subscriber::registry().with(level).with(voice.clone());
        // Somebody else listens already if this is not the first in a process.
        let _ = heard.try_init();
        voice
    }

    /// Says what made an end.
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

    /// Says one line, whatever is in it.
    fn line(&self, style: Style, word: &str, text: &str) {
        self.text(&format!("{style}{word}:{style:#} {}\n", Shown(Path::new(text))));
    }
}

impl<S: Subscriber> Layer<S> for Voice {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut message = Message(String::new());
        event.record(&mut message);
        let (style, word) = match *event.metadata().level() {
            Level::ERROR => (ERROR, "error"),
            Level::WARN => (WARNING, "warning"),
            _ => (INFO, "info"),
        };
        self.line(style, word, &message.0);
    }
}

/// The message of an event, and its other fields behind it.
struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let written = if field.name() == "message" {
            write!(self.0, "{value:?}")
        } else {
            write!(self.0, " {field}={value:?}")
        };
        written.expect("a string takes everything");
    }
}
