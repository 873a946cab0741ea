//! Half-way down: `accept` is async, each client is a job of the pool, and the job
//! waits for async code.
//!
//! The job lasts as long as its client stays, so the size of the pool bounds the number
//! of clients. A client beyond that waits in silence.

use std::io::Result;
use std::net::{SocketAddr, TcpListener};
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Handle};
use tokio::select;
use tokio::task::JoinSet;
use tracing::debug;

use crate::{Served, Statistics, Stop};

/// How many jobs the pool runs at once. Any number is wrong: nobody knows how many
/// clients will come.
const POOL: usize = 4;

// ANCHOR: serve
/// Serves with a job of the pool for each client, until the stop is requested.
pub fn serve(listener: TcpListener, statistics: Statistics, stop: Stop) -> Result<Served> {
    let mut builder = Builder::new_current_thread();
    let runtime = builder.enable_all().max_blocking_threads(POOL).build()?;
    runtime.block_on(serve_async(listener, statistics, stop))
}
// ANCHOR_END: serve

// ANCHOR: serve_async
async fn serve_async(listener: TcpListener, statistics: Statistics, stop: Stop) -> Result<Served> {
    // With a blocking socket tokio panics; in a release build, its loop blocks instead.
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let statistics = Arc::new(Mutex::new(statistics));
    let mut clients = JoinSet::new();

    let accepted = loop {
        select! {
            accepted = listener.accept() => match accepted {
                Ok((socket, peer)) => {
                    let (statistics, stop) = (Arc::clone(&statistics), stop.clone());
                    // Bridge: async code starts blocking code, and awaits its end below.
                    clients.spawn_blocking(move || client(socket, peer, &statistics, &stop));
                }
                Err(error) => break Err(error),
            },
            // Reaped as they leave: the set keeps each ended client until somebody
            // asks.
            Some(ended) = clients.join_next() => {
                ended.unwrap_or_else(|failed| resume_unwind(failed.into_panic()));
            }
            () = stop.requested() => break Ok(()),
        }
    };
    // A listener that has failed ends the service for all.
    stop.request();
    clients.join_all().await;

    let statistics = Arc::into_inner(statistics).expect("each client has dropped its share");
    let mut statistics = statistics.into_inner().expect("no client has panicked");
    accepted.and(statistics.finish())
}
// ANCHOR_END: serve_async

// ANCHOR: client
/// Serves one client, and notes it when it has left.
fn client(socket: TcpStream, peer: SocketAddr, statistics: &Mutex<Statistics>, stop: &Stop) {
    let mut lines = 0;
    // A client that vanishes is no error of the service.
    //
    // Bridge: this thread of the pool waits for async code. It runs that code itself;
    // the loop's thread only tells it when the socket has something.
    let ended = Handle::current().block_on(answer(socket, stop, &mut lines));
    debug!(%peer, ?ended, "a client has left");
    statistics.lock().expect("no client panics").note(peer, lines);
}
// ANCHOR_END: client

// ANCHOR: answer
/// Answers each line with its number until the client leaves, or the stop is
/// requested. The count is the caller's, so it stays whatever happens.
async fn answer(mut socket: TcpStream, stop: &Stop, lines: &mut u64) -> Result<()> {
    let (reader, mut writer) = socket.split();
    let (mut reader, mut line) = (BufReader::new(reader), Vec::new());
    let answers = async {
        while reader.read_until(b'\n', &mut line).await? > 0 && line.ends_with(b"\n") {
            *lines += 1;
            writer.write_all(format!("{lines}\n").as_bytes()).await?;
            line.clear();
        }
        Ok(())
    };
    // Two waits at once. The one that loses is dropped, wherever it stands: nothing
    // that anybody needs is in it.
    select! {
        ended = answers => ended,
        () = stop.requested() => Ok(()),
    }
}
// ANCHOR_END: answer
