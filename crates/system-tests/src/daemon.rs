//! A thread that writes a log as a program does.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::numbers::line;

/// How many lines a daemon writes in a second, each with a `write` of its own.
const RATE: f64 = 20_000.0;

/// When a daemon opens its log again after the log was rotated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reopen {
    /// Never: it keeps its descriptor, like the programs that `copytruncate` is for.
    Never,
    /// So long after it has noticed; until then it writes to the old file.
    After(Duration),
}

/// A thread that writes numbered lines, 20,000 in a second, until it is ended.
#[derive(Debug)]
pub struct Daemon {
    shared: Arc<Shared>,
    thread: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Shared {
    written: AtomicU64,
    reopened: AtomicU64,
    ended: AtomicBool,
}

impl Daemon {
    /// Starts to write to `log`, which it creates if it is not there.
    pub fn start(log: &Path, reopen: Reopen) -> Daemon {
        let shared = Arc::new(Shared::default());
        let mut writing = Writing {
            file: open(log),
            log: log.to_owned(),
            reopen,
            noticed: None,
            shared: Arc::clone(&shared),
        };
        let thread = thread::Builder::new().name("daemon".into());
        Daemon { shared, thread: thread.spawn(move || writing.run()).unwrap() }
    }

    /// Returns the number of the last line that was written; 0 before the first.
    pub fn written(&self) -> u64 {
        self.shared.written.load(Ordering::SeqCst)
    }

    /// Returns how often the log was opened again.
    pub fn reopened(&self) -> u64 {
        self.shared.reopened.load(Ordering::SeqCst)
    }

    /// Waits until `more` more lines are written.
    pub fn wait(&self, more: u64) {
        let until = self.written() + more;
        testkit::until("the daemon writes", || self.written() >= until);
    }

    /// Ends the thread; returns the number of its last line.
    pub fn end(self) -> u64 {
        self.shared.ended.store(true, Ordering::SeqCst);
        self.thread.join().unwrap();
        self.shared.written.load(Ordering::SeqCst)
    }
}

struct Writing {
    file: File,
    log: PathBuf,
    reopen: Reopen,
    /// When the name was first seen to lead to another file, or to none.
    noticed: Option<Instant>,
    shared: Arc<Shared>,
}

impl Writing {
    fn run(&mut self) {
        let begin = Instant::now();
        let mut number = 0;
        while !self.shared.ended.load(Ordering::SeqCst) {
            let due = (begin.elapsed().as_secs_f64() * RATE) as u64;
            // After a pause that the system made, late lines come in parts: a burst
            // of thousands is another test than a steady load.
            let due = due.min(number + 200);
            while number < due {
                number += 1;
                self.file.write_all(line(number).as_bytes()).unwrap();
                self.shared.written.store(number, Ordering::SeqCst);
            }
            self.reopen();
            // The pace of the load: nothing is waited for.
            thread::sleep(Duration::from_millis(1));
        }
    }

    fn reopen(&mut self) {
        let Reopen::After(delay) = self.reopen else { return };
        let mine = self.file.metadata().unwrap();
        let same = fs::metadata(&self.log)
            .is_ok_and(|named| (named.dev(), named.ino()) == (mine.dev(), mine.ino()));
        if same {
            self.noticed = None;
        } else if self.noticed.get_or_insert_with(Instant::now).elapsed() >= delay {
            self.file = open(&self.log);
            self.noticed = None;
            self.shared.reopened.fetch_add(1, Ordering::SeqCst);
        }
    }
}

fn open(log: &Path) -> File {
    OpenOptions::new().append(true).create(true).open(log).unwrap()
}
