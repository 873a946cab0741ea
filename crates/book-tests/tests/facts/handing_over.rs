//! From a thread to a task, and back: all channels, what waits, what blocks, and
//! what panics.
//!
//! The table of the page is read from the page, and each of its cells is tried.

use std::env;
use std::io::{self, BufRead, BufReader, Write};
use std::pin::Pin;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use testkit::until;
use tokio::io::AsyncReadExt;
use tokio::runtime::Builder;
use tokio::sync::{mpsc, oneshot};
use tokio::task::spawn_local;

use super::{A_WHILE, comes, does_not_come, one_thread};
use crate::process::{ROLE, role};

const PAGE: &str = include_str!("../../../../docs/src/thread-to-task.md");

type Function = Box<dyn FnOnce() + Send>;

/// One end of a channel, used: by a call or by a future.
enum Use {
    Call(Function),
    Await(Pin<Box<dyn Future<Output = ()> + Send>>),
}

/// A use of one end, and what lets it go on: a use of the other.
type Case = (Use, Function);

fn calls(use_it: impl FnOnce() + Send + 'static, other: impl FnOnce() + Send + 'static) -> Case {
    (Use::Call(Box::new(use_it)), Box::new(other))
}

fn awaits(
    use_it: impl Future<Output = ()> + Send + 'static,
    other: impl FnOnce() + Send + 'static,
) -> Case {
    (Use::Await(Box::pin(use_it)), Box::new(other))
}

/// What stands in the first column of the page: a send into a channel that is full,
/// or a receive from one that is empty.
fn case(channel: &str, sends: bool, on_a_thread: bool) -> Case {
    match (channel, sends) {
        ("std", true) => {
            let (sender, receiver) = std::sync::mpsc::sync_channel(1);
            sender.send(1).unwrap();
            calls(move || sender.send(2).unwrap(), move || while receiver.recv().is_ok() {})
        }
        ("std", false) => {
            let (sender, receiver) = channel_of_std();
            calls(move || receiver.recv().unwrap(), move || sender.send(()).unwrap())
        }
        ("crossbeam", true) => {
            let (sender, receiver) = crossbeam_channel::bounded(1);
            sender.send(1).unwrap();
            calls(move || sender.send(2).unwrap(), move || while receiver.recv().is_ok() {})
        }
        ("crossbeam", false) => {
            let (sender, receiver) = crossbeam_channel::bounded(1);
            calls(move || receiver.recv().unwrap(), move || sender.send(()).unwrap())
        }
        ("async-channel, `…_blocking`", true) => {
            let (sender, receiver) = async_channel::bounded(1);
            sender.send_blocking(1).unwrap();
            let drain = move || while receiver.recv_blocking().is_ok() {};
            calls(move || sender.send_blocking(2).unwrap(), drain)
        }
        ("async-channel, `…_blocking`", false) => {
            let (sender, receiver) = async_channel::bounded(1);
            let send = move || sender.send_blocking(()).unwrap();
            calls(move || receiver.recv_blocking().unwrap(), send)
        }
        ("async-channel, `.await`", true) => {
            let (sender, receiver) = async_channel::bounded(1);
            sender.send_blocking(1).unwrap();
            let drain = move || while receiver.recv_blocking().is_ok() {};
            awaits(async move { sender.send(2).await.unwrap() }, drain)
        }
        ("async-channel, `.await`", false) => {
            let (sender, receiver) = async_channel::bounded(1);
            let send = move || sender.send_blocking(()).unwrap();
            awaits(async move { receiver.recv().await.unwrap() }, send)
        }
        ("tokio, `blocking_…`", true) => {
            let (sender, mut receiver) = mpsc::channel(1);
            sender.blocking_send(1).unwrap();
            let drain = move || while receiver.blocking_recv().is_some() {};
            calls(move || sender.blocking_send(2).unwrap(), drain)
        }
        ("tokio, `blocking_…`", false) => {
            let (sender, mut receiver) = mpsc::channel(1);
            let send = move || sender.blocking_send(()).unwrap();
            calls(move || receiver.blocking_recv().unwrap(), send)
        }
        ("tokio, `.await`", true) => {
            let (sender, mut receiver) = mpsc::channel(1);
            sender.blocking_send(1).unwrap();
            let drain = move || while receiver.blocking_recv().is_some() {};
            awaits(async move { sender.send(2).await.unwrap() }, drain)
        }
        ("tokio, `.await`", false) => {
            let (sender, mut receiver) = mpsc::channel(1);
            let send = move || sender.blocking_send(()).unwrap();
            awaits(async move { receiver.recv().await.unwrap() }, send)
        }
        ("tokio's `oneshot`", sends) => {
            let (sender, receiver) = oneshot::channel();
            let send = move || sender.send(()).unwrap();
            match (sends, on_a_thread) {
                (true, _) => calls(send, || drop(receiver)),
                (false, true) => calls(|| receiver.blocking_recv().unwrap(), send),
                (false, false) => awaits(async { receiver.await.unwrap() }, send),
            }
        }
        ("any, without a bound", true) => {
            let ((std, a), (crossbeam, b)) = (channel_of_std(), crossbeam_channel::unbounded());
            let ((any, c), (tokio, d)) = (async_channel::unbounded(), mpsc::unbounded_channel());
            let all = move || {
                std.send(()).unwrap();
                crossbeam.send(()).unwrap();
                any.send_blocking(()).unwrap();
                tokio.send(()).unwrap();
            };
            calls(all, || drop((a, b, c, d)))
        }
        (other, _) => panic!("nobody knows the channel {other}"),
    }
}

