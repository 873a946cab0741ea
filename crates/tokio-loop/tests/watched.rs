//! What is told of a runtime that somebody else has built.
//!
//! What blocks is let go by the line that says so, so no time is a pass mark.
#![cfg(target_os = "linux")]

#[expect(dead_code, reason = "the tests of the debug mode use it all")]
mod told;

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::pin::pin;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use testkit::{Folder, make_fifo, panic_of, until};
use tokio::runtime::{Builder, Handle, LocalOptions, Runtime};
use tokio::sync::oneshot;
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
                let place = "spawned at crates/tokio-loop/tests/watched.rs:7:7";
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

/// Blocks a task, and expects to be told what it does.
#[track_caller]
fn assert_named(
    named: Named,
    runtime: fn(&Told) -> Runtime,
    [now, then]: [&str; 2],
    block: fn(&Blocks),
) {
    let told = Told::default();
    let runtime = runtime(&told);
    let blocks = Blocks {
        told: told.clone(),
        now: named.expected("blocks", now),
        then: named.expected("blocked", then),
    };
    watch(&runtime, &told, async {
        let in_task = blocks.clone();
        named.spawn(move || block(&in_task)).await.unwrap();
        tokio::task::spawn_blocking(move || blocks.is_over()).await.unwrap();
    });
    assert!(told.lines().iter().all(|line| !line["message"].contains("not told")));
}

/// Blocks a task without a name on one thread. It may have many turns, and is expected
/// to be told as such; or if `either`, as one turn: it may be in one call for long enough.
#[track_caller]
fn assert_batch(either: bool, [now, then]: [&str; 2], block: fn(&Blocks)) {
    let told = Told::default();
    let runtime = one(&told);
    let has = "the event loop has";
    let now_begins = format!(
        "{has} not ended a batch of turns for 7 ms: one is long, or many are short, now an \
         unnamed operation, in a task: "
    );
    let then_begins =
        format!("{has} ended a batch of turns after 7 ms: one was long, or many were short: ");
    let expected = |begins: &str, what, doing| {
        let batch = each(begins, doing);
        if either { format!("{batch}|{}", Named::Not.expected(what, doing)) } else { batch }
    };
    let blocks = Blocks {
        told: told.clone(),
        now: expected(&now_begins, "blocks", now),
        then: expected(&then_begins, "blocked", then),
    };
    watch(&runtime, &told, async {
        let in_task = blocks.clone();
        tokio::spawn(async move { block(&in_task) }).await.unwrap();
        tokio::task::spawn_blocking(move || blocks.is_over()).await.unwrap();
    });
}

