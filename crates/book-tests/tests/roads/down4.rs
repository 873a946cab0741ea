//! Top-down, step 4, half-way: the bridge has moved down by one level.

use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;

use tokio::task::{spawn_blocking, spawn_local};
use tokio::time::sleep;

use super::threads::{Greetings, PAUSE, TRIES, greeting};

/// Asks every server for its greeting, all at once.
pub(crate) async fn ask_all(servers: &[SocketAddr]) -> Greetings {
    let greetings = Rc::new(RefCell::new(Greetings::new()));
    let mut tasks = Vec::new();
    for &server in servers {
        let greetings = Rc::clone(&greetings);
        tasks.push(spawn_local(async move {
            let greeting = ask(server).await;
            greetings.borrow_mut().insert(server, greeting);
        }));
    }
    for task in tasks {
        task.await.expect("asking does not panic");
    }
    greetings.take()
}

// ANCHOR: ask
/// Asks one server, and again if that fails.
async fn ask(server: SocketAddr) -> io::Result<String> {
    // Bridge: this task waits for blocking code.
    let in_the_pool = async || spawn_blocking(move || greeting(server)).await?;
    for _ in 1..TRIES {
        if let Ok(greeting) = in_the_pool().await {
            return Ok(greeting);
        }
        sleep(PAUSE).await;
    }
    in_the_pool().await
}
// ANCHOR_END: ask
