//! A wrong turn: a bounded channel between a loop and its writer thread, so
//! that memory stays bounded while the disk is slow.

use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use tokio::sync::oneshot;
use tokio::task::spawn_local;
use tokio::time::sleep;

/// A line, and where the answer goes.
type Request = (&'static str, oneshot::Sender<()>);

const LINES: [&str; 4] = ["one\n", "two\n", "three\n", "four\n"];

// ANCHOR: wrong
/// Sends each line, and waits in `send` while the channel is full.
async fn tail_that_sends(requests: &Sender<Request>) {
    for line in LINES {
        let (answer, _) = oneshot::channel();
        requests.send((line, answer)).expect("the writer is there");
    }
}
// ANCHOR_END: wrong

// ANCHOR: right
/// Sends a line, and awaits its answer before the next.
async fn tail_that_awaits(requests: &Sender<Request>) {
    for line in LINES {
        let (answer, written) = oneshot::channel();
        requests.send((line, answer)).expect("the writer is there");
        written.await.expect("the writer answers");
    }
}
// ANCHOR_END: right

// ANCHOR: heart
/// Writes to a disk that is slow.
fn write(inbox: Receiver<Request>) {
    for (_line, answer) in inbox {
        thread::sleep(Duration::from_millis(200));
        let _ = answer.send(());
    }
}

/// Runs a tail beside a heart that beats every 5 ms, and counts the beats.
fn beats_during(tail: impl AsyncFnOnce()) -> io::Result<u32> {
    let main = async {
        let beats = Rc::new(Cell::new(0));
        let counts = Rc::clone(&beats);
        spawn_local(async move {
            loop {
                sleep(Duration::from_millis(5)).await;
                counts.set(counts.get() + 1);
            }
        });
        tail().await;
        beats.get()
    };
    Ok(tokio_loop::run(1, None, main)?.answer)
}
// ANCHOR_END: heart

#[expect(clippy::print_stdout, reason = "an example speaks")]
fn main() -> io::Result<()> {
    let (requests, inbox) = bounded(1);
    thread::spawn(|| write(inbox));
    let begin = Instant::now();
    let beats = beats_during(async || tail_that_sends(&requests).await)?;
    assert!(begin.elapsed() > Duration::from_millis(300));
    println!("a full channel of one: {beats} beats of the heart, in a time that is enough for 50");

    let (requests, inbox) = unbounded();
    thread::spawn(|| write(inbox));
    let beats = beats_during(async || tail_that_awaits(&requests).await)?;
    assert!(beats > 20);
    println!("awaited answers: more than 20 beats of the heart");
    Ok(())
}
