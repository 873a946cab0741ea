//! A service at work, and clients of it.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, ErrorKind, Write};
use std::mem;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use service::{Serve, Served, Statistics, Stop};
use socket2::SockRef;
use testkit::{BOUND, Folder, until};

/// What a law is tried on.
pub(crate) struct Bench {
    pub(crate) serve: Serve,
    /// How long a client waits for what must come.
    pub(crate) patience: Duration,
}

/// A service that serves. Dropped, it is asked to stop.
pub(crate) struct Service {
    pub(crate) address: SocketAddr,
    pub(crate) listener: TcpListener,
    pub(crate) stop: Stop,
    folder: Folder,
    patience: Duration,
    ended: Receiver<io::Result<Served>>,
}

impl Bench {
    /// Starts a service with its statistics in a file.
    pub(crate) fn start(&self) -> Result<Service> {
        let folder = Folder::new();
        let file = File::create(folder.path("statistics"))?;
        let mut service = self.start_with(file)?;
        service.folder = folder;
        Ok(service)
    }

    /// Starts a service with its statistics in `output`.
    pub(crate) fn start_with(&self, output: impl Write + Send + 'static) -> Result<Service> {
        // Both ends of each connection are in this process.
        rlimit::increase_nofile_limit(4096)?;
        let listener = TcpListener::bind("127.0.0.1:0")?;
        // Of each socket that is accepted, too: so a client that does not read is felt soon.
        SockRef::from(&listener).set_send_buffer_size(1 << 18)?;
        let (address, stop) = (listener.local_addr()?, Stop::default());
        let (end, ended) = channel();
        let (serve, its) = (self.serve, (listener.try_clone()?, stop.clone()));
        thread::Builder::new().spawn(move || {
            // Nobody listens to a service whose law has failed already.
            let _ = end.send(serve(its.0, Statistics::new(output), its.1));
        })?;
        let (folder, patience) = (Folder::new(), self.patience);
        Ok(Service { address, listener, stop, folder, patience, ended })
    }
}

impl Service {
    /// Connects a client.
    pub(crate) fn client(&self) -> Result<Client> {
        Client::new(self.address, self.patience)
    }

    /// Connects so many clients.
    pub(crate) fn clients(&self, count: usize) -> Result<Vec<Client>> {
        (0..count).map(|_| self.client()).collect()
    }

    /// Returns the statistics as far as they are written.
    pub(crate) fn statistics(&self) -> String {
        self.folder.read("statistics")
    }

    /// Waits for the end, which somebody has to have asked for.
    pub(crate) fn end(&self) -> Result<io::Result<Served>> {
        self.ended.recv_timeout(BOUND).context("the service does not end")
    }

    /// Asks it to stop, waits for the end, and returns what was served.
    pub(crate) fn stop(&self) -> Result<Served> {
        self.stop.request();
        Ok(self.end()??)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.stop.request();
    }
}

/// A client of the service.
pub(crate) struct Client {
    server: SocketAddr,
    pub(crate) address: SocketAddr,
    socket: BufReader<TcpStream>,
}

impl Client {
    pub(crate) fn new(server: SocketAddr, patience: Duration) -> Result<Client> {
        let socket = TcpStream::connect(server)?;
        socket.set_read_timeout(Some(patience))?;
        Ok(Client { server, address: socket.local_addr()?, socket: BufReader::new(socket) })
    }

    /// Sends a text: a line, a part of it, or many.
    pub(crate) fn say(&self, text: &str) -> Result<()> {
        Ok(self.socket.get_ref().write_all(text.as_bytes())?)
    }

    /// Waits for one line from the service.
    pub(crate) fn hears(&mut self, expected: &str) -> Result<()> {
        let mut line = String::new();
        match self.socket.read_line(&mut line) {
            Ok(_) if line == format!("{expected}\n") => Ok(()),
            Ok(_) => bail!("a client hears {line:?} and not {expected:?}"),
            Err(told) if told.kind() == ErrorKind::WouldBlock => {
                bail!("a client waits in vain for {expected:?}")
            }
            Err(told) => Err(told).context("a client that waits for an answer"),
        }
    }

    /// Sends a line, and waits for the answer.
    pub(crate) fn is_told(&mut self, number: u64) -> Result<()> {
        self.say("a line\n")?;
        self.hears(&number.to_string())
    }

    /// Waits until the service has hung up.
    pub(crate) fn is_left(&mut self) -> Result<()> {
        let mut rest = String::new();
        // What has not been read when a socket is closed resets the connection.
        let ended = self.socket.read_line(&mut rest);
        let is_reset = |told: &io::Error| told.kind() == ErrorKind::ConnectionReset;
        ensure!(
            matches!(ended, Ok(0)) || ended.as_ref().is_err_and(is_reset),
            "the service has not hung up: {ended:?}, {rest:?}",
        );
        Ok(())
    }

    /// Says that nothing more will come.
    pub(crate) fn has_said_all(&self) -> Result<()> {
        Ok(self.socket.get_ref().shutdown(Shutdown::Write)?)
    }

    /// Goes without a word: the connection is reset.
    pub(crate) fn vanishes(self) -> Result<()> {
        let socket = self.socket.into_inner();
        Ok(SockRef::from(&socket).set_linger(Some(Duration::ZERO))?)
    }

    /// Returns how many bytes the service has yet to send to it, and to read from it,
    /// as the system knows.
    pub(crate) fn under_way(&self) -> Result<(u64, u64)> {
        let of = |address: &SocketAddr| format!(":{:04X}", address.port());
        let (here, there) = (of(&self.server), of(&self.address));
        let table = fs::read_to_string("/proc/net/tcp")?;
        let rows = table.lines().map(|row| row.split_whitespace().collect::<Vec<_>>());
        let mut rows = rows.filter(|row| row[1].ends_with(&here) && row[2].ends_with(&there));
        let queues = rows.next().context("the connection is in the table")?[4];
        let (unsent, unread) = queues.split_once(':').context("two queues")?;
        Ok((u64::from_str_radix(unsent, 16)?, u64::from_str_radix(unread, 16)?))
    }

    /// Waits until the service has read all that it was sent.
    pub(crate) fn is_read(&self) {
        until("all is read", || matches!(self.under_way(), Ok((_, 0))));
    }

    /// Sends lines and reads no answer, until the service can neither send nor read.
    pub(crate) fn does_not_read(&self) -> Result<()> {
        let mut socket = self.socket.get_ref();
        socket.set_nonblocking(true)?;
        SockRef::from(socket).set_recv_buffer_size(1 << 18)?;
        let many = "\n".repeat(1 << 12);
        let (mut last, mut looks) = ((0, 0), 0);
        until("the connection is full in both directions", || {
            while socket.write(many.as_bytes()).is_ok() {}
            let now = self.under_way().unwrap_or_default();
            looks = if now == mem::replace(&mut last, now) { looks + 1 } else { 0 };
            // Nothing moves any more.
            matches!(now, (1.., 1..)) && looks > 20
        });
        Ok(())
    }
}
