//! A wrong turn: a bounded channel between a loop and its writer thread, so
//! that memory stays bounded while the disk is slow.

use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::thread;
use std::time::Duration;

use tokio::task::spawn_local;
use tokio::time::sleep;

#[expect(clippy::print_stdout, reason = "an example speaks")]
async fn tail(requests: crossbeam_channel::Sender<&str>, beats: Rc<Cell<u32>>) {
    sleep(Duration::from_millis(20)).await;
    println!("the heart has begun to beat: {}", beats.get() > 0);
    for line in ["one\n", "two\n", "three\n"] {
        let before = beats.get();
        requests.send(line).expect("the writer is there");
        println!("{:7} beats of the heart during the send: {}", line.trim(), beats.get() - before);
    }
}

fn main() -> io::Result<()> {
    let (requests, inbox) = crossbeam_channel::bounded(1);
    let writer = thread::spawn(move || {
        for _line in inbox {
            // A disk that is slow.
            thread::sleep(Duration::from_millis(500));
        }
    });
    let main = async {
        let beats = Rc::new(Cell::new(0));
        let counts = Rc::clone(&beats);
        spawn_local(async move {
            loop {
                sleep(Duration::from_millis(5)).await;
                counts.set(counts.get() + 1);
            }
        });
        tail(requests, beats).await;
    };
    event_loop::run(1, None, main)?;
    writer.join().expect("the writer does not panic");
    Ok(())
}
