//! A guard that is held over an `.await` belongs to one thread, and the task
//! may wake up on another. A `drop(waiting)` before the `.await` is not enough
//! for the compiler; a guard that never gets a name is.

use std::mem;
use std::sync::{Arc, Mutex};

use tributary::Lines;

async fn start(queue: Arc<Mutex<Vec<Lines>>>) {
    let tail = async move {
        let mut waiting = queue.lock().unwrap();
        // accepted: let mut waiting = mem::take(&mut *queue.lock().unwrap());
        let lines = waiting.pop();
        drop(waiting);
        write(lines).await;
    };
    tokio::spawn(tail); // refused: future cannot be sent between threads safely
}

async fn write(lines: Option<Lines>) {
    drop(lines);
}

fn main() {
    let _ = (start, mem::take::<u8>);
}
