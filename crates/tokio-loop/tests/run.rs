//! What `run` gives to `main`: a loop, local tasks, timers, a bounded pool.

use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar};
use std::time::Duration;

use testkit::{BOUND, panic_of};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::Mutex;
use tokio::task::{spawn_blocking, spawn_local};

fn run<T>(blocking_threads: usize, main: impl Future<Output = T>) -> T {
    tokio_loop::run(blocking_threads, None, main).expect("the loop starts").answer
}

/// Who comes waits for others: not for ever, or a pool that is too small would
/// be a test that hangs.
#[derive(Default)]
struct Meeting(std::sync::Mutex<usize>, Condvar);

impl Meeting {
    fn wait_for(&self, others: usize) {
        let mut there = self.0.lock().unwrap();
        *there += 1;
        self.1.notify_all();
        drop(self.1.wait_timeout_while(there, BOUND, |there| *there < others).unwrap());
    }
}

#[test]
fn main_may_borrow_and_return_what_it_likes() {
    let text = String::from("borrowed");
    let answer = run(1, async { text.as_str() });
    assert_eq!(answer, "borrowed");
}

#[test]
fn local_tasks_share_without_locks() {
    let sum = run(1, async {
        let numbers = Rc::new([1, 2, 3]);
        let tasks = [0, 1, 2].map(|i| {
            let numbers = Rc::clone(&numbers);
            spawn_local(async move { numbers[i] })
        });
        let mut sum = 0;
        for task in tasks {
            sum += task.await.expect("the task does not panic");
        }
        sum
    });
    assert_eq!(sum, 6);
}

#[test]
fn a_blocking_thread_can_block_on_the_loop() {
    // The timer fires on the loop and the lock is handed over there, while the
    // bodies run on the pool: what a half-migrated program does all day.
    const TAILS: usize = 8;
    let written = run(TAILS, async {
        let written = Arc::new(Mutex::new(0));
        let everybody = Arc::new(Meeting::default());
        let tails: Vec<_> = (0..TAILS)
            .map(|_| {
                let handle = Handle::current();
                let written = Arc::clone(&written);
                let everybody = Arc::clone(&everybody);
                spawn_blocking(move || {
                    everybody.wait_for(TAILS);
                    handle.block_on(async {
                        let mut written = written.lock().await;
                        let before = *written;
                        tokio::time::sleep(Duration::from_millis(1)).await;
                        *written = before + 1;
                    });
                })
            })
            .collect();
        for tail in tails {
            tail.await.expect("the tail does not panic");
        }
        *written.lock().await
    });
    assert_eq!(written, TAILS);
}

#[test]
fn a_blocking_thread_can_spawn_onto_the_loop() {
    let (loop_thread, task_thread) = run(1, async {
        let handle = Handle::current();
        let task = spawn_blocking(move || handle.spawn(async { std::thread::current().id() }));
        let task = task.await.expect("the job does not panic");
        let task_thread = task.await.expect("the task does not panic");
        (std::thread::current().id(), task_thread)
    });
    assert_eq!(loop_thread, std::thread::current().id());
    assert_eq!(task_thread, loop_thread);
}

/// Runs jobs on a pool, which wait until so many have begun; returns how many
/// were at work at once.
fn most_at_once(blocking_threads: usize, begun: usize) -> usize {
    run(blocking_threads, async {
        let everybody = Arc::new(Meeting::default());
        let running = Arc::new(AtomicUsize::new(0));
        let jobs: Vec<_> = (0..32)
            .map(|_| {
                let (everybody, running) = (Arc::clone(&everybody), Arc::clone(&running));
                spawn_blocking(move || {
                    let now = running.fetch_add(1, Ordering::SeqCst) + 1;
                    everybody.wait_for(begun);
                    std::thread::yield_now();
                    running.fetch_sub(1, Ordering::SeqCst);
                    now
                })
            })
            .collect();
        let mut most = 0;
        for job in jobs {
            most = most.max(job.await.expect("the job does not panic"));
        }
        most
    })
}

#[test]
fn the_pool_has_as_many_threads_as_were_asked_for() {
    assert_eq!(most_at_once(4, 4), 4);
}

#[test]
fn zero_blocking_threads_count_as_one() {
    assert_eq!(most_at_once(0, 1), 1);
}

#[test]
fn run_returns_after_the_blocking_jobs_that_have_started() {
    let done = Arc::new(AtomicBool::new(false));
    run(1, async {
        let done = Arc::clone(&done);
        let (started, has_started) = tokio::sync::oneshot::channel();
        drop(spawn_blocking(move || {
            started.send(()).expect("main waits for it");
            std::thread::sleep(Duration::from_millis(50));
            done.store(true, Ordering::SeqCst);
        }));
        has_started.await.expect("the job starts");
    });
    assert!(done.load(Ordering::SeqCst));
}

#[test]
fn tasks_that_are_not_done_are_dropped() {
    let held = Rc::new(());
    run(1, async {
        let held = Rc::clone(&held);
        spawn_local(async move {
            std::future::pending::<()>().await;
            drop(held);
        });
        tokio::task::yield_now().await;
    });
    assert_eq!(Rc::strong_count(&held), 1);
}

#[test]
fn a_panic_of_main_comes_out() {
    let said = panic_of(|| run(1, async { panic!("main gave up") }));
    assert_eq!(said, "main gave up");
}

#[test]
fn a_loop_inside_a_loop_is_refused() {
    let said = panic_of(|| run(1, async { run(1, async {}) }));
    assert!(said.contains("Cannot start a runtime from within a runtime"), "{said}");
}

#[test]
fn a_loop_with_io_has_sockets() {
    let ran = tokio_loop::Loop::new().enable_io().run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connect = spawn_local(async move { TcpStream::connect(address).await.unwrap() });
        let (_, peer) = listener.accept().await.unwrap();
        connect.await.unwrap().local_addr().unwrap() == peer
    });
    assert!(ran.unwrap().answer);
}

#[test]
fn a_loop_without_io_has_none() {
    let said = panic_of(|| run(1, async { TcpListener::bind("127.0.0.1:0").await.is_ok() }));
    assert!(said.contains("enable_io"), "{said}");
}
