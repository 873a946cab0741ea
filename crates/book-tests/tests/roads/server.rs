//! What the small program talks to.

use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use tokio::net::TcpSocket;

/// A server that treats each connection as it likes.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
}

/// Somebody who has connected.
pub(crate) struct Stranger {
    /// How many have connected so far, this one included.
    pub(crate) number: usize,
    stream: TcpStream,
}

impl Stranger {
    pub(crate) fn say(mut self, greeting: &str) {
        // Whoever asks may have gone away.
        let _ = self.stream.write_all(format!("{greeting}\r\n").as_bytes());
    }

    /// Says what is no text, so that reading a line fails.
    pub(crate) fn say_nothing_sensible(mut self) {
        let _ = self.stream.write_all(b"\xff\xff\n");
    }
}

impl Server {
    /// Starts it on a free port; it ends with the process.
    pub(crate) fn start(mut treat: impl FnMut(Stranger) + Send + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
        let address = listener.local_addr().expect("a listener has an address");
        thread::spawn(move || {
            for (number, stream) in (1..).zip(listener.incoming()) {
                treat(Stranger { number, stream: stream.expect("a connection") });
            }
        });
        Server { address }
    }
}

/// An address at which nobody listens, and that is nobody else's meanwhile.
pub(crate) struct Nobody {
    pub(crate) address: SocketAddr,
    _kept: TcpSocket,
}

impl Nobody {
    pub(crate) fn new() -> Nobody {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind(([127, 0, 0, 1], 0).into()).expect("there is a free port");
        let address = socket.local_addr().expect("a socket has an address");
        Nobody { address, _kept: socket }
    }
}

/// Servers that speak when so many strangers have come to all of them together.
pub(crate) struct Meeting {
    come: Mutex<usize>,
    another: Condvar,
}

impl Meeting {
    pub(crate) fn new() -> Arc<Meeting> {
        Arc::new(Meeting { come: Mutex::new(0), another: Condvar::new() })
    }

    /// Comes to the meeting; tells whether `all` came while it had patience.
    pub(crate) fn join(&self, all: usize, patience: Duration) -> bool {
        let mut come = self.come.lock().expect("nobody panics in here");
        *come += 1;
        self.another.notify_all();
        let waited = self.another.wait_timeout_while(come, patience, |come| *come < all);
        !waited.expect("nobody panics in here").1.timed_out()
    }
}
