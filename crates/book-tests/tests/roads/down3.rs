//! Top-down, steps 2 and 3: what blocks goes to the pool, and what is shared
//! may be shared.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;

use parking_lot::Mutex;
use tokio::task::spawn_blocking;

use super::threads::{Greetings, PAUSE, TRIES, greeting};

// ANCHOR: ask_all
/// Asks every server for its greeting, all at once.
pub(crate) async fn ask_all(servers: &[SocketAddr]) -> Greetings {
    let greetings = Arc::new(Mutex::new(Greetings::new()));
    let mut jobs = Vec::new();
    for &server in servers {
        let greetings = Arc::clone(&greetings);
        // Bridge: async code starts blocking code, and awaits its end.
        jobs.push(spawn_blocking(move || {
            let greeting = ask(server);
            greetings.lock().insert(server, greeting);
        }));
    }
    for job in jobs {
        job.await.expect("asking does not panic");
    }
    std::mem::take(&mut greetings.lock())
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
