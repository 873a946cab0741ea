//! A channel from tasks to a thread that writes: what bounds a queue that has no bound.

use std::rc::Rc;
use std::thread;

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use tokio::sync::oneshot;
use tokio::task::{spawn_local, yield_now};

use super::one_thread;

/// A request to write, and where the answer goes.
type Request = (u32, oneshot::Sender<()>);

const TASKS: usize = 8;
const LINES: usize = 100;

/// Starts a writer, which begins when it is told to; it returns the longest
/// queue that it has seen, with the request that it has in hand.
fn writer(begin: Receiver<()>, inbox: Receiver<Request>) -> thread::JoinHandle<usize> {
    thread::spawn(move || {
        begin.recv().unwrap();
        let mut longest = 0;
        loop {
            let queue = inbox.len();
            let Ok((_, answer)) = inbox.recv() else { return longest };
            longest = longest.max(queue);
            let _ = answer.send(());
        }
    })
}

/// Has eight tasks send a hundred lines each; each awaits the answers if it is
/// told to. The writer begins once all of them have done what they can do
/// without it. Returns the longest queue.
fn longest_queue(awaits: bool) -> usize {
    let (begin, gate) = bounded(1);
    let (requests, inbox) = unbounded();
    let writer = writer(gate, inbox);
    one_thread(1).block_on(async {
        let requests: Rc<Sender<Request>> = Rc::new(requests);
        let task = |_| {
            let requests = Rc::clone(&requests);
            spawn_local(async move {
                for line in 0..LINES {
                    let (answer, written) = oneshot::channel();
                    requests.send((line as u32, answer)).unwrap();
                    if awaits {
                        written.await.unwrap();
                    } else {
                        yield_now().await;
                    }
                }
            })
        };
        let tasks: Vec<_> = (0..TASKS).map(task).collect();
        let begins = spawn_local(async move {
            // Its first turn comes after the first of each of the eight.
            for _ in 0..if awaits { 0 } else { LINES } {
                yield_now().await;
            }
            begin.send(()).unwrap();
        });
        for task in tasks {
            task.await.unwrap();
        }
        begins.await.unwrap();
    });
    writer.join().unwrap()
}

#[test]
fn an_awaited_answer_bounds_the_queue_by_the_number_of_tasks() {
    // The writer begins when each task has sent what it may.
    assert_eq!(longest_queue(true), TASKS);
}

#[test]
fn without_an_awaited_answer_the_queue_holds_all_that_the_writer_has_not_done() {
    // The writer is as slow as a writer can be: it begins when all is sent.
    assert_eq!(longest_queue(false), TASKS * LINES);
}

#[test]
fn a_writer_that_dies_is_an_error_of_the_answer_and_then_of_the_send() {
    let (requests, inbox) = unbounded::<Request>();
    let writer = thread::spawn(move || {
        let (_line, _answer) = inbox.recv().unwrap();
        // Both are dropped here, as a panic would drop them.
    });
    one_thread(1).block_on(async {
        let (answer, written) = oneshot::channel();
        requests.send((1, answer)).unwrap();
        assert!(written.await.is_err(), "an answer without a word of the cause");
    });
    writer.join().unwrap();
    let (answer, _written) = oneshot::channel();
    assert!(requests.send((2, answer)).is_err());
}
