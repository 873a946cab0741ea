//! Half-way up: the leaf is async, and its wrapper builds a runtime for each client.
//!
//! `serve` and `client` are those of the threads, to the letter. The leaf has won
//! something: it waits for the socket and for the stop at once.

use std::io::Result;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Mutex;
use std::thread;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::runtime::Builder;
use tokio::select;
use tracing::debug;

use crate::{Served, Statistics, Stop};

// ANCHOR: serve
/// Serves with a thread for each client, until the stop is requested.
pub fn serve(listener: TcpListener, statistics: Statistics, stop: Stop) -> Result<Served> {
    let statistics = Mutex::new(statistics);
    let _woken = stop.wakes(&listener)?;

    // The end of the scope waits for every client.
    let accepted = thread::scope(|clients| {
        let accepted = loop {
            match listener.accept() {
                // Perhaps the stop itself has connected.
                Ok(_) if stop.is_requested() => break Ok(()),
                Ok((socket, peer)) => {
                    let (statistics, stop) = (&statistics, &stop);
                    clients.spawn(move || client(socket, peer, statistics, stop));
                }
                Err(error) => break Err(error),
            }
        };
        // A listener that has failed ends the service for all.
        stop.request();
        accepted
    });

    let mut statistics = statistics.into_inner().expect("the scope would have panicked");
    accepted.and(statistics.finish())
}
// ANCHOR_END: serve

// ANCHOR: client
/// Serves one client, and notes it when it has left.
fn client(socket: TcpStream, peer: SocketAddr, statistics: &Mutex<Statistics>, stop: &Stop) {
    let mut lines = 0;
    // A client that vanishes is no error of the service.
    let ended = answer(socket, stop, &mut lines);
    debug!(%peer, ?ended, "a client has left");
    statistics.lock().expect("no client panics").note(peer, lines);
}
// ANCHOR_END: client

// ANCHOR: answer
/// Answers each line with its number until the client leaves, or the stop is
/// requested. The count is the caller's, so it stays whatever happens.
fn answer(socket: TcpStream, stop: &Stop, lines: &mut u64) -> Result<()> {
    // Bridge: this thread waits for async code, on a loop of its own. A call that
    // blocks this loop blocks one client only.
    let runtime = Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(answer_async(socket, stop, lines))
}
// ANCHOR_END: answer

// ANCHOR: answer_async
async fn answer_async(socket: TcpStream, stop: &Stop, lines: &mut u64) -> Result<()> {
    // With a blocking socket tokio panics; in a release build, its loop blocks instead.
    // tokio also panics outside of a runtime, so this is inside `block_on`.
    socket.set_nonblocking(true)?;
    let mut socket = tokio::net::TcpStream::from_std(socket)?;
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
// ANCHOR_END: answer_async
