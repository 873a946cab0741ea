//! The caller that cannot await: who calls, what helps, and what happens otherwise.
//!
//! The table of the page is read from the page, and each of its cells is tried.

use std::io::{self, Read, Write};
use std::net::TcpListener;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::sync::{Arc, LazyLock};
use std::thread;
use std::time::Duration;

use futures_executor::block_on as foreign_block_on;
use testkit::panic_of;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::mpsc;
use tokio::task::{block_in_place, spawn_blocking, yield_now};
use tokio::time::sleep;
use tokio_util::io::SyncIoBridge;

use super::{A_WHILE, comes, does_not_come, one_thread};

const PAGE: &str = include_str!("../../../../docs/src/cannot-await.md");

/// A way from blocking code to the answer of a task.
type Means = fn() -> u32;

/// What stands above the columns of the page, and what it does there.
const MEANS: [(&str, Means); 4] = [
    ("`Handle::block_on`", || Handle::current().block_on(answer())),
    ("the same in `block_in_place`", || block_in_place(|| Handle::current().block_on(answer()))),
    ("a loop thread", || LOOP_THREAD.ask()),
    ("a foreign `block_on`", || foreign_block_on(answer())),
];

/// What somebody waits for: a task of the runtime in which this is called.
async fn answer() -> u32 {
    tokio::spawn(async { 42 }).await.unwrap()
}

/// A thread with a loop of its own, for everybody who asks.
struct LoopThread(mpsc::UnboundedSender<Sender<u32>>);

static LOOP_THREAD: LazyLock<LoopThread> = LazyLock::new(|| {
    let (requests, mut inbox) = mpsc::unbounded_channel::<Sender<u32>>();
    thread::spawn(move || {
        Builder::new_current_thread().enable_time().build().unwrap().block_on(async move {
            while let Some(request) = inbox.recv().await {
                // As long as a request takes: no other task of the caller's has a turn.
                sleep(A_WHILE).await;
                let _ = request.send(answer().await);
            }
        })
    });
    LoopThread(requests)
});

impl LoopThread {
    fn ask(&self) -> u32 {
        let (request, answer) = channel();
        self.0.send(request).unwrap();
        answer.recv().unwrap()
    }
}

/// What becomes of a call.
struct Called {
    /// The answer, or what the panic says.
    ended: Receiver<Result<u32, String>>,
    /// Whether another task had its turn before the call had ended.
    turned: Receiver<bool>,
}

/// Calls, in a task that has just spawned another one.
fn in_a_task(means: Means, runtime: Runtime) -> Called {
    let ((end, ended), (turn, turned)) = (channel(), channel());
    thread::spawn(move || {
        let call = async move {
            let (over, is_over) = channel::<()>();
            tokio::spawn(async move {
                let before = is_over.try_recv() == Err(TryRecvError::Empty);
                turn.send(before).unwrap();
            });
            let said = called(means);
            drop(over);
            end.send(said).unwrap();
            // The other one gets its turn now, if it had none before.
            std::future::pending::<()>().await;
        };
        runtime.block_on(async { tokio::spawn(call).await })
    });
    Called { ended, turned }
}

/// Calls, on a thread that drives no task.
fn on_a_thread(means: Means, start: fn(Box<dyn FnOnce() + Send>)) -> Called {
    let ((end, ended), (turn, turned)) = (channel(), channel());
    start(Box::new(move || {
        turn.send(true).unwrap();
        end.send(called(means)).unwrap();
    }));
    Called { ended, turned }
}

fn called(means: Means) -> Result<u32, String> {
    let mut answer = None;
    let call = AssertUnwindSafe(|| answer = Some(means()));
    match catch_unwind(call) {
        Ok(()) => Ok(answer.unwrap()),
        Err(panic) => Err(panic_of(|| resume_unwind(panic))),
    }
}

fn workers() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap()
}

fn one_loop() -> Runtime {
    Builder::new_current_thread().enable_time().build().unwrap()
}

/// Who calls, as the rows of the page have it, and how that is done.
fn call(who: &str, means: Means) -> Called {
    match who {
        "a plain thread" => on_a_thread(means, |call| {
            thread::spawn(|| {
                let runtime = workers();
                let _entered = runtime.enter();
                call();
            });
        }),
        "a job of the pool" => on_a_thread(means, |call| {
            thread::spawn(|| one_loop().block_on(async { spawn_blocking(call).await }));
        }),
        "a task on one thread" => in_a_task(means, one_loop()),
        "a task on many workers" => in_a_task(means, workers()),
        other => panic!("nobody knows how {other} calls"),
    }
}

