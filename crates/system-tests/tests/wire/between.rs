//! A proxy between a merge and a server, which can hold back what one says to the other.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use testkit::until;

/// A port that leads to a server.
pub(crate) struct Between {
    port: u16,
    gate: Arc<Gate>,
}

/// What is held back, and the sockets of all connections.
#[derive(Default)]
struct Gate {
    held: Mutex<Held>,
    changed: Condvar,
}

#[derive(Default)]
struct Held {
    /// How many connections there were so far.
    connections: usize,
    /// What connections with a smaller number ask is held back.
    requests_before: usize,
    answers: bool,
    /// How many messages were held back so far.
    messages: usize,
    sockets: Vec<TcpStream>,
}

impl Between {
    /// Opens a port that leads to the server at this address.
    pub(crate) fn open(server: String) -> Between {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let gate = Arc::new(Gate::default());
        let connect = Arc::clone(&gate);
        thread::spawn(move || {
            for merge in listener.incoming() {
                let merge = merge.unwrap();
                let server = TcpStream::connect(&server).unwrap();
                let sockets = [&merge, &server].map(|socket| socket.try_clone().unwrap());
                let mut held = connect.held.lock().unwrap();
                held.sockets.extend(sockets);
                let number = held.connections;
                held.connections += 1;
                drop(held);
                let (to_merge, of_server) =
                    (merge.try_clone().unwrap(), server.try_clone().unwrap());
                connect.pass(merge, server, move |held| number < held.requests_before);
                connect.pass(of_server, to_merge, |held| held.answers);
            }
        });
        Between { port, gate }
    }

    /// Returns host and port.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Holds back what the merges say that are connected by now.
    pub(crate) fn hold_requests(&self) {
        let mut held = self.gate.held.lock().unwrap();
        held.requests_before = held.connections;
    }

    /// Waits until a message has been held back.
    pub(crate) fn until_held(&self) {
        until("a message is held back", || self.gate.held.lock().unwrap().messages > 0);
    }

    /// Lets through what merges have said, also a merge that is gone.
    pub(crate) fn let_through(&self) {
        self.gate.held.lock().unwrap().requests_before = 0;
        self.gate.changed.notify_all();
    }

    /// Holds back what the server answers from now on.
    pub(crate) fn hold_answers(&self) {
        self.gate.held.lock().unwrap().answers = true;
    }

    /// Cuts all connections: what is held back is lost. New connections are as before.
    pub(crate) fn cut(&self) {
        let mut held = self.gate.held.lock().unwrap();
        for socket in held.sockets.drain(..) {
            // The other end may be gone already.
            let _ = socket.shutdown(Shutdown::Both);
        }
        held.answers = false;
        self.gate.changed.notify_all();
    }
}

impl Gate {
    /// Starts a thread that passes on what one end says, and waits while that is held back.
    fn pass(
        self: &Arc<Gate>,
        mut from: TcpStream,
        mut to: TcpStream,
        is_held: impl Fn(&Held) -> bool + Send + 'static,
    ) {
        let gate = Arc::clone(self);
        thread::spawn(move || {
            let mut bytes = [0; 64 * 1024];
            while let Ok(read @ 1..) = from.read(&mut bytes) {
                let mut held = gate.held.lock().unwrap();
                if is_held(&held) && bytes[..read].windows(5).any(|it| it == b"HPUB ") {
                    held.messages += 1;
                }
                drop(gate.changed.wait_while(held, |held| is_held(held)).unwrap());
                if to.write_all(&bytes[..read]).is_err() {
                    break;
                }
            }
            let _ = to.shutdown(Shutdown::Write);
        });
    }
}
