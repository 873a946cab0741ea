//! The recorder: makes a recording of the notes of the threads.

use std::collections::HashMap;
use std::sync::Arc;

use indexmap::IndexSet;

use crate::notes::{Notes, seconds};
use crate::{Operation, Recording, Thread};

/// Records which thread did what when.
///
/// Clones share their notes. Give [`Recorder::layer`] away, and ask the recorder for
/// its [`Recording`] when the merge is over, or in its midst.
#[derive(Debug, Clone)]
pub struct Recorder {
    pub(crate) notes: Arc<Notes>,
}

impl Recorder {
    /// Makes a recorder for at most `limit` operations and stalls; its time begins now.
    ///
    /// An operation takes 32 bytes, and three times that while a thread's list grows.
    /// The first `limit` are kept. The rest are counted only, and the recording ends
    /// where the first of them began: it shows the whole beginning, and no holes.
    pub fn new(limit: usize) -> Recorder {
        Recorder { notes: Arc::new(Notes::new(limit)) }
    }

    /// Returns what was recorded so far.
    ///
    /// An operation that has not ended is in it up to now.
    ///
    /// # Blocking
    ///
    /// Blocks the calling thread while it copies the notes of every thread, one after
    /// the other. Meanwhile a thread that is about to note something may wait.
    pub fn recording(&self) -> Recording {
        // Taken before the notes are copied: up to here they are complete, for every
        // thread.
        let now = self.notes.now();
        let diaries = self.notes.diaries();
        // Asked after the copy, so that an operation that found no place meanwhile
        // counts.
        let (mut left_out, full) = self.notes.left_out();
        let end = now.min(full);

        let (mut threads, mut operations) = (Vec::new(), Vec::new());
        let mut sources = IndexSet::new();
        for (thread, diary) in diaries.into_iter().enumerate() {
            let name = diary.name.unwrap_or_else(|| format!("thread {}", thread + 1));
            threads.push(Thread { name, is_loop: diary.is_loop });
            let places: Vec<_> =
                diary.sources.into_iter().map(|name| sources.insert_full(name).0).collect();
            // Two threads may ask for a place in another order than that of their
            // times. So an operation after the end may have a place: it counts as left
            // out.
            left_out += diary.operations.iter().filter(|it| full <= it.begin).count();
            let before = diary.operations.iter().filter(|it| it.begin < end);
            operations.extend(before.map(|it| Operation {
                thread,
                name: it.name,
                source: it.source.map(|source| places[source as usize]),
                begin: seconds(it.begin),
                end: seconds(it.end.min(end)),
            }));
        }
        number_the_namesakes(&mut threads);
        operations.sort_by(|a, b| a.begin.total_cmp(&b.begin));

        let seconds = seconds(end);
        let mut stalls = self.notes.stalls();
        stalls.retain(|stall| stall.begin < seconds);
        stalls.sort_by(|a, b| a.begin.total_cmp(&b.begin));
        stalls.iter_mut().for_each(|stall| stall.end = stall.end.min(seconds));
        Recording {
            threads,
            sources: sources.into_iter().collect(),
            operations,
            stalls,
            seconds,
            left_out: left_out as u64,
        }
    }
}

/// Numbers threads that share a name, as the threads of a blocking pool do.
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
