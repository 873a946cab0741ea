//! A blocking job runs on another thread, and an `Rc` must not go there.

use std::rc::Rc;
use std::sync::Arc;

use tokio::task::spawn_blocking;

async fn start() {
    let writer = Rc::new(String::from("shared by all tails"));
    // accepted: let writer = Arc::new(String::from("shared by all tails"));
    let tail = move || writer.len();
    spawn_blocking(tail).await.unwrap(); // refused: E0277
}

fn main() {
    let _ = (start(), Rc::new(()), Arc::new(()));
}
