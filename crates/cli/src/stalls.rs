//! How often the event loop has stalled so far.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

/// Counts the stalls that the event loop tells of.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stalls(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    stalls: AtomicU64,
    longest_us: AtomicU64,
}

impl Stalls {
    /// Returns the layer that counts a stall by the event that tells of its end.
    /// With `--debug`, the loop tells only some of many stalls in a row, and the
    /// others are not counted.
    pub(crate) fn layer<S: Subscriber + for<'a> LookupSpan<'a>>(&self) -> impl Layer<S> {
        let stall = filter_fn(|metadata| {
            metadata.is_event()
                && *metadata.level() <= Level::DEBUG
                && metadata.target() == "tokio_loop"
        });
        self.clone().with_filter(stall.with_max_level_hint(Level::DEBUG))
    }

    /// Returns how many stalls of 100 ms or longer were told, and the longest.
    pub(crate) fn counted(&self) -> (u64, Duration) {
        let longest = Duration::from_micros(self.0.longest_us.load(Ordering::Relaxed));
        (self.0.stalls.load(Ordering::Relaxed), longest)
    }
}

impl<S: Subscriber> Layer<S> for Stalls {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        event.record(&mut self.clone());
    }
}

impl Visit for Stalls {
    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "stall_us" && Duration::from_micros(value) >= tokio_loop::SLOW {
            self.0.stalls.fetch_add(1, Ordering::Relaxed);
            self.0.longest_us.fetch_max(value, Ordering::Relaxed);
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}
