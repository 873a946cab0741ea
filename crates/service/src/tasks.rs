//! Tasks: one loop, a task for each client. Here both roads meet.
//!
//! No pool, no thread for a client, no lock. The flaw is the last line of `client`: a
//! call that blocked one client's thread now blocks all clients.

use std::cell::RefCell;
use std::io::Result;
use std::net::{SocketAddr, TcpListener};
use std::panic::resume_unwind;
use std::rc::Rc;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, LocalOptions};
use tokio::select;
use tokio::task::JoinSet;
use tokio_loop::SLOW;
use tracing::debug;

use crate::{Served, Statistics, Stop};

// ANCHOR: serve
/// Serves with a task for each client, until the stop is requested.
pub fn serve(listener: TcpListener, statistics: Statistics, stop: Stop) -> Result<Served> {
    let mut builder = Builder::new_current_thread();
    let runtime = builder.enable_all().build_local(LocalOptions::default())?;
    runtime.block_on(tokio_loop::watched(SLOW, serve_async(listener, statistics, stop)))?
}
// ANCHOR_END: serve

// ANCHOR: serve_async
async fn serve_async(listener: TcpListener, statistics: Statistics, stop: Stop) -> Result<Served> {
    // With a blocking socket tokio panics; in a release build, its loop blocks instead.
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let statistics = Rc::new(RefCell::new(statistics));
    let mut clients = JoinSet::new();

    let accepted = loop {
        select! {
            accepted = listener.accept() => match accepted {
                Ok((socket, peer)) => {
                    let (statistics, stop) = (Rc::clone(&statistics), stop.clone());
                    clients.spawn_local(client(socket, peer, statistics, stop));
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

    let statistics = Rc::into_inner(statistics).expect("each client has dropped its share");
    let mut statistics = statistics.into_inner();
    accepted.and(statistics.finish())
}
// ANCHOR_END: serve_async

// ANCHOR: client
/// Serves one client, and notes it when it has left.
async fn client(
    socket: TcpStream,
    peer: SocketAddr,
    statistics: Rc<RefCell<Statistics>>,
    stop: Stop,
) {
    let mut lines = 0;
    // A client that vanishes is no error of the service.
    let ended = answer(socket, &stop, &mut lines).await;
    debug!(%peer, ?ended, "a client has left");
    // On the loop's thread: while the disk is slow, no client is served.
    statistics.borrow_mut().note(peer, lines);
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
