//! What the threads note while they run, each for itself.
//!
//! The notes of a thread are behind a lock that only
//! [`Recorder::recording`](crate::Recorder::recording) ever takes as well: no thread
//! waits for another.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Instant;

use indexmap::IndexSet;
use thread_local::ThreadLocal;
use tracing::span::Id;

use crate::{Name, Stall};

/// The end of an operation that has not ended.
const OPEN: u64 = u64::MAX;

/// The notes of all threads. Times are nanoseconds since `begun`.
#[derive(Debug)]
pub(crate) struct Notes {
    begun: Instant,
    limit: usize,
    /// How many operations and stalls have asked for a place so far.
    asked: AtomicUsize,
    /// When the first of them found no place.
    full: AtomicU64,
    // A new thread may get the slot of one that has ended. So a slot has a diary for
    // each of its threads, that of the last one at the end.
    diaries: ThreadLocal<Mutex<Vec<Diary>>>,
    stalls: Mutex<Vec<Stall>>,
}

/// What one thread notes.
#[derive(Debug, Clone)]
pub(crate) struct Diary {
    thread: ThreadId,
    pub(crate) begun: u64,
    /// The name of the thread, if it has one.
    pub(crate) name: Option<String>,
    pub(crate) is_loop: bool,
    pub(crate) sources: IndexSet<String>,
    pub(crate) operations: Vec<Noted>,
    /// The buffer in which the name of a source is written before it is looked up.
    pub(crate) text: String,
    spans: Vec<Span>,
}

/// One operation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Noted {
    pub(crate) begin: u64,
    pub(crate) end: u64,
    /// An index into [`Diary::sources`].
    pub(crate) source: Option<u32>,
    pub(crate) name: Name,
}

/// A span that this thread has made, until it is closed.
#[derive(Debug, Clone)]
struct Span {
    id: Id,
    what: What,
    /// How often the span is entered, one within the other.
    depth: usize,
    /// An index into [`Diary::operations`], from the first enter to the last exit.
    open: Option<usize>,
}

/// What a span says about its thread.
#[derive(Debug, Clone, Copy)]
pub(crate) enum What {
    /// An event loop runs on the thread.
    Loop,
    /// The thread is at an operation.
    Operation { name: Name, source: Option<u32> },
}

impl Notes {
    pub(crate) fn new(limit: usize) -> Notes {
        Notes {
            begun: Instant::now(),
            limit,
            asked: AtomicUsize::new(0),
            full: AtomicU64::new(u64::MAX),
            diaries: ThreadLocal::new(),
            stalls: Mutex::default(),
        }
    }

    pub(crate) fn now(&self) -> u64 {
        // 64 bits hold five centuries.
        self.begun.elapsed().as_nanos() as u64
    }

    /// Takes a place, if there is one left; says whether there was.
    fn place(&self, now: u64) -> bool {
        let found = self.asked.fetch_add(1, Ordering::AcqRel) < self.limit;
        if !found {
            self.full.fetch_min(now, Ordering::AcqRel);
        }
        found
    }

    /// Returns how many found no place, and when the first of them asked.
    pub(crate) fn left_out(&self) -> (usize, u64) {
        let full = self.full.load(Ordering::Acquire);
        (self.asked.load(Ordering::Acquire).saturating_sub(self.limit), full)
    }

    /// Calls `note` with the diary of this thread. If the thread has none, `begin`
    /// makes one, or else nothing is called.
    pub(crate) fn diary(&self, begin: bool, note: impl FnOnce(&mut Diary)) {
        let thread = thread::current();
        let mut diaries = lock(self.diaries.get_or_default());
        let is_its = diaries.last().is_some_and(|last| last.thread == thread.id());
        if begin && !is_its {
            diaries.push(Diary {
                thread: thread.id(),
                begun: self.now(),
                name: thread.name().map(str::to_owned),
                is_loop: false,
                sources: IndexSet::new(),
                operations: Vec::new(),
                text: String::new(),
                spans: Vec::new(),
            });
        }
        if let Some(diary) = diaries.last_mut().filter(|_| begin || is_its) {
            note(diary);
        }
    }

    /// Notes that a span was entered.
    pub(crate) fn entered(&self, id: &Id) {
        self.diary(false, |diary| {
            let Some(span) = diary.spans.iter_mut().rfind(|span| span.id == *id) else { return };
            span.depth += 1;
            match span.what {
                What::Loop => diary.is_loop = true,
                What::Operation { name, source } if span.depth == 1 => {
                    let begin = self.now();
                    if self.place(begin) {
                        span.open = Some(diary.operations.len());
                        diary.operations.push(Noted { begin, end: OPEN, source, name });
                    }
                }
                What::Operation { .. } => {}
            }
        });
    }

    /// Notes that a span was left.
    pub(crate) fn left(&self, id: &Id) {
        let now = self.now();
        self.diary(false, |diary| {
            let Some(span) = diary.spans.iter_mut().rfind(|span| span.id == *id) else { return };
            span.depth = span.depth.saturating_sub(1);
            if span.depth == 0
                && let Some(place) = span.open.take()
            {
                diary.operations[place].end = now;
            }
        });
    }

    /// Forgets a span.
    pub(crate) fn closed(&self, id: &Id) {
        self.diary(false, |diary| {
            if let Some(place) = diary.spans.iter().rposition(|span| span.id == *id) {
                diary.spans.remove(place);
            }
        });
    }

    /// Keeps a stall that ends now and lasted `nanos`.
    pub(crate) fn stall(&self, nanos: u64, about: impl FnOnce(f64, f64) -> Stall) {
        let now = self.now();
        if self.place(now) {
            let stall = about(seconds(now.saturating_sub(nanos)), seconds(now));
            lock(&self.stalls).push(stall);
        }
    }

    /// Copies the diaries, in the order in which the threads made their first spans.
    pub(crate) fn diaries(&self) -> Vec<Diary> {
        let copy = |diaries: &Mutex<Vec<Diary>>| lock(diaries).clone();
        let mut all: Vec<_> = self.diaries.iter().flat_map(copy).collect();
        all.sort_by_key(|diary| diary.begun);
        all
    }

    pub(crate) fn stalls(&self) -> Vec<Stall> {
        lock(&self.stalls).clone()
    }
}

impl Diary {
    /// Returns the index of the source whose name is in [`Diary::text`], and adds it if
    /// it is new.
    pub(crate) fn source(&mut self) -> u32 {
        let known = self.sources.get_index_of(&self.text);
        let place = known.unwrap_or_else(|| self.sources.insert_full(self.text.clone()).0);
        place.try_into().expect("there are not so many paths")
    }

    /// Notes that a span was made.
    pub(crate) fn made(&mut self, id: &Id, what: What) {
        self.spans.push(Span { id: id.clone(), what, depth: 0, open: None });
    }
}

pub(crate) fn seconds(nanos: u64) -> f64 {
    nanos as f64 / 1e9
}

/// A poisoned lock holds sound notes: nothing panics between two changes that belong
/// together.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
