//! A service at work, and clients of it.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, ErrorKind, Write};
use std::mem;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail, ensure};
use service::{Serve, Served, Statistics, Stop};
use socket2::SockRef;
use testkit::{BOUND, Folder};

use crate::SlowDisk;

/// What a law is tried on.
#[derive(Debug, Clone)]
pub struct Bench {
    serve: Serve,
    waits: Waits,
    /// The error with which a service has ended.
    error: Arc<OnceLock<String>>,
}

/// How long is waited for what must come: by a client, and for everything else.
#[derive(Debug, Clone, Copy)]
struct Waits {
    client: Duration,
    all: Duration,
}

/// A service that serves. Dropped, it is asked to stop.
#[derive(Debug)]
pub struct Service {
    pub(crate) address: SocketAddr,
    pub(crate) listener: TcpListener,
    pub(crate) stop: Stop,
    folder: Folder,
    waits: Waits,
    ended: Receiver<io::Result<Served>>,
}

impl Bench {
    /// Tries a version, and waits for nothing for longer than a minute.
    pub fn new(serve: Serve) -> Bench {
        let waits = Waits { client: BOUND / 2, all: BOUND };
        Bench { serve, waits, error: Arc::default() }
    }

    /// Sets how long a client waits for what must come.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Bench {
        self.waits.client = patience;
        self
    }

    /// Sets how long anything is waited for.
    #[must_use]
    pub fn within(mut self, bound: Duration) -> Bench {
        self.waits = Waits { client: bound, all: bound };
        self
    }

    /// Returns the error with which a service has ended, if one has.
    pub fn error(&self) -> Option<&str> {
        self.error.get().map(String::as_str)
    }

    /// Starts a service with its statistics in a file.
    ///
    /// # Errors
    ///
    /// The system refuses a file, a socket or a thread.
    pub fn start(&self) -> Result<Service> {
        let folder = Folder::new();
        let file = File::create(folder.path("statistics"))?;
        let mut service = self.start_with(file)?;
        service.folder = folder;
        Ok(service)
    }

    /// Starts a service with its statistics in `output`.
    ///
    /// # Errors
    ///
    /// As [`start`](Bench::start).
    pub fn start_with(&self, output: impl Write + Send + 'static) -> Result<Service> {
        self.start_until(Stop::default(), output)
    }

    /// Starts a service that ends when this stop is requested, or at once if it was.
    pub(crate) fn start_until(
        &self,
        stop: Stop,
        output: impl Write + Send + 'static,
    ) -> Result<Service> {
        // Both ends of each connection are in this process.
        rlimit::increase_nofile_limit(4096)?;
        let listener = TcpListener::bind("127.0.0.1:0")?;
        // Of each socket that is accepted, too: so a client that does not read is felt soon.
        SockRef::from(&listener).set_send_buffer_size(1 << 18)?;
        let address = listener.local_addr()?;
        let (end, ended) = channel();
        let (serve, its) = (self.serve, (listener.try_clone()?, stop.clone()));
        let error = Arc::clone(&self.error);
        thread::Builder::new().spawn(move || {
            let ended = serve(its.0, Statistics::new(output), its.1);
            if let Err(told) = &ended {
                error.get_or_init(|| told.to_string());
            }
            // Nobody listens to a service whose law has failed already.
            let _ = end.send(ended);
        })?;
        let (folder, waits) = (Folder::new(), self.waits);
        Ok(Service { address, listener, stop, folder, waits, ended })
    }
}

impl Service {
    /// Connects a client.
    ///
    /// # Errors
    ///
    /// Nobody listens.
    pub fn client(&self) -> Result<Client> {
        Client::new(self.address, self.waits)
    }

    /// Returns what further clients are connected by, in other threads.
    pub(crate) fn connects(&self) -> impl Fn() -> Result<Client> + use<> {
        let (address, waits) = (self.address, self.waits);
        move || Client::new(address, waits)
    }

