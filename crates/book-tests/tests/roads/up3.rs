//! Bottom-up, step 3: the wrapper has moved up by one level.

use std::io;
use std::net::SocketAddr;
use std::thread;

use parking_lot::Mutex;
use tokio::runtime::Builder;

use super::tasks::ask as ask_async;
use super::threads::Greetings;

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

// ANCHOR: ask
/// Asks one server, and again if that fails: the wrapper of `ask_async`.
fn ask(server: SocketAddr) -> io::Result<String> {
    let runtime = Builder::new_current_thread().enable_io().enable_time().build()?;
    // Bridge: this thread waits for async code.
    runtime.block_on(ask_async(server))
}
// ANCHOR_END: ask
