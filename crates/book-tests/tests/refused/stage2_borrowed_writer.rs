//! A blocking job may outlive the async function that started it: there is no
//! scope as there is for threads.

use std::sync::Arc;

use tokio::task::spawn_blocking;

async fn start() {
    let writer = Arc::new(String::from("shared by all tails"));
    let tail = || writer.len(); // refused: E0373
    // accepted: let tail = move || writer.len();
    spawn_blocking(tail).await.unwrap();
}

fn main() {
    let _ = start();
}
