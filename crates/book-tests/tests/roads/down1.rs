//! Top-down, step 1: the top is async. Nothing else is, so it blocks.

use std::io;
use std::net::SocketAddr;
use std::thread;

use parking_lot::Mutex;

use super::threads::{Greetings, PAUSE, TRIES, greeting};

// ANCHOR: ask_all
/// Asks every server for its greeting, all at once.
pub(crate) async fn ask_all(servers: &[SocketAddr]) -> Greetings {
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
// ANCHOR_END: ask_all

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