/// Each of these blocks on many workers and on one, named by a span, by `spawn`, and by
/// neither. On one thread, what does not stay in one call may be many turns then.
macro_rules! assert_told {
    ($($name:ident $($kind:ident)?: $now:literal, $then:literal, $block:expr;)*) => {
        assert_told!(on_many_workers, many: $($name, Named::Span, [$now, $then], $block;)*);
        assert_told!(on_one_thread, one: $($name, Named::Span, [$now, $then], $block;)*);
        assert_told!(of_a_task_with_a_number, many: $($name, Named::Spawn, [$now, $then], $block;)*);
        assert_told!(of_a_task_without_a_name, many: $($name, Named::Not, [$now, $then], $block;)*);
        mod of_a_task_without_a_name_on_one_thread {
            use super::*;
            $(#[test] fn $name() { assert_told!($($kind)? [$now, $then], $block) })*
        }
    };
    ($module:ident, $runtime:ident: $($name:ident, $named:expr, $words:expr, $block:expr;)*) => {
        mod $module {
            use super::*;
            $(#[test] fn $name() { assert_named($named, $runtime, $words, $block) })*
        }
    };
    (many_turns $words:expr, $block:expr) => { assert_batch(false, $words, $block) };
    (either $words:expr, $block:expr) => { assert_batch(true, $words, $block) };
    ($words:expr, $block:expr) => { assert_named(Named::Not, one, $words, $block) };
}

const FUTEX_NOW: &str = "it waits for a lock, a channel or a thread";
const FUTEX_THEN: &str = "it waited for a lock, a channel or a thread";

assert_told! {
    a_sleep: "it sleeps", "it slept", |blocks| {
        blocks.repeat(|| thread::sleep(10 * SLOW));
    };
    many_short_sleeps many_turns: "it sleeps, one of 7 waits", "it slept, one of 7 waits", |blocks| {
        blocks.repeat(|| thread::sleep(SLOW / 6));
    };
    a_computation many_turns: "it computes", "it computed", |blocks| {
        blocks.repeat(|| (0..1_000_000).for_each(|_| std::hint::spin_loop()));
    };
    a_channel: "it waits for a lock, a channel or a thread",
        "it waited for a lock, a channel or a thread", |blocks| {
        let (send, receive) = mpsc::channel::<()>();
        blocks.let_go(move || drop(send));
        receive.recv().unwrap_err();
    };
    a_lock: "it waits for a lock, a channel or a thread",
        "it waited for a lock, a channel or a thread", |blocks| {
        let lock = Arc::new(Mutex::new(()));
        let (locked, is_locked) = mpsc::channel();
        let (theirs, blocks) = (Arc::clone(&lock), blocks.clone());
        let other = thread::spawn(move || {
            let _held = theirs.lock();
            locked.send(()).unwrap();
            blocks.wait();
        });
        is_locked.recv().unwrap();
        drop(lock.lock());
        other.join().unwrap();
    };
    a_thread_that_is_joined: "it waits for a lock, a channel or a thread",
        "it waited for a lock, a channel or a thread", |blocks| {
        let blocks = blocks.clone();
        thread::spawn(move || blocks.wait()).join().unwrap();
    };
    a_fifo_without_a_writer: "it opens a file", "it opened a file", |blocks| {
        let folder = Folder::new();
        let path = folder.path("a.fifo");
        make_fifo(&path);
        let theirs = path.clone();
        blocks.let_go(move || drop(File::options().write(true).open(theirs).unwrap()));
        File::open(path).unwrap();
    };
    a_fifo_that_is_read: "it reads a.fifo", "it read a.fifo", |blocks| {
        let folder = Folder::new();
        let path = folder.path("a.fifo");
        make_fifo(&path);
        // One end for both directions does not wait for another to open it.
        let writer = File::options().read(true).write(true).open(&path).unwrap();
        let mut reader = File::open(path).unwrap();
        blocks.let_go(move || (&writer).write_all(b"x").unwrap());
        reader.read_exact(&mut [0]).unwrap();
    };
    a_name_look_up: "it waits for a descriptor: a name look-up does that",
        "it waited for a descriptor: a name look-up does that", |blocks| {
        // As `getaddrinfo` waits for the name server's answer.
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let server = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        blocks.let_go(move || assert_eq!(server.send_to(b"x", address).unwrap(), 1));
        poll(&mut [PollFd::new(&socket, PollFlags::IN)], None).unwrap();
    };
    a_udp_socket: "it receives from udp 127.0.0.1:7", "it received from udp 127.0.0.1:7", |blocks| {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        let other = UdpSocket::bind("127.0.0.1:0").unwrap();
        blocks.let_go(move || assert_eq!(other.send_to(b"x", address).unwrap(), 1));
        socket.recv(&mut [0]).unwrap();
    };
    a_tcp_stream: "it receives from tcp 127.0.0.1:7 -> 127.0.0.1:7",
        "it received from tcp 127.0.0.1:7 -> 127.0.0.1:7", |blocks| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut other, _) = listener.accept().unwrap();
        blocks.let_go(move || other.write_all(b"x").unwrap());
        stream.read_exact(&mut [0]).unwrap();
    };
    a_child_process: "it waits for a child process", "it waited for a child process", |blocks| {
        let folder = Folder::new();
        let path = folder.path("a.fifo");
        make_fifo(&path);
        let theirs = path.clone();
        blocks.let_go(move || drop(File::options().write(true).open(theirs).unwrap()));
        // It ends when the writer has come and gone.
        assert!(Command::new("cat").arg(path).status().unwrap().success());
    };
    a_large_file either: "it is at work in system calls|it writes to a.log|it syncs a.log",
        "it was at work in system calls|it wrote to a.log|it synced a.log", |blocks| {
        let folder = Folder::new();
        let mut file = File::create(folder.path("a.log")).unwrap();
        let bytes = vec![1; 1 << 24];
        blocks.repeat(|| {
            file.rewind().unwrap();
            file.write_all(&bytes).unwrap();
            file.sync_all().unwrap();
        });
    };
}

