//! What is told of a runtime that somebody else has built.
//!
//! What blocks is let go by the line that says so, so no time is a pass mark.
#![cfg(target_os = "linux")]

#[expect(dead_code, reason = "the tests of the debug mode use it all")]
#[path = "../told/mod.rs"]
mod told;

mod driver;
mod hooks;
mod lines;

use std::fs::File;
use std::io::{self, Read, Write};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use testkit::{Folder, make_fifo, panic_of};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;
use tracing::dispatcher::{self, Dispatch};
use tracing::info_span;
use tracing_subscriber::layer::SubscriberExt;

use told::{HANG, Line, Told, masked};

/// The threshold. What blocks lasts until it is told.
const SLOW: Duration = Duration::from_millis(30);

/// A runtime with the subscriber on all of its threads.
fn built(builder: &mut Builder, told: &Told) -> Runtime {
    let subscriber = tracing_subscriber::registry().with(told.clone()).with(tokio_loop::names());
    let dispatch = Dispatch::new(subscriber);
    let of_the_threads = dispatch.clone();
    // Set and never taken back: the guard belongs to its thread.
    let set = move || std::mem::forget(dispatcher::set_default(&of_the_threads));
    dispatcher::with_default(&dispatch, || {
        builder.on_thread_start(set).enable_all().build().unwrap()
    })
}

fn many(told: &Told) -> Runtime {
    built(Builder::new_multi_thread().worker_threads(4), told)
}

fn one(told: &Told) -> Runtime {
    built(&mut Builder::new_current_thread(), told)
}

/// Drives a runtime to the end of `main`, which is watched.
fn watch<T>(runtime: &Runtime, told: &Told, main: impl Future<Output = T>) -> T {
    let subscriber = tracing_subscriber::registry().with(told.clone()).with(tokio_loop::names());
    dispatcher::with_default(&Dispatch::new(subscriber), || {
        runtime.block_on(tokio_loop::watched(SLOW, main)).unwrap()
    })
}

/// What blocks, and what is expected to be told of it: "it sleeps".
#[derive(Clone)]
struct Blocks {
    told: Told,
    now: String,
    then: String,
}

impl Blocks {
    /// The line has what is expected, or one of several things with a "|" in between. Where
    /// a "…" is, there may be more.
    fn is(&self, line: &Line, field: &str, expected: &str) -> bool {
        let said = line.masked().replace(" for N ms of that", "");
        let has = |expected: &str| expected.split('…').all(|part| said.contains(part));
        line.contains_key(field) && masked(expected).split('|').any(has)
    }

    /// Does it again and again, until it is told.
    #[track_caller]
    fn repeat(&self, mut block: impl FnMut()) {
        let begin = Instant::now();
        while !self.told.lines().iter().any(|line| self.is(line, "stuck_us", &self.now)) {
            assert!(begin.elapsed() < HANG, "not told, but {:#?}", self.told.lines());
            block();
        }
    }

    /// Waits until it is told that it blocks.
    #[track_caller]
    fn wait(&self) {
        self.told.wait_until(&self.now, |lines| {
            lines.iter().any(|line| self.is(line, "stuck_us", &self.now))
        });
    }

    /// Has another thread end the block when it is told.
    fn let_go(&self, end: impl FnOnce() + Send + 'static) {
        let blocks = self.clone();
        thread::spawn(move || {
            // What was not told is let go as well.
            let is_told = thread::scope(|scope| scope.spawn(|| blocks.wait()).join());
            end();
            is_told.unwrap();
        });
    }

    /// Waits until it is told that it is over.
    #[track_caller]
    fn is_over(&self) -> Line {
        let is_over = |line: &Line| self.is(line, "stall_us", &self.then);
        self.told.wait_until(&self.then, |lines| lines.iter().any(is_over));
        self.told.lines().into_iter().find(is_over).unwrap()
    }
}

/// Reads a FIFO. The read lasts until `writer` calls what it is given, which writes a byte.
fn read_a_fifo(writer: impl FnOnce(Box<dyn FnOnce() + Send>)) {
    let folder = Folder::new();
    let path = folder.path("a.fifo");
    make_fifo(&path);
    // One end for both directions does not wait for another to open it.
    let both = File::options().read(true).write(true).open(&path).unwrap();
    let mut reader = File::open(path).unwrap();
    writer(Box::new(move || (&both).write_all(b"x").unwrap()));
    reader.read_exact(&mut [0]).unwrap();
}

/// Puts what comes first before each of several things with a "|" in between.
fn each(first: &str, things: &str) -> String {
    let things = things.split('|').map(|thing| format!("{first}{thing}"));
    things.collect::<Vec<_>>().join("|")
}

/// How a task is named that blocks.
#[derive(Clone, Copy)]
enum Named {
    Span,
    Spawn,
    Not,
}

impl Named {
    fn expected(self, what: &str, doing: &str) -> String {
        let who = match self {
            Named::Span => format!("`answer` of 7 {what} it, in task 7"),
            Named::Spawn => {
                let place = "spawned at crates/tokio-loop/tests/watched/main.rs:7:7";
                format!("an unnamed operation {what} it, in task 7, {place}")
            }
            // Of many workers, or "in a task".
            Named::Not => format!("an unnamed operation {what} it…"),
        };
        each(&format!("{who}: "), doing)
    }

    fn spawn(self, block: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
        match self {
            Named::Span => tokio::spawn(async {
                info_span!("answer", peer = 7, line = "not told").in_scope(block);
            }),
            Named::Spawn => tokio_loop::spawn(async { block() }),
            Named::Not => tokio::spawn(async { block() }),
        }
    }
}

#[test]
fn where_there_is_no_runtime_there_is_an_error() {
    let mut watched = pin!(tokio_loop::watched(SLOW, async {}));
    let polled = watched.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(polled, Poll::Ready(Err(_))), "{polled:?}");
}

#[test]
fn a_runtime_is_watched_once_at_a_time() {
    let told = Told::default();
    for runtime in [many(&told), one(&told)] {
        let again = watch(&runtime, &told, tokio_loop::watched(SLOW, async {}));
        assert_eq!(again.unwrap_err().kind(), io::ErrorKind::ResourceBusy);
        watch(&runtime, &told, async {});
    }
}

#[test]
fn a_panic_of_main_comes_out_and_ends_the_watch() {
    let told = Told::default();
    for runtime in [many(&told), one(&told)] {
        let said = panic_of(|| watch(&runtime, &told, async { panic!("main gave up") }));
        assert_eq!(said, "main gave up");
        watch(&runtime, &told, async {});
    }
}

#[test]
fn a_watch_ends_also_where_a_thread_holds_the_lock_that_a_line_needs() {
    told::assert_ends_without_the_lock(|block| {
        let runtime = Builder::new_current_thread().build().unwrap();
        runtime.block_on(tokio_loop::watched(SLOW, async { block() })).unwrap();
    });
}