fn channel_of_std() -> (std::sync::mpsc::Sender<()>, std::sync::mpsc::Receiver<()>) {
    channel()
}

/// Tries a case on a thread.
fn on_a_thread((use_it, other): Case, cell: &str, what: &str) {
    let (end, ended) = channel();
    thread::spawn(move || {
        match use_it {
            Use::Call(call) => call(),
            Use::Await(future) => futures_executor::block_on(future),
        }
        end.send(()).unwrap();
    });
    match cell {
        "waits" | "waits, by `block_on`" => {
            does_not_come(&ended, what);
            thread::spawn(other);
            comes(&ended, what);
        }
        "never waits" => comes(&ended, what),
        _ => panic!("what is this? {what}"),
    }
}

/// Tries a case in a task, beside another task of its loop.
fn in_a_task((use_it, other): Case, cell: &str, what: &str) {
    let ((begin, begun), (turn, turned), (end, ended)) = (channel(), channel(), channel());
    thread::spawn(move || {
        one_thread(1).block_on(async move {
            let uses = spawn_local(async move {
                begin.send(()).unwrap();
                match use_it {
                    Use::Call(call) => call(),
                    Use::Await(future) => future.await,
                }
            });
            let turns = spawn_local(async move { turn.send(()).unwrap() });
            let said = uses.await.map_err(|failed| {
                testkit::panic_of(|| std::panic::resume_unwind(failed.into_panic()))
            });
            end.send(said).unwrap();
            turns.await.unwrap();
        })
    });
    comes(&begun, what);
    match cell {
        "blocks" => {
            does_not_come(&turned, what);
            thread::spawn(other);
            assert_eq!(comes(&ended, what), Ok(()), "{what}");
        }
        "awaits" => {
            comes(&turned, what);
            assert!(ended.try_recv().is_err(), "{what}: it did not have to wait");
            thread::spawn(other);
            assert_eq!(comes(&ended, what), Ok(()), "{what}");
        }
        "panics" => {
            let said = comes(&ended, what).expect_err(what);
            assert!(said.contains("Cannot block the current thread from within"), "{said}");
        }
        "never waits" => assert_eq!(comes(&ended, what), Ok(()), "{what}"),
        _ => panic!("what is this? {what}"),
    }
}

#[test]
fn each_cell_of_the_table_of_channels_is_what_happens() {
    let rows: Vec<Vec<&str>> = PAGE
        .lines()
        .filter(|line| line.starts_with("| ") && line.matches('|').count() == 6)
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    let columns = ["a thread sends", "a task sends", "a thread receives", "a task receives"];
    assert_eq!(rows[0][1..], columns);
    assert_eq!(rows.len(), 1 + 8, "the rows");
    // All at once: each that waits is waited for.
    thread::scope(|scope| {
        for row in &rows[1..] {
            for (column, cell) in columns.into_iter().zip(&row[1..]) {
                if *cell == "as above" {
                    continue;
                }
                let what = format!("{}, {column}: {cell}", row[0]);
                let (sends, thread) = (column.ends_with("sends"), column.starts_with("a thread"));
                let case = move || case(row[0], sends, thread);
                scope.spawn(move || match thread {
                    true => on_a_thread(case(), cell, &what),
                    false => in_a_task(case(), cell, &what),
                });
            }
        }
    });
}

// ANCHOR: forward
/// Forwards what a library gives by a channel of std, to a task.
fn forward<T: Send + 'static>(given: std::sync::mpsc::Receiver<T>) -> mpsc::Receiver<T> {
    let (sender, receiver) = mpsc::channel(1);
    thread::spawn(move || {
        for each in given {
            // The task has gone: nobody needs the rest.
            if sender.blocking_send(each).is_err() {
                break;
            }
        }
    });
    receiver
}
// ANCHOR_END: forward

