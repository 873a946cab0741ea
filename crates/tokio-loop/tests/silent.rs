//! What must not be told: a runtime that is at work, and blocked by nobody.
#![cfg(target_os = "linux")]

#[expect(dead_code, reason = "the tests of the debug mode use it all")]
mod told;

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::task::{JoinSet, spawn_blocking, yield_now};
use tracing::dispatcher::{self, Dispatch};
use tracing_subscriber::layer::SubscriberExt;

use told::{HANG, Told};

const SLOW: Duration = tokio_loop::SLOW;

/// A batch of turns that nobody tells apart is told after ten times the time. Where it is
/// known that the turns are short, they would be told that are not seen to end.
const SHORT: Duration = Duration::from_millis(20);

/// How long each of them is at work: twice as long as a batch may take, or longer.
const WORK: Duration = Duration::from_secs(2);
const SHORT_WORK: Duration = Duration::from_secs(1);
const _: () = assert!(WORK.as_millis() >= 20 * SLOW.as_millis());
const _: () = assert!(SHORT_WORK.as_millis() >= 20 * SHORT.as_millis());

/// Two are at work at a time. With more beside it, many short turns would take long, and
/// that is told.
static PLACES: [Mutex<()>; 2] = [Mutex::new(()), Mutex::new(())];
static NEXT: AtomicUsize = AtomicUsize::new(0);

/// The longest time that the machine has kept a thread waiting which did nothing
/// but rest and compute.
struct Control {
    ended: Arc<AtomicBool>,
    thread: thread::JoinHandle<Duration>,
}

impl Control {
    fn start() -> Control {
        let ended = Arc::new(AtomicBool::new(false));
        let is_ended = Arc::clone(&ended);
        let thread = thread::spawn(move || {
            let (rest, work) = (Duration::from_millis(4), Duration::from_millis(1));
            let mut worst = Duration::ZERO;
            while !is_ended.load(Ordering::Relaxed) {
                let begin = Instant::now();
                thread::sleep(rest);
                let computes = Instant::now();
                while computes.elapsed() < work {}
                worst = worst.max(begin.elapsed().saturating_sub(rest + work));
            }
            worst
        });
        Control { ended, thread }
    }

    fn end(self) -> Duration {
        self.ended.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

fn many(workers: usize) -> Runtime {
    Builder::new_multi_thread().worker_threads(workers).enable_all().build().unwrap()
}

fn one() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// Asserts that nothing is said of `work`. A run is thrown away, and another one
/// is made, only if the machine has kept the control waiting.
#[track_caller]
fn assert_silent<F: Future<Output = ()>>(
    slow: Duration,
    runtimes: impl IntoIterator<Item = Runtime>,
    work: impl Fn() -> F,
) {
    for runtime in runtimes {
        let place = &PLACES[NEXT.fetch_add(1, Ordering::Relaxed) % PLACES.len()];
        let _place = place.lock().unwrap_or_else(PoisonError::into_inner);
        let begin = Instant::now();
        loop {
            let told = Told::default();
            let control = Control::start();
            let subscriber =
                tracing_subscriber::registry().with(told.clone()).with(tokio_loop::names());
            dispatcher::with_default(&Dispatch::new(subscriber), || {
                runtime.block_on(tokio_loop::watched(slow, work())).unwrap();
            });
            let (worst, lines) = (control.end(), told.lines());
            if lines.is_empty() {
                break;
            }
            let is_quiet = worst < slow / 2;
            assert!(!is_quiet, "said of {runtime:?}: {lines:#?}; control: {worst:?}");
            assert!(begin.elapsed() < HANG, "the machine was never quiet: {worst:?}");
        }
    }
}

#[test]
fn a_server_at_full_load() {
    assert_silent(SHORT, [many(4), many(2), one()], async || {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                tokio::spawn(async move {
                    let mut byte = [0];
                    while stream.read_exact(&mut byte).await.is_ok() {
                        stream.write_all(&byte).await.unwrap();
                    }
                });
            }
        });
        let begin = Instant::now();
        let clients: JoinSet<()> = (0..32)
            .map(|_| async move {
                let mut stream = TcpStream::connect(address).await.unwrap();
                while begin.elapsed() < SHORT_WORK {
                    stream.write_all(b"x").await.unwrap();
                    stream.read_exact(&mut [0]).await.unwrap();
                }
            })
            .collect();
        clients.join_all().await;
        server.abort();
    });
}