#[test]
fn each_cell_of_the_table_of_callers_is_what_happens() {
    let rows: Vec<Vec<&str>> = PAGE
        .lines()
        .filter(|line| line.starts_with("| ") && line.matches('|').count() == MEANS.len() + 2)
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    assert_eq!(rows[0][1..], MEANS.map(|(name, _)| name), "the columns");
    assert_eq!(rows.len(), 1 + 4, "the rows");
    let cells = rows[1..].iter().flat_map(|row| {
        let columns = MEANS.into_iter().zip(&row[1..]);
        columns.map(|((name, means), cell)| (row[0], name, means, *cell))
    });
    // All at once: each that hangs is waited for.
    thread::scope(|scope| {
        for (who, name, means, cell) in cells {
            scope.spawn(move || {
                let what = format!("{who}, {name}: {cell}");
                let Called { ended, turned } = call(who, means);
                match cell {
                    "answers" => assert_eq!(comes(&ended, &what), Ok(42), "{what}"),
                    "answers, and blocks" => {
                        assert_eq!(comes(&ended, &what), Ok(42), "{what}");
                        assert!(!comes(&turned, &what), "{what}");
                    }
                    "panics" => {
                        let said = comes(&ended, &what).expect_err(&what);
                        let known =
                            ["Cannot start a runtime from within", "can call blocking only"];
                        assert!(known.iter().any(|it| said.contains(it)), "{what}: {said}");
                    }
                    "hangs" => does_not_come(&ended, &what),
                    _ => panic!("what is this? {what}"),
                }
            });
        }
    });
}

#[test]
fn a_foreign_block_on_in_a_task_hangs_after_128_rounds_and_says_nothing() {
    let (round, rounds) = channel();
    thread::spawn(move || {
        one_loop().block_on(async {
            for number in 0.. {
                foreign_block_on(async { spawn_blocking(|| ()).await.unwrap() });
                round.send(number).unwrap();
            }
        });
    });
    // Each of them takes one of the turn's budget, and nobody ends the turn.
    for number in 0..128 {
        assert_eq!(comes(&rounds, "one of the rounds ends"), number);
    }
    does_not_come(&rounds, "the 129th round ends");
}

#[test]
fn a_foreign_block_on_never_comes_back_from_a_yield_to_the_loop() {
    let (end, ended) = channel();
    thread::spawn(move || {
        one_loop().block_on(async { foreign_block_on(yield_now()) });
        end.send(()).unwrap();
    });
    does_not_come(&ended, "the loop is yielded to, and gives the turn back");
}

#[test]
fn a_future_of_tokio_needs_its_runtime_to_be_entered() {
    let soon = Duration::from_millis(1);
    let said = panic_of(|| foreign_block_on(async { sleep(soon).await }));
    assert!(said.contains("there is no reactor running, must be called from"), "{said}");
    let said = panic_of(Handle::current);
    assert!(said.contains("there is no reactor running, must be called from"), "{said}");

    let runtime = workers();
    let handle = runtime.handle().clone();
    let said = panic_of(|| handle.block_on(sleep(soon)));
    assert!(said.contains("there is no reactor running, must be called from"), "{said}");
    handle.block_on(async { sleep(soon).await });

    let _entered = runtime.enter();
    foreign_block_on(async { sleep(soon).await });
}

// ANCHOR: nobody_drives
/// Waits for a timer and a socket by the handle of a runtime that nobody drives.
fn by_a_handle(runtime: &Runtime) -> [Receiver<()>; 2] {
    let peer = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = peer.local_addr().unwrap();
    let ((timer, fired), (socket, read)) = (channel(), channel());
    let (one, other) = (runtime.handle().clone(), runtime.handle().clone());
    thread::spawn(move || {
        one.block_on(async { sleep(Duration::from_millis(1)).await });
        timer.send(())
    });
    thread::spawn(move || {
        let greeting = async {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.read_u8().await.unwrap();
        };
        other.block_on(greeting);
        socket.send(())
    });
    thread::spawn(move || peer.accept().unwrap().0.write_all(b"!"));
    [fired, read]
}
// ANCHOR_END: nobody_drives

