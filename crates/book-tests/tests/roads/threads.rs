//! Where both roads begin: a thread for each server.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use parking_lot::Mutex;

pub(crate) type Greetings = BTreeMap<SocketAddr, io::Result<String>>;

pub(crate) const TRIES: usize = 3;
pub(crate) const PAUSE: Duration = Duration::from_millis(5);

// ANCHOR: ask_all
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
// ANCHOR_END: ask_all

// ANCHOR: ask
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
// ANCHOR_END: ask

// ANCHOR: greeting
/// Reads the first line that a server says.
pub(crate) fn greeting(server: SocketAddr) -> io::Result<String> {
    let mut line = String::new();
    BufReader::new(TcpStream::connect(server)?).read_line(&mut line)?;
    Ok(line.trim_end().to_owned())
}
// ANCHOR_END: greeting
