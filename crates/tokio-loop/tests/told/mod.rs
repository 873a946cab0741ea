//! A layer that keeps what was said of the event loop.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::ops::Deref;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

/// A bound that only a bug can reach.
pub(crate) const HANG: Duration = Duration::from_secs(60);

/// One line: its fields, and among them its message.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Line(BTreeMap<&'static str, String>);

impl Deref for Line {
    type Target = BTreeMap<&'static str, String>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl Line {
    /// Returns the message, with an N for each number.
    pub(crate) fn masked(&self) -> String {
        masked(&self["message"])
    }

    /// Returns what is said to be to blame, and not what the thread did.
    pub(crate) fn blames(&self) -> String {
        let masked = self.masked();
        masked.split_once(": it ").map_or(masked.clone(), |(blames, _)| blames.to_owned())
    }

    /// Returns a field that is so many microseconds.
    #[track_caller]
    pub(crate) fn duration(&self, field: &str) -> Duration {
        let micros = self.get(field).unwrap_or_else(|| panic!("no {field} in {self:?}"));
        Duration::from_micros(micros.parse().unwrap())
    }
}

/// Puts an N for each number.
pub(crate) fn masked(text: &str) -> String {
    let mut masked = String::new();
    for c in text.chars() {
        match c {
            '0'..='9' if masked.ends_with('N') => {}
            '0'..='9' => masked.push('N'),
            _ => masked.push(c),
        }
    }
    masked
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}

/// What was said so far.
#[derive(Clone, Default)]
pub(crate) struct Told(Arc<(Mutex<Vec<Line>>, Condvar)>);

impl Told {
    pub(crate) fn lines(&self) -> Vec<Line> {
        self.0.0.lock().unwrap().clone()
    }

    /// Blocks until so many lines were said.
    #[track_caller]
    pub(crate) fn wait_for(&self, lines: usize) {
        self.wait_until(&format!("{lines} lines"), |said| said.len() >= lines);
    }

    /// Blocks until what was said is as it should be.
    #[track_caller]
    pub(crate) fn wait_until(&self, what: &str, is_so: impl Fn(&[Line]) -> bool) {
        let (said, changed) = &*self.0;
        let (kept, waited) =
            changed.wait_timeout_while(said.lock().unwrap(), HANG, |said| !is_so(said)).unwrap();
        let said = kept.clone();
        // Not while it panics.
        drop(kept);
        assert!(!waited.timed_out(), "never said: {what}, but {said:#?}");
    }
}

impl<S: Subscriber> Layer<S> for Told {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        // What is counted is no warning.
        if *event.metadata().level() == Level::DEBUG {
            return;
        }
        assert_eq!(
            (event.metadata().target(), *event.metadata().level()),
            ("tokio_loop", Level::WARN)
        );
        let mut line = Line::default();
        event.record(&mut line);
        self.0.0.lock().unwrap().push(line);
        self.0.1.notify_all();
    }
}

/// A layer that takes a lock for each line, as one does that writes to standard output.
struct Locks(Arc<Mutex<()>>, Sender<()>);

impl<S: Subscriber> Layer<S> for Locks {
    fn on_event(&self, _: &Event<'_>, _: Context<'_, S>) {
        // Nobody waits for the second one.
        let _ = self.1.send(());
        drop(self.0.lock());
    }
}

/// Runs a loop on a thread that holds the lock which the first line needs. The loop is
/// given what blocks until that line is about to be written.
#[track_caller]
pub(crate) fn assert_ends_without_the_lock(run: fn(&mut dyn FnMut())) {
    let (ended, has_ended) = channel();
    thread::spawn(move || {
        let lock = Arc::new(Mutex::new(()));
        let (begin, begun) = channel();
        let subscriber = tracing_subscriber::registry().with(Locks(Arc::clone(&lock), begin));
        let held = lock.lock().unwrap();
        tracing::subscriber::with_default(subscriber, || run(&mut || begun.recv().unwrap()));
        drop(held);
        ended.send(()).unwrap();
    });
    has_ended.recv_timeout(HANG).expect("the end waits for no line");
}

/// Runs `main` in debug mode, with a subscriber of this thread alone.
pub(crate) fn in_debug(told: &Told, threshold: Duration, main: impl Future<Output = ()>) {
    let subscriber = tracing_subscriber::registry().with(told.clone()).with(tokio_loop::names());
    tracing::subscriber::with_default(subscriber, || {
        tokio_loop::run(1, Some(threshold), main).expect("the loop starts");
    });
}
