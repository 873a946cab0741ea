//! A program with a handler that blocks its worker, and the line in `main` that
//! tells of it.
//!
//! ```sh
//! cargo run -p tokio-loop --example slow_handler
//! ```

use std::io;
use std::thread;
use std::time::Duration;

use tracing_subscriber::prelude::*;

#[tokio::main]
async fn main() -> io::Result<()> {
    tracing_subscriber::registry()
        .with(tracing_subscriber::fmt::layer())
        .with(tokio_loop::names())
        .init();
    tokio_loop::watched(tokio_loop::SLOW, serve()).await
}

pub(crate) async fn serve() {
    let request = tokio::spawn(answer("a.example"));
    request.await.expect("it does not panic");
}

#[tracing::instrument]
async fn answer(peer: &str) {
    // It should be `tokio::time::sleep(…).await`.
    thread::sleep(Duration::from_millis(300));
}
