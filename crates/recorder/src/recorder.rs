//! The recorder: what all threads share, and how a recording is made of it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::registry::LookupSpan;

use crate::diary::Diary;
use crate::layer::keep;
use crate::{Operation, Recording, Stall, Thread};

/// Keeps which thread was at what, and when.
///
/// Clones share what they keep: give [`Recorder::layer`] away, and ask the
/// recorder for its [`Recording`] when the merge is over, or in its midst.
#[derive(Debug, Clone)]
pub struct Recorder {
    shared: Arc<Shared>,
}

/// What all threads share.
#[derive(Debug)]
pub(crate) struct Shared {
    made: Instant,
    limit: usize,
    /// How many operations and stalls have asked for a place.
    asked: AtomicUsize,
    /// When the first of them found none, in nanoseconds.
    full: AtomicU64,
    // Taken once by a thread, and when a recording is made.
    diaries: Mutex<Vec<Arc<Diary>>>,
    stalls: Mutex<Vec<Stall>>,
}

impl Recorder {
    /// Makes a recorder for at most `limit` operations and stalls; its time
    /// begins now.
    ///
    /// An operation takes 32 bytes; while a thread's list of them grows, three
    /// times that. The first ones are kept. What comes when the recorder is
    /// full is counted and not kept, and the recording ends there: a picture of
    /// the begin that is whole, and not one of all with holes in it.
    pub fn new(limit: usize) -> Recorder {
        let shared = Shared {
            made: Instant::now(),
            limit,
            asked: AtomicUsize::new(0),
            full: AtomicU64::new(u64::MAX),
            diaries: Mutex::default(),
            stalls: Mutex::default(),
        };
        Recorder { shared: Arc::new(shared) }
    }

    /// Returns the layer that notes; put it on a
    /// [`Registry`](tracing_subscriber::Registry).
    ///
    /// It has its own filter, and admits what it notes and nothing else: the
    /// spans `read_lines`, `append` and `finish` of the target `tributary`, the
    /// span `event_loop` of the target `event_loop`, and of the events of that
    /// target those that tell a stall (with the field `stall_us`). Filters of
    /// other layers make no difference to it; one that is for the whole
    /// subscriber, a layer by itself, has to admit the level WARN.
    ///
    /// A span is noted by the thread that made it. If another thread enters it,
    /// that is not noted.
    pub fn layer<S>(&self) -> impl Layer<S> + Send + Sync + use<S>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        keep(Arc::clone(&self.shared))
    }

    /// Returns what was kept so far.
    ///
    /// What goes on at this moment is in it up to now.
    ///
    /// # Blocking
    ///
    /// Blocks the calling thread while it copies what every thread has noted,
    /// and meanwhile holds up those that are about to note something.
    pub fn recording(&self) -> Recording {
        let shared = &*self.shared;
        let diaries = shared.diaries().clone();
        // Taken before anything is copied: up to here nothing is missing, from
        // whichever thread.
        let now = shared.now();
        let mut threads = Vec::new();
        let mut sources = Sources::default();
        let mut noted = Vec::new();
        for (thread, diary) in diaries.iter().enumerate() {
            let pages = diary.pages();
            let name = diary.name.clone().unwrap_or_else(|| format!("thread {}", thread + 1));
            threads.push(Thread { name, is_loop: pages.is_loop });
            let places: Vec<_> = pages.sources.iter().map(|name| sources.place(name)).collect();
            noted.extend(pages.operations.iter().map(|it| {
                let source = it.source.map(|source| places[source as usize]);
                (thread, source, *it)
            }));
        }
        number_the_namesakes(&mut threads);

        // Asked only now: whoever found no place while this was copied counts.
        let full = shared.full.load(Ordering::Acquire);
        let end = now.min(full);
        let mut left_out = shared.asked.load(Ordering::Acquire).saturating_sub(shared.limit);
        // Two threads may have asked in another order than they began: what
        // began after the end has found a place that is of no use.
        left_out += noted.iter().filter(|(.., it)| full <= it.begin).count();
        noted.retain(|(.., it)| it.begin < end);
        noted.sort_by_key(|(.., it)| it.begin);
        let operations = noted.into_iter().map(|(thread, source, it)| Operation {
            thread,
            name: it.name,
            source,
            begin: seconds(it.begin),
            end: seconds(it.end.min(end)),
        });

        let seconds = seconds(end);
        let mut stalls = shared.stalls().clone();
        stalls.retain(|stall| stall.begin < seconds);
        stalls.sort_by(|a, b| a.begin.total_cmp(&b.begin));
        stalls.iter_mut().for_each(|stall| stall.end = stall.end.min(seconds));
        Recording {
            threads,
            sources: sources.names,
            operations: operations.collect(),
            stalls,
            seconds,
            left_out: left_out as u64,
        }
    }
}

impl Shared {
    /// Returns the nanoseconds since the recorder was made.
    pub(crate) fn now(&self) -> u64 {
        // It ends after five centuries.
        self.made.elapsed().as_nanos() as u64
    }

    /// Tells whether there is a place left, and takes it.
    pub(crate) fn place(&self, now: u64) -> bool {
        let found = self.asked.fetch_add(1, Ordering::AcqRel) < self.limit;
        if !found {
            self.full.fetch_min(now, Ordering::AcqRel);
        }
        found
    }

    /// Takes in the diary of a thread.
    pub(crate) fn join(&self, diary: Arc<Diary>) {
        self.diaries().push(diary);
    }

    /// Keeps a stall that ends now and was `nanos` long.
    pub(crate) fn stall(&self, nanos: u64, about: impl FnOnce(f64, f64) -> Stall) {
        let now = self.now();
        if self.place(now) {
            let stall = about(seconds(now.saturating_sub(nanos)), seconds(now));
            self.stalls().push(stall);
        }
    }

    // Nothing panics while one of these is held, so what a poisoned lock holds
    // is sound.

    fn diaries(&self) -> MutexGuard<'_, Vec<Arc<Diary>>> {
        self.diaries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stalls(&self) -> MutexGuard<'_, Vec<Stall>> {
        self.stalls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // The threads that are still there hold on to their diaries.
        self.diaries().iter().for_each(|diary| diary.empty());
    }
}

fn seconds(nanos: u64) -> f64 {
    nanos as f64 / 1e9
}

/// The sources of all threads, each once.
#[derive(Default)]
struct Sources {
    names: Vec<String>,
    places: HashMap<Arc<str>, usize>,
}

impl Sources {
    fn place(&mut self, name: &Arc<str>) -> usize {
        *self.places.entry(Arc::clone(name)).or_insert_with(|| {
            self.names.push(name.to_string());
            self.names.len() - 1
        })
    }
}

/// Numbers threads that share a name, as those of a blocking pool do.
fn number_the_namesakes(threads: &mut [Thread]) {
    let mut counts: HashMap<String, (usize, usize)> = HashMap::new();
    for thread in &*threads {
        counts.entry(thread.name.clone()).or_default().0 += 1;
    }
    for thread in threads {
        if let Some((2.., number)) = counts.get_mut(&thread.name) {
            *number += 1;
            thread.name = format!("{} {number}", thread.name);
        }
    }
}