#[test]
fn a_thread_forwards_what_a_channel_of_std_gives() {
    let (library, given) = channel();
    let mut forwarded = forward(given);
    thread::spawn(move || (0..10).for_each(|number| library.send(number).unwrap()));
    one_thread(1).block_on(async {
        for number in 0..10 {
            assert_eq!(forwarded.recv().await, Some(number));
        }
        assert_eq!(forwarded.recv().await, None, "the library has ended");
    });
}

#[test]
fn a_thread_gives_up_a_send_after_a_while_and_has_its_line_back() {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_time().build().unwrap();
    let (sender, _inbox) = mpsc::channel(1);
    sender.try_send("first").unwrap();
    let send = sender.send_timeout("second", Duration::from_millis(1));
    // By a handle, as a thread has it: the worker drives the timer.
    let given_up = runtime.handle().block_on(send).unwrap_err();
    assert_eq!(given_up.into_inner(), "second");
}

/// Calls a callback from a thread of its own, as a library does.
fn library(callback: impl Fn(u32) + Send + 'static) -> thread::JoinHandle<()> {
    thread::spawn(move || (0..10).for_each(callback))
}

#[test]
fn a_callback_that_may_not_wait_counts_what_it_drops() {
    let (sender, mut inbox) = mpsc::channel(3);
    let dropped = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&dropped);
    library(move |event| {
        if sender.try_send(event).is_err() {
            count.fetch_add(1, Ordering::Relaxed);
        }
    })
    .join()
    .unwrap();
    let mut kept = Vec::new();
    one_thread(1).block_on(async {
        while let Some(event) = inbox.recv().await {
            kept.push(event);
        }
    });
    assert_eq!(kept, [0, 1, 2]);
    assert_eq!(dropped.load(Ordering::Relaxed), 7);
}

#[test]
fn a_callback_that_may_wait_loses_nothing_and_holds_one_event_more_than_the_bound() {
    let (sender, mut inbox) = mpsc::channel(3);
    let (called, calls) = channel();
    let library = library(move |event| {
        called.send(event).unwrap();
        sender.blocking_send(event).unwrap();
    });
    for event in 0..=3 {
        assert_eq!(comes(&calls, "the callback is called"), event);
    }
    does_not_come(&calls, "the callback is called once more while it waits");
    let kept: Vec<_> = std::iter::from_fn(|| inbox.blocking_recv()).collect();
    assert_eq!(kept, (0..10).collect::<Vec<_>>());
    library.join().unwrap();
}

// ANCHOR: stdin
/// Reads lines on a thread that nobody waits for, and hands them to a task.
fn lines_of_stdin() -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel(1);
    thread::spawn(move || {
        for line in io::stdin().lines().map_while(Result::ok) {
            if sender.blocking_send(line).is_err() {
                break;
            }
        }
    });
    receiver
}
// ANCHOR_END: stdin

/// What the child says when it has nothing left to do.
const EXITING: &str = "exiting";

/// What the child does: it waits for a line that does not come, or for its end.
async fn reads_stdin(role: &str) {
    let soon = tokio::time::sleep(Duration::from_millis(1));
    match role {
        "a task of tokio" => {
            let mut stdin = tokio::io::stdin();
            tokio::select! {
                line = stdin.read_u8() => panic!("nobody has typed {line:?}"),
                () = soon => {}
            }
        }
        _ => {
            let mut stdin = lines_of_stdin();
            tokio::select! {
                line = stdin.recv() => panic!("nobody has typed {line:?}"),
                () = soon => {}
            }
        }
    }
}

#[test]
fn stdin_of_tokio_keeps_a_program_from_its_end_and_a_thread_that_reads_does_not() {
    if let Some(role) = role() {
        return one_thread(1).block_on(async {
            reads_stdin(&role).await;
            writeln!(io::stdout(), "{EXITING}").unwrap();
        });
    }
    let test = "facts::handing_over::stdin_of_tokio_keeps_a_program_from_its_end_and_a_thread_that_reads_does_not";
    let start = |role| {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args([test, "--exact", "--nocapture"]).env(ROLE, role);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(said.any(|line| line.unwrap().ends_with(EXITING)));
        // What else it says has a reader for as long as it lives.
        (child, said)
    };
    let (mut by_thread, _said) = start("a thread");
    until("the program with the thread ends", || by_thread.try_wait().unwrap().is_some());
    assert!(by_thread.wait().unwrap().success());

    let (mut by_tokio, _said) = start("a task of tokio");
    let begin = Instant::now();
    until("a while has passed", || begin.elapsed() > A_WHILE);
    assert!(by_tokio.try_wait().unwrap().is_none(), "it has ended without a line");
    drop(by_tokio.stdin.take());
    until("it ends once its stdin does", || by_tokio.try_wait().unwrap().is_some());
}
