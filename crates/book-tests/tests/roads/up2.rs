//! Bottom-up, steps 1 and 2: the leaf has an async twin, and its old name runs
//! the twin.

use std::io;
use std::net::SocketAddr;
use std::thread;

use parking_lot::Mutex;
use tokio::runtime::Builder;

use super::tasks::greeting as greeting_async;
use super::threads::{Greetings, PAUSE, TRIES};

/// Asks every server for its greeting, all at once.
pub(crate) fn ask_all(servers: &[SocketAddr]) -> Greetings {
    let greetings = Mutex::new(Greetings::new());
    thread::scope(|scope| {
        for &server in servers {
            let greetings = &greetings;
            scope.spawn(move || {
                let greeting = ask(server);
                greetings.lock().insert(server, greeting);
            });
        }
    });
    greetings.into_inner()
}

/// Asks one server, and again if that fails.
fn ask(server: SocketAddr) -> io::Result<String> {
    for _ in 1..TRIES {
        if let Ok(greeting) = greeting(server) {
            return Ok(greeting);
        }
        thread::sleep(PAUSE);
    }
    greeting(server)
}

// ANCHOR: greeting
/// Reads the first line that a server says: the wrapper of `greeting_async`.
fn greeting(server: SocketAddr) -> io::Result<String> {
    let runtime = Builder::new_current_thread().enable_io().build()?;
    // Bridge: this thread waits for async code.
    runtime.block_on(greeting_async(server))
}
// ANCHOR_END: greeting
