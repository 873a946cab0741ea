//! The programs, and how one of their workers is blocked.

use std::fs::{self, File, OpenOptions};
use std::io::Read;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use system_tests::program;
use testkit::{Folder, Running, make_fifo, open_fifo, until};

use crate::control::waited;
use crate::load::{Load, ask};

/// How many workers a program has, on every machine.
const WORKERS: &str = "4";

/// A program that runs, and answers on a port.
pub(crate) struct Service {
    pub(crate) running: Running,
    folder: Folder,
    port: u16,
    log: Option<Arc<Log>>,
}

/// The reader of a log that goes to a pipe.
struct Log {
    is_read: AtomicBool,
    /// The longest wait of the reader for a processor, in microseconds: the service
    /// waits for the reader meanwhile, and is not to blame.
    waited: AtomicU64,
}

/// Starts axum's example `todos`, by the command `before` if that is not empty.
pub(crate) fn todos(before: &[&str]) -> Service {
    let mut words = before.iter().chain(&[env!("CARGO_BIN_EXE_todos")]);
    let mut command = program(words.next().unwrap(), "coreutils");
    // It makes the spans of its requests, and prints no event of its own.
    let filter = "tower_http::trace::make_span=debug,tokio_loop=warn";
    command.args(words).env("RUST_LOG", filter);
    let folder = Folder::new();
    make_fifo(&folder.path("gate"));
    command.env("GATE", folder.path("gate"));
    let port = free_port();
    command.env("PORT", port.to_string());
    Service::start(command, folder, port, None)
}

/// Starts mini-redis with a log that goes to a pipe, and a thread that reads the pipe.
pub(crate) fn mini_redis() -> Service {
    let folder = Folder::new();
    let log = open_fifo(&folder.path("redis.log"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_mini-redis"));
    command.env("LOG", folder.path("redis.log"));
    let port = free_port();
    command.args(["--port", &port.to_string()]);
    let reader = Arc::new(Log { is_read: AtomicBool::new(true), waited: AtomicU64::new(0) });
    let service = Service::start(command, folder, port, Some(Arc::clone(&reader)));
    thread::spawn(move || reader.read(log));
    service
}

impl Log {
    /// Reads as long as `is_read` is true; ends with the program that writes.
    fn read(&self, mut log: File) {
        let (mut bytes, mut before) = ([0; 1 << 16], waited());
        while log.read(&mut bytes).is_ok_and(|read| read > 0) {
            while !self.is_read.load(Ordering::Relaxed) {
                thread::sleep(Duration::from_millis(1));
            }
            let now = waited();
            self.waited.fetch_max((now - before).as_micros() as u64, Ordering::Relaxed);
            before = now;
        }
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

impl Service {
    /// Starts the program and waits until it listens.
    fn start(mut command: Command, folder: Folder, port: u16, log: Option<Arc<Log>>) -> Service {
        let stdout = File::create(folder.path("stdout")).unwrap();
        command.env("TOKIO_WORKER_THREADS", WORKERS).env("NO_COLOR", "1").stdout(stdout);
        let running = Running::start(&folder, &mut command);
        let service = Service { running, folder, port, log };
        until("the program listens", || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok());
        service
    }

    /// Returns the lines that the watch has told so far.
    pub(crate) fn told(&self) -> Vec<String> {
        assert_eq!(self.running.said(), "", "it has said something on stderr");
        let said = fs::read_to_string(self.folder.path("stdout")).unwrap();
        said.lines().filter(|line| line.contains("tokio_loop")).map(str::to_owned).collect()
    }

    /// Returns the longest wait of the log's reader for a processor since the last call.
    pub(crate) fn reader_was_late(&self) -> Duration {
        let waited = self.log.as_ref().map(|log| log.waited.swap(0, Ordering::Relaxed));
        Duration::from_micros(waited.unwrap_or_default())
    }

    /// Loads the service with requests that block nobody.
    pub(crate) fn load(&self) -> Load {
        Load::start(self.port, if self.log.is_some() { REDIS } else { HTTP })
    }

    /// Has a call block a worker; returns a function that releases it.
    pub(crate) fn block(&self) -> Box<dyn FnOnce() + '_> {
        if let Some(log) = &self.log {
            log.is_read.store(false, Ordering::Relaxed);
            return Box::new(|| log.is_read.store(true, Ordering::Relaxed));
        }
        // The handler opens the gate, which nobody has opened for writing.
        let answer = ask(self.port, DELETE);
        Box::new(move || {
            drop(OpenOptions::new().write(true).open(self.folder.path("gate")).unwrap());
            drop(answer);
        })
    }

    /// Returns how a line names the operation that blocks, and how it names the call
    /// while it lasts and when it is over.
    pub(crate) fn words(&self) -> [&'static str; 3] {
        match self.log {
            Some(_) => ["`run` block", "it writes to redis.log", "it wrote to redis.log"],
            None => ["`request` of DELETE block", "it opens a file", "it opened a file"],
        }
    }
}

const HTTP: &[u8] = b"GET /todos?limit=5 HTTP/1.1\r\nhost: here\r\n\r\n";
const DELETE: &[u8] =
    b"DELETE /todos/00000000-0000-0000-0000-000000000000 HTTP/1.1\r\nhost: here\r\n\r\n";
const REDIS: &[u8] = b"*3\r\n$3\r\nset\r\n$3\r\nkey\r\n$5\r\nvalue\r\n";
