//! What one thread notes of itself.
//!
//! The notes are in two halves. What only the thread itself needs (the spans
//! that it has made, the names that it knows) is in a thread local. What
//! [`Recorder::recording`](crate::Recorder::recording) reads as well is behind
//! a lock, which nobody else takes meanwhile: no thread waits for another.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;

use tracing::span::Id;

use crate::Name;
use crate::recorder::Shared;

/// The end of an operation that has not ended.
pub(crate) const OPEN: u64 = u64::MAX;

/// What a thread notes, for the recording.
#[derive(Debug)]
pub(crate) struct Diary {
    /// The name of the thread, if it has one.
    pub(crate) name: Option<String>,
    pages: Mutex<Pages>,
}

#[derive(Debug, Default)]
pub(crate) struct Pages {
    pub(crate) is_loop: bool,
    pub(crate) sources: Vec<Arc<str>>,
    pub(crate) operations: Vec<Noted>,
}

/// One operation; the times are nanoseconds since the recorder was made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Noted {
    pub(crate) begin: u64,
    pub(crate) end: u64,
    /// A place in [`Pages::sources`].
    pub(crate) source: Option<u32>,
    pub(crate) name: Name,
}

impl Diary {
    /// Forgets what was noted.
    pub(crate) fn empty(&self) {
        *self.pages() = Pages::default();
    }

    pub(crate) fn pages(&self) -> MutexGuard<'_, Pages> {
        // Nothing panics between two changes that belong together, so what a
        // poisoned lock holds is sound.
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A thread's own half of its notes for one recorder.
pub(crate) struct Own {
    // Weak: a thread may outlive its recorder, which empties the diary then.
    recorder: Weak<Shared>,
    diary: Arc<Diary>,
    /// The sources that were met, and their places in [`Pages::sources`].
    places: HashMap<Arc<str>, u32>,
    /// Where the name of a source is written before it is looked up.
    pub(crate) text: String,
    spans: Vec<Span>,
}

/// A span that this thread has made and that is not closed.
struct Span {
    id: Id,
    what: What,
    /// How many times it is entered, one within the other.
    depth: usize,
    /// The place in [`Pages::operations`], from the first enter to the last exit.
    open: Option<usize>,
}

/// What a span says of its thread.
#[derive(Clone, Copy)]
pub(crate) enum What {
    /// An event loop runs on it.
    Loop,
    /// It is at an operation.
    Operation { name: Name, source: Option<u32> },
}

thread_local! {
    // A few at most: those recorders that are there, and that met this thread.
    static OWN: RefCell<Vec<Own>> = const { RefCell::new(Vec::new()) };
}

impl Own {
    /// Calls `note` with this thread's notes for a recorder, if there are any;
    /// with `begin`, they are begun if not.
    ///
    /// A thread that is being torn down notes nothing any more.
    pub(crate) fn with(recorder: &Arc<Shared>, begin: bool, note: impl FnOnce(&mut Own)) {
        let _ = OWN.try_with(|all| {
            let mut all = all.borrow_mut();
            let is_its = |own: &Own| Weak::as_ptr(&own.recorder) == Arc::as_ptr(recorder);
            let place = match all.iter().position(is_its) {
                Some(place) => place,
                None if begin => {
                    all.retain(|own| own.recorder.strong_count() > 0);
                    all.push(Own::begin(recorder));
                    all.len() - 1
                }
                None => return,
            };
            note(&mut all[place]);
        });
    }

    fn begin(recorder: &Arc<Shared>) -> Own {
        let name = thread::current().name().map(str::to_owned);
        let diary = Arc::new(Diary { name, pages: Mutex::default() });
        let own = Own {
            recorder: Arc::downgrade(recorder),
            diary: Arc::clone(&diary),
            places: HashMap::new(),
            text: String::new(),
            spans: Vec::new(),
        };
        recorder.join(diary);
        own
    }

    /// Returns the place of the source whose name is in [`Own::text`].
    pub(crate) fn source(&mut self) -> u32 {
        if let Some(place) = self.places.get(self.text.as_str()) {
            return *place;
        }
        let name: Arc<str> = self.text.as_str().into();
        let sources = &mut self.diary.pages().sources;
        sources.push(Arc::clone(&name));
        let place = u32::try_from(sources.len() - 1).expect("there are not so many paths");
        self.places.insert(name, place);
        place
    }

    /// Notes that a span was made.
    pub(crate) fn made(&mut self, id: &Id, what: What) {
        self.spans.push(Span { id: id.clone(), what, depth: 0, open: None });
    }

    /// Notes that a span was entered.
    pub(crate) fn entered(&mut self, recorder: &Shared, id: &Id) {
        let Some(span) = self.spans.iter_mut().rfind(|span| span.id == *id) else { return };
        span.depth += 1;
        if span.depth > 1 {
            return;
        }
        let mut pages = self.diary.pages();
        match span.what {
            What::Loop => pages.is_loop = true,
            What::Operation { name, source } => {
                let begin = recorder.now();
                if recorder.place(begin) {
                    span.open = Some(pages.operations.len());
                    pages.operations.push(Noted { begin, end: OPEN, source, name });
                }
            }
        }
    }

    /// Notes that a span was left.
    pub(crate) fn left(&mut self, recorder: &Shared, id: &Id) {
        let now = recorder.now();
        let Some(span) = self.spans.iter_mut().rfind(|span| span.id == *id) else { return };
        span.depth = span.depth.saturating_sub(1);
        if span.depth == 0
            && let Some(place) = span.open.take()
        {
            self.diary.pages().operations[place].end = now;
        }
    }

    /// Forgets a span.
    pub(crate) fn closed(&mut self, id: &Id) {
        if let Some(place) = self.spans.iter().rposition(|span| span.id == *id) {
            self.spans.remove(place);
        }
    }
}
