//! A NATS server of a test: its port, its folder, and what becomes of it.

use std::cell::RefCell;
use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use async_nats::jetstream::{self, Context, stream};
use rustix::process::{Pid, Signal, kill_process};
use system_tests::program;
use testkit::{Folder, until};
use tokio::runtime::Builder;

/// The stream of every test.
pub(crate) const STREAM: &str = "LOGS";

/// A server on the loopback. Dropped, it is killed.
pub(crate) struct Nats {
    program: PathBuf,
    folder: Folder,
    port: u16,
    server: RefCell<Child>,
}

impl Nats {
    /// Starts the server that `PATH` leads to, with these lines in its configuration.
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

    /// Returns every server that is installed: they differ in what they check first.
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

    /// Stops the server, as a machine does that is overloaded.
    pub(crate) fn pause(&self) {
        self.signal(Signal::STOP);
        let state = format!("/proc/{}/stat", self.server.borrow().id());
        until("the server is paused", || fs::read_to_string(&state).unwrap().contains(") T "));
    }

    /// Lets a server that was paused go on.
    pub(crate) fn go_on(&self) {
        self.signal(Signal::CONT);
    }

    /// Kills the server.
    pub(crate) fn kill(&self) {
        let mut server = self.server.borrow_mut();
        server.kill().unwrap();
        server.wait().unwrap();
    }

    /// Starts the server again after a kill, in its folder and on its port.
    pub(crate) fn start_again(&self) {
        self.server.replace(serve(&self.program, &self.folder));
    }

    /// Makes the stream, before a merge does, with these limits.
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

    /// Removes all that the stream holds.
    pub(crate) fn purge(&self) {
        self.ask(async |server| {
            let stream = server.get_stream(STREAM).await.unwrap();
            stream.purge().await.map(drop).unwrap();
        });
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

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.server.borrow()), signal).unwrap();
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        // It may have been killed already.
        let server = self.server.get_mut();
        let _ = server.kill();
        let _ = server.wait();
    }
}

/// Starts a server, and waits until it serves.
fn serve(program: &Path, folder: &Folder) -> Child {
    let log = folder.path("nats.log");
    let mut server = Command::new(program);
    server.arg("--config").arg(folder.path("nats.conf")).stdin(Stdio::null());
    let mut server = server.stderr(File::create(&log).unwrap()).spawn().unwrap();
    until("the server is ready", || {
        let said = fs::read_to_string(&log).unwrap();
        assert!(server.try_wait().unwrap().is_none(), "{said}");
        said.contains("Server is ready")
    });
    server
}

/// Finds a free port, below those that the system gives to clients: it is to be free
/// still when the server is started again.
fn port() -> u16 {
    let free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    std::iter::repeat_with(|| fastrand::u16(10_000..30_000)).find(free).unwrap()
}