#[test]
fn timers_and_sockets_under_a_handle_stand_still_until_somebody_drives_the_loop() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let [fired, read] = by_a_handle(&runtime);
    does_not_come(&fired, "the timer fires");
    does_not_come(&read, "the socket is served");
    runtime.block_on(async {
        let both = spawn_blocking(move || {
            comes(&fired, "the timer fires once somebody drives the loop");
            comes(&read, "and the socket is served");
        });
        both.await.unwrap();
    });

    // A worker drives them by itself.
    let worker = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    for each in by_a_handle(&worker) {
        comes(&each, "a worker serves it");
    }
}

#[test]
fn between_two_calls_the_tasks_of_a_one_thread_runtime_stand_still_and_a_worker_goes_on() {
    // Each call spawns a task, which has more to do when the call is over.
    let called = |runtime: &Runtime| {
        let (beat, beats) = channel();
        runtime.block_on(async {
            tokio::spawn(async move {
                yield_now().await;
                beat.send(()).unwrap();
            });
        });
        beats
    };
    let one_thread = one_loop();
    let beats = called(&one_thread);
    does_not_come(&beats, "the task goes on between two calls");
    one_thread.block_on(async {
        for _ in 0..10 {
            yield_now().await;
        }
    });
    comes(&beats, "the next call drives the task");

    let worker = workers();
    comes(&called(&worker), "a worker goes on without a call");
}

/// A client with blocking methods, as a library offers it: its runtime is hidden.
struct Client(Option<Runtime>);

impl Client {
    fn get(&self) -> u32 {
        self.0.as_ref().unwrap().block_on(async { 42 })
    }
}

#[test]
fn a_blocking_client_that_hides_a_runtime_panics_in_a_task_and_works_in_a_job() {
    let said = panic_of(|| one_loop().block_on(async { Client(Some(one_loop())).get() }));
    assert!(said.contains("Cannot start a runtime from within a runtime"), "{said}");
    let said = panic_of(|| one_loop().block_on(async { drop(Client(Some(one_loop()))) }));
    assert!(said.contains("Cannot drop a runtime in a context where blocking is not"), "{said}");

    let job = async { spawn_blocking(|| Client(Some(one_loop())).get()).await.unwrap() };
    assert_eq!(one_loop().block_on(job), 42);
}

/// A client that may be dropped anywhere.
struct Courteous(Client);

impl Drop for Courteous {
    fn drop(&mut self) {
        // What its tasks have begun is left where it stands.
        self.0.0.take().unwrap().shutdown_background();
    }
}

#[test]
fn shutdown_background_may_be_dropped_in_async_code() {
    one_loop().block_on(async { drop(Courteous(Client(Some(one_loop())))) });
    // The usual case: a task has the last share, and ends on a worker.
    let shared = Arc::new(Courteous(Client(Some(one_loop()))));
    let task = workers().block_on(async { tokio::spawn(async move { drop(shared) }).await });
    task.unwrap();
}

#[test]
fn a_window_draws_on_while_its_request_is_under_way() {
    let (request, answer) = channel();
    LOOP_THREAD.0.send(request).unwrap();
    let mut frames = 0;
    // What a window does: draw, look whether an answer is there, never wait.
    let answer = loop {
        match answer.try_recv() {
            Ok(answer) => break answer,
            Err(TryRecvError::Empty) => frames += 1,
            Err(TryRecvError::Disconnected) => panic!("the loop thread is gone"),
        }
        thread::yield_now();
    };
    assert_eq!(answer, 42);
    assert!(frames > 0, "the window stood still");
}

#[test]
fn a_bridge_for_read_works_in_a_job_and_panics_in_a_task() {
    fn read(mut reader: impl Read) -> io::Result<String> {
        let mut text = String::new();
        reader.read_to_string(&mut text)?;
        Ok(text)
    }
    let job = async {
        let bridge = SyncIoBridge::new(b"one\n".as_slice());
        spawn_blocking(|| read(bridge)).await.unwrap().unwrap()
    };
    assert_eq!(one_loop().block_on(job), "one\n");
    let task = async { read(SyncIoBridge::new(b"one\n".as_slice())) };
    let said = panic_of(|| one_thread(1).block_on(task));
    assert!(said.contains("Cannot start a runtime from within a runtime"), "{said}");
}