#[test]
fn a_task_without_a_name_that_blocks_in_one_call_is_told_among_streaks_of_short_turns() {
    let told = Told::default();
    let blocks = Blocks {
        told: told.clone(),
        now: format!("an unnamed operation blocks it: {FUTEX_NOW}"),
        then: format!("an unnamed operation blocked it: {FUTEX_THEN}"),
    };
    let runtime = many(&told);
    watch(&runtime, &told, async {
        let ended = Arc::new(AtomicBool::new(false));
        let short = |ended: Arc<AtomicBool>| async move {
            while !ended.load(Ordering::Relaxed) {
                let begin = Instant::now();
                while begin.elapsed() < SLOW / 6 {}
                tokio::task::yield_now().await;
            }
        };
        let tasks = [(); 8].map(|()| tokio::spawn(short(Arc::clone(&ended))));
        let in_task = blocks.clone();
        tokio::spawn(async move { in_task.wait() }).await.unwrap();
        ended.store(true, Ordering::Relaxed);
        for task in tasks {
            task.await.unwrap();
        }
        tokio::task::spawn_blocking(move || blocks.is_over()).await.unwrap();
    });
}

/// Blocks `main`, and expects the line to begin so.
#[track_caller]
fn assert_main(runtime: fn(&Told) -> Runtime, subject: &str, place: &str) {
    let told = Told::default();
    let runtime = runtime(&told);
    let expected =
        |turns, what, doing| format!("{subject} {turns}: `serve` of 7 {what} it{place}: {doing}");
    let blocks = Blocks {
        told: told.clone(),
        now: expected("has not turned for 7 ms", "blocks", FUTEX_NOW),
        then: expected("turns again after 7 ms", "blocked", FUTEX_THEN),
    };
    let in_main = blocks.clone();
    // It blocks to its very end.
    watch(&runtime, &told, async move {
        info_span!("serve", port = 80).in_scope(|| in_main.wait());
    });
    blocks.is_over();
}

#[test]
fn main_is_watched_although_it_is_no_worker() {
    assert_main(many, "main", "");
}

#[test]
fn main_is_named_on_one_thread() {
    assert_main(one, "the event loop", ", in main");
}

#[test]
fn on_one_processor_what_blocks_has_its_name() {
    let all = sched_getaffinity(None).unwrap();
    let mut one_of_them = CpuSet::new();
    one_of_them.set((0..CpuSet::MAX_CPU).find(|processor| all.is_set(*processor)).unwrap());
    // This thread, and those that it starts: the loop, or the watch, is often made to
    // wait in the middle of something.
    sched_setaffinity(None, &one_of_them).unwrap();
    for _ in 0..20 {
        assert_main(one, "the event loop", ", in main");
        assert_main(many, "main", "");
    }
}

#[test]
fn a_task_whose_end_is_the_end_of_main_is_told_to_be_over() {
    let told = Told::default();
    let runtime = many(&told);
    let blocks = Blocks {
        told: told.clone(),
        now: "`answer` blocks it".to_owned(),
        then: "`answer` blocked it".to_owned(),
    };
    let in_task = blocks.clone();
    watch(&runtime, &told, async {
        let block = async move { info_span!("answer").in_scope(|| in_task.wait()) };
        tokio::spawn(block).await.unwrap();
    });
    blocks.is_over();
}

#[test]
fn a_local_runtime_is_watched() {
    let told = Told::default();
    let runtime = Builder::new_current_thread().enable_all().build_local(LocalOptions::default());
    let now = "the event loop has not turned for 7 ms: `answer`";
    let blocks =
        Blocks { told: told.clone(), now: now.into(), then: "the event loop turns again".into() };
    let subscriber = tracing_subscriber::registry().with(told.clone()).with(tokio_loop::names());
    dispatcher::with_default(&Dispatch::new(subscriber), || {
        let main = async {
            let in_task = blocks.clone();
            let task = tokio_loop::spawn_local(async move {
                info_span!("answer").in_scope(|| in_task.wait());
            });
            task.await.unwrap();
        };
        runtime.unwrap().block_on(tokio_loop::watched(SLOW, main)).unwrap();
    });
    blocks.is_over();
}

