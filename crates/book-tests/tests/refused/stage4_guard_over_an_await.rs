//! A guard that is held over an `.await` belongs to one thread, and the task
//! may wake up on another. A `drop(guard)` before the `.await` is not enough
//! for the compiler; a guard that ends with its block is.

use std::sync::{Arc, Mutex};

use tributary::Output;

async fn start(output: Arc<Mutex<Output>>) {
    let tail = async move {
        let mut guard = output.lock().unwrap();
        // accepted: let written = { let mut guard = output.lock().unwrap();
        let written = guard.finish();
        // accepted: guard.finish()
        drop(guard);
        // accepted: };
        tokio::task::yield_now().await;
        drop(written);
    };
    tokio::spawn(tail); // refused: future cannot be sent between threads safely
}

fn main() {
    let _ = start;
}
