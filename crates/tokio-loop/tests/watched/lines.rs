//! What is told of what blocks: a table of what people do, on each kind of runtime, under
//! each kind of name.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use testkit::{Folder, make_fifo};
use tokio::runtime::{Builder, LocalOptions, Runtime};
use tracing::dispatcher::{self, Dispatch};
use tracing::info_span;
use tracing_subscriber::layer::SubscriberExt;

use crate::told::Told;
use crate::{Blocks, Named, SLOW, each, many, one, read_a_fifo, watch};

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

/// Makes a FIFO, and opens its writing end once it is told that the other end blocks.
fn without_a_writer(folder: &Folder, blocks: &Blocks) -> PathBuf {
    let path = folder.path("a.fifo");
    make_fifo(&path);
    let theirs = path.clone();
    blocks.let_go(move || drop(File::options().write(true).open(theirs).unwrap()));
    path
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
        let path = without_a_writer(&folder, blocks);
        File::open(path).unwrap();
    };
    a_fifo_that_is_read: "it reads a.fifo", "it read a.fifo", |blocks| {
        read_a_fifo(|write| blocks.let_go(write));
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
        let path = without_a_writer(&folder, blocks);
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
