//! A wrong turn: a runtime lies in a field, and what has the field is dropped in async
//! code.

use std::io;
use std::sync::Arc;

use tokio::runtime::{Builder, Runtime};
use tokio::task::spawn_blocking;

/// A client that blocks, for callers that are not async.
struct Client {
    runtime: Runtime,
}

impl Client {
    fn new() -> io::Result<Client> {
        let runtime = Builder::new_current_thread().build()?;
        Ok(Client { runtime })
    }

    fn send(&self, line: &str) -> usize {
        self.runtime.block_on(async { line.len() })
    }
}

/// A caller that has become async, and knows that it must not block.
#[expect(clippy::print_stdout, reason = "an example speaks")]
async fn serve() -> io::Result<()> {
    let client = Arc::new(Client::new()?);
    for line in ["one\n", "three\n"] {
        let client = Arc::clone(&client);
        let sent = spawn_blocking(move || client.send(line)).await?;
        println!("{sent} bytes were sent");
    }
    Ok(())
}

pub(crate) fn main() -> io::Result<()> {
    tokio_loop::run(1, None, serve())?.answer
}