    /// Connects so many clients.
    ///
    /// # Errors
    ///
    /// As [`client`](Service::client).
    pub fn clients(&self, count: usize) -> Result<Vec<Client>> {
        (0..count).map(|_| self.client()).collect()
    }

    /// Returns the statistics as far as they are written.
    pub(crate) fn statistics(&self) -> String {
        self.folder.read("statistics")
    }

    /// Waits for the end, which somebody has to have asked for.
    pub(crate) fn end(&self) -> Result<io::Result<Served>> {
        self.ended.recv_timeout(self.waits.all).map_err(|missing| match missing {
            RecvTimeoutError::Timeout => in_vain(self.waits.all, "the service ends"),
            RecvTimeoutError::Disconnected => anyhow!("the service has panicked"),
        })
    }

    /// Asks it to stop, waits for the end, and returns what was served.
    ///
    /// # Errors
    ///
    /// Those of the service, and that it does not end.
    pub fn stop(&self) -> Result<Served> {
        self.stop.request();
        Ok(self.end()??)
    }

    /// Waits until it waits for a disk that is slow.
    pub(crate) fn waits_for(&self, disk: &SlowDisk) -> Result<()> {
        disk.is_written_to(self.waits.all)
    }

    /// Waits until something is so.
    pub(crate) fn until(&self, what: &str, is_so: impl FnMut() -> bool) -> Result<()> {
        until(self.waits.all, what, is_so)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.stop.request();
    }
}

fn in_vain(bound: Duration, what: &str) -> anyhow::Error {
    anyhow!("waited {bound:?} in vain for this: {what}")
}

fn until(bound: Duration, what: &str, mut is_so: impl FnMut() -> bool) -> Result<()> {
    let deadline = Instant::now() + bound;
    while !is_so() {
        ensure!(Instant::now() < deadline, in_vain(bound, what));
        thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

/// A client of the service.
#[derive(Debug)]
pub struct Client {
    server: SocketAddr,
    /// Its own address, by which the statistics call it.
    pub address: SocketAddr,
    socket: BufReader<TcpStream>,
    bound: Duration,
}

impl Client {
    fn new(server: SocketAddr, waits: Waits) -> Result<Client> {
        let socket = TcpStream::connect(server)?;
        socket.set_read_timeout(Some(waits.client))?;
        let address = socket.local_addr()?;
        Ok(Client { server, address, socket: BufReader::new(socket), bound: waits.all })
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
            Ok(0) => bail!("the service hangs up on a client that waits for {expected:?}"),
            Ok(_) => bail!("a client hears {line:?} and not {expected:?}"),
            Err(told) if told.kind() == ErrorKind::WouldBlock => {
                bail!("a client waits in vain for {expected:?}")
            }
            Err(told) => Err(told).context("a client that waits for an answer"),
        }
    }

    /// Sends a line, and waits for the answer.
    ///
    /// # Errors
    ///
    /// It is another one, or does not come.
    pub fn is_told(&mut self, number: u64) -> Result<()> {
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
    ///
    /// # Errors
    ///
    /// The connection is gone.
    pub fn has_said_all(&self) -> Result<()> {
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
    pub(crate) fn is_read(&self) -> Result<()> {
        until(self.bound, "all is read", || matches!(self.under_way(), Ok((_, 0))))
    }

    /// Sends lines and reads no answer, until the service can neither send nor read.
    pub(crate) fn does_not_read(&self) -> Result<()> {
        let mut socket = self.socket.get_ref();
        socket.set_nonblocking(true)?;
        SockRef::from(socket).set_recv_buffer_size(1 << 18)?;
        let many = "\n".repeat(1 << 12);
        let (mut last, mut looks) = ((0, 0), 0);
        until(self.bound, "the connection is full in both directions", || {
            while socket.write(many.as_bytes()).is_ok() {}
            let now = self.under_way().unwrap_or_default();
            looks = if now == mem::replace(&mut last, now) { looks + 1 } else { 0 };
            // Nothing moves any more.
            matches!(now, (1.., 1..)) && looks > 20
        })
    }
}