/// Has a worker turn the timers, and then block in `block`, until the line says
/// that nobody turns them any more.
fn with_the_driver_unowned(
    heals: bool,
    block: impl Fn(&Told) + Clone + Send + 'static,
    is_so: impl Fn(&Line) -> bool + Copy + Send + 'static,
) -> Vec<Line> {
    let told = Told::default();
    let runtime = many(&told);
    let main = async {
        let begin = Instant::now();
        while !told.lines().iter().any(is_so) {
            assert!(begin.elapsed() < HANG, "never said so, but {:#?}", told.lines());
            let (block, told) = (block.clone(), told.clone());
            let task = tokio::spawn(async move {
                // The worker that finds the timer due goes on with this.
                tokio::time::sleep(SLOW).await;
                block(&told);
            });
            task.await.unwrap();
        }
    };
    let watched = tokio_loop::Watched::new(SLOW).heal_driver(heals);
    let subscriber = tracing_subscriber::registry().with(told.clone());
    dispatcher::with_default(&Dispatch::new(subscriber), || {
        runtime.block_on(watched.run(main)).unwrap();
    });
    told.lines()
}

fn is_unowned(line: &Line) -> bool {
    let rest = "; nobody turns timers and sockets meanwhile, though N workers are idle";
    line.contains_key("driver_unowned") && line.masked().ends_with(rest)
}

#[test]
fn a_blocked_worker_that_holds_the_timers_is_told_as_such() {
    with_the_driver_unowned(
        false,
        |told| {
            let before = told.lines().len();
            told.wait_for(before + 1);
        },
        is_unowned,
    );
}

/// Waits on this thread for a future, as the `block_on` of another library.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(thread::Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(answer) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return answer;
        }
        thread::park();
    }
}

/// Hangs if nobody has the driver, until that was told twice: by another line about
/// it after ten times the time, or by one that it is over.
fn hang(told: &Told) {
    let (runtime, told, before) = (Handle::current(), told.clone(), told.lines().len());
    thread::spawn(move || {
        // In vain if somebody had it.
        told.wait_for(before + 2);
        // A worker that was idle turns the timers.
        runtime.spawn(async {});
    });
    block_on(tokio::time::sleep(Duration::from_millis(1)));
}

#[test]
fn a_second_block_on_that_hangs_is_told_again_after_ten_times_the_time() {
    let is_again = |line: &Line| is_unowned(line) && line.duration("stuck_us") > SLOW * 10;
    let lines = with_the_driver_unowned(false, hang, is_again);
    let again = lines.iter().position(is_again).unwrap();
    let first = lines[..again].iter().rposition(|line| line.contains_key("stuck_us")).unwrap();
    let [first, again] = [first, again].map(|line| lines[line].duration("stuck_us"));
    assert!(again >= first * 10, "{lines:#?}");
}

#[test]
fn a_second_block_on_goes_on_where_the_driver_is_healed() {
    let healed = "; an idle worker was woken to turn timers and sockets, which nobody did";
    let is_healed =
        move |line: &Line| line.contains_key("driver_unowned") && line["message"].ends_with(healed);
    let block = move |told: &Told| {
        let before = told.lines().len();
        hang(told);
        // It goes on before it would be told again.
        let lines = told.lines().split_off(before);
        assert!(!lines.first().is_some_and(is_healed) || lines.len() == 1, "{lines:#?}");
    };
    with_the_driver_unowned(true, block, is_healed);
}

/// Has a task block in place until the sender is dropped.
fn block_in_place() -> (mpsc::Sender<()>, oneshot::Receiver<()>, JoinHandle<()>) {
    let (end, ended) = mpsc::channel();
    let (begin, begun) = oneshot::channel();
    let task = tokio::spawn(async move {
        tokio::task::block_in_place(|| {
            begin.send(()).unwrap();
            ended.recv().unwrap_err();
        });
    });
    (end, begun, task)
}

