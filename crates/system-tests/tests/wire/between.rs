//! A proxy between a merge and a server, which can hold back what one says to the other.

use std::collections::HashSet;
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
    /// Whether the answers are held back as soon as a merge has asked for a log.
    falls_silent: bool,
    /// After how many bytes one way a connection is cut, if at all.
    most_bytes: Option<usize>,
    /// How often a merge may ask for the lines of the first message, if not always.
    most: Option<usize>,
    /// How often merges have asked for these lines so far.
    lines: usize,
    /// The subjects whose last message merges have asked for so far.
    subjects: HashSet<Vec<u8>>,
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
                connect.pass(merge, server, move |held| {
                    number < held.requests_before || held.most.is_some_and(|most| held.lines > most)
                });
                connect.pass(of_server, to_merge, |held| {
                    held.answers || held.falls_silent && !held.subjects.is_empty()
                });
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

    /// Holds back all that a merge says once it asks for the lines of the first message again,
    /// after it has got them so many times.
    pub(crate) fn hold_requests_for_lines_after(&self, times: usize) {
        self.gate.held.lock().unwrap().most = Some(times);
    }

    /// Holds back what the server answers once a merge has asked for a log.
    pub(crate) fn fall_silent(&self) {
        self.gate.held.lock().unwrap().falls_silent = true;
    }

    /// Counts the logs that merges have asked for.
    pub(crate) fn logs(&self) -> usize {
        self.gate.held.lock().unwrap().subjects.len()
    }

    /// Cuts each connection once so many bytes have gone through it one way.
    pub(crate) fn cut_after(&self, bytes: usize) {
        self.gate.held.lock().unwrap().most_bytes = Some(bytes);
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

impl Held {
    /// Notes what a merge asks for in these bytes.
    fn note(&mut self, bytes: &[u8]) {
        const LINES: &[u8] = b"{\"seq\":1}";
        const LAST: &[u8] = b"\"last_by_subj\":\"";
        self.lines += bytes.windows(LINES.len()).filter(|it| *it == LINES).count();
        let begins = (LAST.len()..bytes.len()).filter(|at| bytes[..*at].ends_with(LAST));
        let subject = |at: usize| bytes[at..].split(|it| *it == b'"').next().unwrap().to_vec();
        self.subjects.extend(begins.map(subject));
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
            let mut passed = 0;
            while let Ok(read @ 1..) = from.read(&mut bytes) {
                let mut held = gate.held.lock().unwrap();
                held.note(&bytes[..read]);
                if is_held(&held) && bytes[..read].windows(5).any(|it| it == b"HPUB ") {
                    held.messages += 1;
                }
                drop(gate.changed.wait_while(held, |held| is_held(held)).unwrap());
                if to.write_all(&bytes[..read]).is_err() {
                    break;
                }
                passed += read;
                if gate.held.lock().unwrap().most_bytes.is_some_and(|most| passed > most) {
                    let _ = from.shutdown(Shutdown::Both);
                    break;
                }
            }
            let _ = to.shutdown(Shutdown::Write);
        });
    }
}
