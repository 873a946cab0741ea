//! Threads: one for each client, and one that accepts.
//!
//! A thread that waits for its socket hears nothing else. So the stop shuts every
//! socket from outside, and connects to the listener to wake `accept`.

use std::io::{BufRead, BufReader, Result, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Mutex;
use std::thread;

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
    let _shut = stop.shuts(&socket)?;
    let (mut reader, mut line) = (BufReader::new(&socket), Vec::new());
    while reader.read_until(b'\n', &mut line)? > 0 && line.ends_with(b"\n") {
        *lines += 1;
        (&socket).write_all(format!("{lines}\n").as_bytes())?;
        line.clear();
    }
    Ok(())
}
// ANCHOR_END: answer