#[test]
fn with_hooks_the_right_thread_is_looked_at_after_block_in_place() {
    let told = Told::default();
    let mut builder = Builder::new_multi_thread();
    let runtime = built(tokio_loop::hook_into(&mut builder).worker_threads(2), &told);
    let blocks = Blocks {
        told: told.clone(),
        now: "an unnamed operation blocks it…: it reads a.fifo".to_owned(),
        then: "an unnamed operation blocked it…: it read a.fifo".to_owned(),
    };
    watch(&runtime, &told, async {
        // Both workers move to other threads, and these block in another call.
        let (mut ends, mut in_place) = (Vec::new(), Vec::new());
        for _ in 0..2 {
            let (end, is_in_place, task) = block_in_place();
            is_in_place.await.unwrap();
            ends.push(end);
            in_place.push(task);
        }
        // The threads that they moved to have rested once.
        let metrics = runtime.metrics();
        tokio::task::spawn_blocking(move || {
            until("both rest", || (0..2).all(|it| metrics.worker_park_unpark_count(it) % 2 == 1));
        })
        .await
        .unwrap();
        let in_task = blocks.clone();
        let task = tokio::spawn(async move {
            let folder = Folder::new();
            let path = folder.path("a.fifo");
            make_fifo(&path);
            let writer = File::options().read(true).write(true).open(&path).unwrap();
            let mut reader = File::open(path).unwrap();
            in_task.let_go(move || (&writer).write_all(b"x").unwrap());
            reader.read_exact(&mut [0]).unwrap();
        });
        task.await.unwrap();
        drop(ends);
        for task in in_place {
            task.await.unwrap();
        }
        tokio::task::spawn_blocking(move || blocks.is_over()).await.unwrap();
    });
}

#[test]
fn with_hooks_what_blocks_as_soon_as_the_watch_wakes_has_its_name() {
    for builder in [&mut Builder::new_multi_thread(), &mut Builder::new_current_thread()] {
        let told = Told::default();
        let runtime = built(tokio_loop::hook_into(builder).worker_threads(1), &told);
        watch(&runtime, &told, async {
            for said in (0..10).map(|round| 2 * round) {
                let told = told.clone();
                let task = tokio::spawn(async move {
                    // The watch sleeps when it has seen twice that everybody rests.
                    tokio::time::sleep(4 * SLOW).await;
                    info_span!("answer").in_scope(|| told.wait_for(said + 1));
                    told
                });
                let told = task.await.unwrap();
                tokio::task::spawn_blocking(move || told.wait_for(said + 2)).await.unwrap();
            }
        });
        let lines = told.lines();
        assert!(lines.iter().all(|line| line.contains_key("operation")), "{lines:#?}");
    }
}

#[cfg(tokio_unstable)]
#[test]
fn with_hooks_and_tokio_unstable_every_turn_has_the_number_and_place_of_its_task() {
    let told = Told::default();
    let runtime = built(tokio_loop::hook_into(&mut Builder::new_current_thread()), &told);
    let blocks = Blocks {
        told: told.clone(),
        now: Named::Spawn.expected("blocks", "it computes"),
        then: Named::Spawn.expected("blocked", "it computed"),
    };
    watch(&runtime, &told, async {
        let in_task = blocks.clone();
        let computes =
            move || in_task.repeat(|| (0..1_000_000).for_each(|_| std::hint::spin_loop()));
        Named::Not.spawn(computes).await.unwrap();
        tokio::task::spawn_blocking(move || blocks.is_over()).await.unwrap();
    });
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
fn without_hooks_a_worker_that_was_moved_is_found_again() {
    let told = Told::default();
    let runtime = built(Builder::new_multi_thread().worker_threads(2), &told);
    watch(&runtime, &told, async {
        for _ in 0..2 {
            // The worker goes on with another thread, and this one ends after it.
            let (end, is_in_place, task) = block_in_place();
            is_in_place.await.unwrap();
            drop(end);
            task.await.unwrap();
        }
        let begin = Instant::now();
        let mut read = 0;
        let is_told = |line: &Line| line["message"].contains(": it reads a.fifo");
        while !told.lines().iter().any(is_told) {
            assert!(begin.elapsed() < HANG, "after {read} reads: {:#?}", told.lines());
            // Both workers have something to do and to rest from.
            for _ in 0..20 {
                let tasks = [(); 2].map(|()| tokio::spawn(tokio::time::sleep(SLOW / 10)));
                for task in tasks {
                    task.await.unwrap();
                }
            }
            let told = told.clone();
            let lines = told.lines().len();
            let task = tokio::spawn(async move {
                let folder = Folder::new();
                let path = folder.path("a.fifo");
                make_fifo(&path);
                let writer = File::options().read(true).write(true).open(&path).unwrap();
                let mut reader = File::open(path).unwrap();
                thread::spawn(move || {
                    told.wait_for(lines + 1);
                    (&writer).write_all(b"x").unwrap();
                });
                reader.read_exact(&mut [0]).unwrap();
            });
            task.await.unwrap();
            read += 1;
        }
    });
}
