//! Fully async: many workers, a limit that is told, and a thread that owns the
//! statistics.
//!
//! A task may change its thread at each `.await`, so its values there are `Send`.

use std::io::Result;
use std::net::{SocketAddr, TcpListener};
use std::panic::resume_unwind;
use std::sync::{Arc, mpsc};
use std::thread;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::select;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{JoinSet, spawn_blocking};
use tokio_loop::SLOW;
use tracing::debug;

use crate::{Served, Statistics, Stop};

/// How many clients are served at once. A client beyond that is told `busy`.
const PLACES: usize = 100;

/// A note about a client for the statistics. The client's place is free once the note
/// is written: so while the disk is slow, at most [`PLACES`] notes wait.
type Note = (SocketAddr, u64, OwnedSemaphorePermit);

// ANCHOR: serve
/// Serves with a task for each client, on many workers, until the stop is requested.
#[tokio::main]
pub async fn serve(listener: TcpListener, statistics: Statistics, stop: Stop) -> Result<Served> {
    tokio_loop::watched(SLOW, serve_async(listener, statistics, stop)).await?
}
// ANCHOR_END: serve

// ANCHOR: serve_async
async fn serve_async(listener: TcpListener, statistics: Statistics, stop: Stop) -> Result<Served> {
    // With a blocking socket tokio panics; in a release build, its loop blocks instead.
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let (notes, inbox) = mpsc::channel();
    let writer = thread::Builder::new().spawn(move || write(statistics, inbox))?;
    let places = Arc::new(Semaphore::new(PLACES));
    let mut clients = JoinSet::new();

    let accepted = loop {
        select! {
            accepted = listener.accept() => match accepted {
                Ok((socket, peer)) => {
                    let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
                        // The socket is new, so there is room for the word.
                        let _ = socket.try_write(b"busy\n");
                        continue;
                    };
                    clients.spawn(client(socket, peer, notes.clone(), stop.clone(), place));
                }
                Err(error) => break Err(error),
            },
            // Reaped as they leave: the set keeps each ended client until it is asked.
            Some(ended) = clients.join_next() => {
                ended.unwrap_or_else(|failed| resume_unwind(failed.into_panic()));
            }
            () = stop.requested() => break Ok(()),
        }
    };
    // A listener that has failed ends the service for all.
    stop.request();
    clients.join_all().await;

    drop(notes);
    // Bridge: joining a thread blocks, so the pool does it.
    let served = spawn_blocking(|| writer.join()).await?;
    accepted.and(served.unwrap_or_else(|panic| resume_unwind(panic)))
}
// ANCHOR_END: serve_async

// ANCHOR: client
/// Serves one client, and notes it when it has left.
async fn client(
    socket: TcpStream,
    peer: SocketAddr,
    notes: mpsc::Sender<Note>,
    stop: Stop,
    place: OwnedSemaphorePermit,
) {
    let mut lines = 0;
    // A client that vanishes is no error of the service.
    let ended = answer(socket, &stop, &mut lines).await;
    debug!(%peer, ?ended, "a client has left");
    // This never waits, since the channel has no bound. It fails only if the writer has
    // panicked, which comes out at the end.
    let _ = notes.send((peer, lines, place));
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

// ANCHOR: write
/// Owns the statistics, on a thread that may wait for the disk.
fn write(mut statistics: Statistics, notes: mpsc::Receiver<Note>) -> Result<Served> {
    for (peer, lines, _place) in notes {
        statistics.note(peer, lines);
    }
    statistics.finish()
}
// ANCHOR_END: write