#[test]
fn tasks_that_yield_without_a_pause() {
    assert_silent(SHORT, [many(4), one()], async || {
        let begin = Instant::now();
        let tasks: JoinSet<()> = (0..64)
            .map(|_| async move {
                while begin.elapsed() < SHORT_WORK {
                    yield_now().await;
                }
            })
            .collect();
        tasks.join_all().await;
    });
}

#[test]
fn blocking_threads_that_sleep() {
    assert_silent(SLOW, [many(4), one()], async || {
        let jobs: Vec<_> = (0..8).map(|_| spawn_blocking(|| thread::sleep(WORK))).collect();
        for job in jobs {
            job.await.unwrap();
        }
    });
}

/// A turn of five milliseconds on a processor, sixty of which are a long time.
fn computes() {
    let used = || Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap();
    let begin = used();
    while used() < begin + TURN {
        std::hint::spin_loop();
    }
}

fn sleeps() {
    thread::sleep(TURN);
}

const TURN: Duration = Duration::from_millis(5);

/// Has so many tasks take turn after turn.
async fn streak(tasks: usize, turn: fn()) {
    let begin = Instant::now();
    let tasks: JoinSet<()> = (0..tasks)
        .map(|_| async move {
            while begin.elapsed() < WORK {
                turn();
                yield_now().await;
            }
        })
        .collect();
    tasks.join_all().await;
}

/// The same by tasks that do not go to the end of their turns.
async fn streak_of_tasks_that_wake_themselves(tasks: usize, turn: fn()) {
    let begin = Instant::now();
    let tasks: JoinSet<()> = (0..tasks)
        .map(|_| {
            poll_fn(move |context| {
                turn();
                if begin.elapsed() > WORK {
                    return Poll::Ready(());
                }
                context.waker().wake_by_ref();
                Poll::Pending
            })
        })
        .collect();
    tasks.join_all().await;
}

#[test]
fn long_streaks_of_short_turns_without_a_name() {
    assert_silent(SLOW, [many(2), many(4), many(8), one()], || streak(8, computes));
}

#[test]
fn long_streaks_of_more_tasks_than_a_worker_has_turns_in_a_batch() {
    assert_silent(SLOW, [many(2), many(4), many(8), one()], || streak(200, computes));
}

#[test]
fn short_turns_of_one_task_without_a_name_while_others_rest() {
    assert_silent(SLOW, [many(4), many(8)], || streak(1, computes));
    assert_silent(SLOW, [many(4)], || streak_of_tasks_that_wake_themselves(1, computes));
    assert_silent(SLOW, [many(4)], || streak_of_tasks_that_wake_themselves(2, computes));
}

#[test]
fn long_streaks_of_turns_that_block_for_a_short_time() {
    assert_silent(SLOW, [many(4), one()], || streak(8, sleeps));
    assert_silent(SLOW, [many(4)], || streak(2, sleeps));
}

#[test]
fn long_streaks_of_short_turns_of_tasks_that_say_their_number() {
    assert_silent(SHORT, [many(2), one()], async || {
        let begin = Instant::now();
        let tasks: Vec<_> = (0..64)
            .map(|_| {
                tokio_loop::spawn(async move {
                    while begin.elapsed() < SHORT_WORK {
                        computes();
                        yield_now().await;
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
}

#[test]
fn long_streaks_of_short_turns_where_the_runtime_is_hooked_into() {
    let built = |mut builder: Builder| {
        tokio_loop::hook_into(&mut builder).worker_threads(2).enable_all().build().unwrap()
    };
    let runtimes = [Builder::new_multi_thread(), Builder::new_current_thread()].map(built);
    assert_silent(SHORT, runtimes, || streak(64, computes));
}
