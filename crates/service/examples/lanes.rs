//! Draws the lanes of each version for the book: who writes, and who waits meanwhile.
//!
//! `just refresh-service` runs this. The disk under the statistics is a slow one, and
//! each of four clients sends its lines and leaves, one after the other.

use std::env;
use std::error::Error;
use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use recorder::{Recorder, Recording};
use report::{Comparison, StageLanes, figures};
use service::{Statistics, Stop, VERSIONS, Version};
use tokio_loop::SLOW;
use tracing::{Span, warn_span};
use tracing_subscriber::prelude::*;

/// The versions in which the thread that calls them drives a loop.
const ON_A_LOOP: [&str; 2] = ["top_down", "tasks"];

/// How long the disk takes for a note: twice as long as what the watch tells of.
const WRITE: Duration = SLOW.saturating_mul(2);
/// How long a client thinks before each of its lines.
const THINK: Duration = Duration::from_millis(15);
/// How many lines the first client sends; the second sends twice as many.
const LINES: usize = 16;

fn main() -> Result<(), Box<dyn Error>> {
    if let Some(version) = env::args().nth(1) {
        let recording = record(Version::named(&version).ok_or("no such version")?)?;
        return Ok(serde_json::to_writer(io::stdout(), &recording)?);
    }
    // A process each: a recorder that hears all threads is there for the whole process.
    let lanes = VERSIONS.iter().map(|Version { name: version, .. }| {
        let mut child = Command::new(env::current_exe()?);
        let told = child.arg(version).stderr(Stdio::inherit()).output()?;
        let recording: Recording = serde_json::from_slice(&told.stdout)?;
        let (lanes, what) = (recording.lanes(), String::new());
        let Recording { seconds, left_out, .. } = recording;
        Ok(StageLanes { stage: format!("service-{version}"), what, seconds, lanes, left_out })
    });
    let lanes = lanes.collect::<Result<_, Box<dyn Error>>>()?;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/src/figures");
    for figure in figures(&Comparison { lanes, ..Comparison::default() }) {
        fs::write(folder.join(format!("{}.svg", figure.name)), &figure.svg)?;
        fs::write(folder.join(format!("{}.md", figure.name)), figure.markdown("figures"))?;
    }
    Ok(())
}

/// Serves four clients, and returns who did what when.
fn record(Version { name, serve, .. }: &Version) -> io::Result<Recording> {
    let recorder = Recorder::new(10_000);
    tracing_subscriber::registry().with(recorder.layer()).with(tokio_loop::names()).init();
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let (address, stop) = (listener.local_addr()?, Stop::default());
    thread::scope(|scope| {
        let clients = (1..=4).map(|number| {
            let named = thread::Builder::new().name(format!("client {number}"));
            named.spawn_scoped(scope, move || client(address, number * LINES))
        });
        let clients = clients.collect::<io::Result<Vec<_>>>()?;
        let of_clients = stop.clone();
        scope.spawn(move || {
            clients.into_iter().for_each(|client| drop(client.join()));
            of_clients.request();
        });
        // As `tokio_loop::run` does: so the lane is that of a loop.
        let span = || warn_span!(target: "tokio_loop", "tokio_loop");
        let _span = if ON_A_LOOP.contains(name) { span() } else { Span::none() }.entered();
        serve(listener, Statistics::new(SlowDisk), stop)
    })?;
    Ok(recorder.recording())
}

/// Sends so many lines, waits for the answer to each, and leaves.
fn client(service: SocketAddr, lines: usize) -> io::Result<()> {
    let mut socket = BufReader::new(TcpStream::connect(service)?);
    let client = socket.get_ref().local_addr()?;
    for _ in 0..lines {
        thread::sleep(THINK);
        let _span = warn_span!(target: "service", "ask", %client).entered();
        socket.get_mut().write_all(b"a line\n")?;
        socket.read_line(&mut String::new())?;
    }
    Ok(())
}

struct SlowDisk;

impl Write for SlowDisk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        thread::sleep(WRITE);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
