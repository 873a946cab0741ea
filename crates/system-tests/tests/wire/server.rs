//! A NATS server of a test: its port, its folder, and what becomes of it.

use std::cell::RefCell;
use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU16, Ordering};

use async_nats::jetstream::response::Response;
use async_nats::jetstream::{self, Context, stream};
use rustix::process::Signal;
use serde_json::Value;
use system_tests::program;
use testkit::{Folder, Running, until};
use tokio::runtime::Builder;

/// The stream of every test.
pub(crate) const STREAM: &str = "LOGS";

/// A server on the loopback, which is killed when this is dropped.
pub(crate) struct Nats {
    // Dropped first: it ends before its folder is gone.
    server: RefCell<Running>,
    program: PathBuf,
    folder: Folder,
    port: u16,
}

impl Nats {
    /// Starts the server in `PATH`, with these lines in its configuration.
    pub(crate) fn start(config: &str) -> Nats {
        let program = program("nats-server", "nats-server");
        Nats::start_program(program.get_program().as_ref(), config)
    }

    pub(crate) fn start_program(program: &Path, config: &str) -> Nats {
        let folder = Folder::new();
        let port = port();
        let store = folder.path("store");
        let mut text = format!("host: 127.0.0.1\nport: {port}\n{config}\n");
        if !config.contains("jetstream") {
            text += &format!("jetstream {{ store_dir: {store:?} }}\n");
        }
        fs::write(folder.path("nats.conf"), text).unwrap();
        let server = serve(program, &folder).into();
        Nats { program: program.to_owned(), folder, port, server }
    }

    /// Returns the servers to try: the one in `PATH`, and Debian's, if it is another. Their
    /// versions differ in what they check first.
    pub(crate) fn programs() -> Vec<PathBuf> {
        let first = program("nats-server", "nats-server").get_program().into();
        let debian = PathBuf::from("/usr/sbin/nats-server");
        let second = Some(debian).filter(|it| *it != first && it.is_file());
        [Some(first), second].into_iter().flatten().collect()
    }

    /// Returns the stream, as the command takes it.
    pub(crate) fn url(&self) -> String {
        format!("nats://{}/{STREAM}", self.address())
    }

    /// Returns host and port.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Stops the server, which then answers nothing, like an overloaded machine.
    pub(crate) fn pause(&self) {
        self.server.borrow().signal(Signal::STOP);
        let state = format!("/proc/{}/stat", self.server.borrow().child.id());
        until("the server is paused", || fs::read_to_string(&state).unwrap().contains(") T "));
    }

    /// Lets a server that was paused go on.
    pub(crate) fn go_on(&self) {
        self.server.borrow().signal(Signal::CONT);
    }

    /// Kills the server.
    pub(crate) fn kill(&self) {
        let server = &mut self.server.borrow_mut().child;
        server.kill().unwrap();
        server.wait().unwrap();
    }

    /// Starts the server again after a kill, in its folder and on its port.
    pub(crate) fn start_again(&self) {
        self.server.replace(serve(&self.program, &self.folder));
    }

    /// Makes the stream with these limits, before a merge makes it.
    pub(crate) fn make(&self, limits: stream::Config) {
        let subjects = vec!["log.>".to_owned()];
        let discard = stream::DiscardPolicy::New;
        let config = stream::Config { name: STREAM.to_owned(), subjects, discard, ..limits };
        self.ask(async |server| server.create_stream(config).await.map(drop).unwrap());
    }

    /// Counts the messages that the stream holds; none if it is not there.
    pub(crate) fn messages(&self) -> u64 {
        self.ask(async |server| {
            let stream = server.get_stream(STREAM).await;
            stream.map_or(0, |it| it.cached_info().state.messages)
        })
    }

    /// Counts the subjects that have messages.
    pub(crate) fn subjects(&self) -> u64 {
        self.ask(async |server| {
            let stream = server.get_stream(STREAM).await.unwrap();
            stream.cached_info().state.subjects_count
        })
    }

    /// Counts the consumers of the stream.
    pub(crate) fn consumers(&self) -> usize {
        self.ask(async |server| {
            let stream = server.get_stream(STREAM).await.unwrap();
            stream.cached_info().state.consumer_count
        })
    }

    /// Removes all messages of the stream.
    pub(crate) fn purge(&self) {
        self.ask(async |server| {
            let stream = server.get_stream(STREAM).await.unwrap();
            stream.purge().await.map(drop).unwrap();
        });
    }

    /// Publishes so many messages of another program.
    pub(crate) fn fill(&self, subject: &str, messages: usize) {
        self.ask(async |server| {
            let mut last = None;
            for _ in 0..messages {
                last = Some(server.publish(subject.to_owned(), "x\n".into()).await.unwrap());
            }
            last.unwrap().await.unwrap();
        });
    }

    /// Deletes a message.
    pub(crate) fn delete_message(&self, sequence: u64) {
        self.ask(async |server| {
            let stream = server.get_stream(STREAM).await.unwrap();
            stream.delete_message(sequence).await.map(drop).unwrap();
        });
    }

    /// Deletes all messages that the only consumer was not sent yet, one by one; returns how
    /// many.
    pub(crate) fn delete_what_is_not_sent(&self) -> u64 {
        self.ask(async |server| {
            let mut stream = server.get_stream(STREAM).await.unwrap();
            let consumers = server.request(format!("CONSUMER.NAMES.{STREAM}"), &()).await.unwrap();
            let Response::Ok::<Value>(consumers) = consumers else { panic!("{consumers:?}") };
            let name = consumers["consumers"][0].as_str().unwrap();
            let sent = stream.consumer_info(name).await.unwrap().delivered.stream_sequence;
            let last = stream.info().await.unwrap().state.last_sequence;
            for sequence in sent + 1..=last {
                stream.delete_message(sequence).await.unwrap();
            }
            last - sent
        })
    }

    /// Removes the stream.
    pub(crate) fn delete(&self) {
        self.ask(async |server| server.delete_stream(STREAM).await.map(drop).unwrap());
    }

    /// Waits until a merge has made the stream.
    pub(crate) fn until_made(&self) {
        until("the stream is made", || {
            self.ask(async |server| server.get_stream(STREAM).await.is_ok())
        });
    }

    /// Asks the server.
    pub(crate) fn ask<T>(&self, question: impl AsyncFnOnce(Context) -> T) -> T {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let client = async_nats::connect(self.address()).await.unwrap();
            question(jetstream::new(client)).await
        })
    }
}

/// Starts a server, and waits until it serves.
fn serve(program: &Path, folder: &Folder) -> Running {
    let mut server = Command::new(program);
    server.arg("--config").arg(folder.path("nats.conf")).stdin(Stdio::null());
    let mut server = Running::start(folder, &mut server);
    until("the server is ready", || {
        assert!(server.child.try_wait().unwrap().is_none(), "{}", server.said());
        server.said().contains("Server is ready")
    });
    server
}

/// Finds a free port, another one for each test. It is below those that the system gives
/// to clients, so that it is still free when the server is started again.
fn port() -> u16 {
    static NEXT: LazyLock<AtomicU16> = LazyLock::new(|| fastrand::u16(10_000..20_000).into());
    let free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    let next = || NEXT.fetch_add(1, Ordering::Relaxed);
    std::iter::repeat_with(next).find(free).unwrap()
}
