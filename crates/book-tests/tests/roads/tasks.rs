//! Where both roads end: a task for each server, no thread, no lock, no bridge.

use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::task::spawn_local;
use tokio::time::sleep;

use super::threads::{Greetings, PAUSE, TRIES};

// ANCHOR: ask_all
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
// ANCHOR_END: ask_all

// ANCHOR: ask
/// Asks one server, and again if that fails.
pub(crate) async fn ask(server: SocketAddr) -> io::Result<String> {
    for _ in 1..TRIES {
        if let Ok(greeting) = greeting(server).await {
            return Ok(greeting);
        }
        sleep(PAUSE).await;
    }
    greeting(server).await
}
// ANCHOR_END: ask

// ANCHOR: greeting
/// Reads the first line that a server says.
pub(crate) async fn greeting(server: SocketAddr) -> io::Result<String> {
    let mut line = String::new();
    BufReader::new(TcpStream::connect(server).await?).read_line(&mut line).await?;
    Ok(line.trim_end().to_owned())
}
// ANCHOR_END: greeting
