//! Clients that ask without a pause.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

const CLIENTS: usize = 16;

/// Clients that ask until they are ended.
pub(crate) struct Load {
    ended: Arc<AtomicBool>,
    clients: Vec<JoinHandle<usize>>,
}

impl Load {
    /// Has each client send the request, wait for the answer, and send it again.
    pub(crate) fn start(port: u16, request: &'static [u8]) -> Load {
        let ended = Arc::new(AtomicBool::new(false));
        let clients = (0..CLIENTS).map(|_| {
            let ended = Arc::clone(&ended);
            thread::spawn(move || answers(port, request, &ended))
        });
        Load { clients: clients.collect(), ended }
    }

    /// Ends the clients; returns how many answers they had.
    pub(crate) fn end(self) -> usize {
        self.ended.store(true, Ordering::Relaxed);
        self.clients.into_iter().map(|client| client.join().unwrap()).sum()
    }
}

/// Sends a request; returns the connection, on which the answer will come.
pub(crate) fn ask(port: u16, request: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.write_all(request).unwrap();
    stream
}

fn answers(port: u16, request: &[u8], ended: &AtomicBool) -> usize {
    let mut stream = ask(port, request);
    // With a timeout, so that a client ends also while the service is stuck.
    stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let mut answer = [0; 1 << 12];
    let mut count = 0;
    while !ended.load(Ordering::Relaxed) {
        match stream.read(&mut answer) {
            Ok(0) => panic!("the service has closed the connection"),
            Ok(_) => {
                count += 1;
                stream.write_all(request).unwrap();
            }
            // The timeout; or this process was stopped and continued.
            Err(cause)
                if matches!(cause.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(cause) => panic!("{cause}"),
        }
    }
    count
}
