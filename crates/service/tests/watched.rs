//! What the watch says of the flaw in `tasks`.
//!
//! In a process of its own: `tracing` remembers of each event whether anybody listens,
//! and asks that where it is first told, which may be a thread of another test.

use std::io::{self, Write};
use std::net::TcpListener;
use std::sync::{LazyLock, Mutex};

use anyhow::Result;
use recorder::{Name, Recorder};
use service::{Served, Statistics, Stop, tasks};
use service_laws::{Bench, SlowDisk};
use testkit::{BOUND, until, within};
use tracing::subscriber::with_default;
use tracing_subscriber::prelude::*;

static SAID: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static RECORDER: LazyLock<Recorder> = LazyLock::new(|| Recorder::new(100));

struct Said;

impl Write for Said {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        SAID.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The version with the flaw, and the line of the watch kept, and what its lane is
/// drawn from.
fn serve(listener: TcpListener, statistics: Statistics, stop: Stop) -> io::Result<Served> {
    let kept = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(|| Said);
    let subscriber = tracing_subscriber::registry().with(kept).with(tokio_loop::names());
    let subscriber = subscriber.with(RECORDER.layer());
    with_default(subscriber, || tasks::serve(listener, statistics, stop))
}

#[test]
fn the_watch_names_what_blocks_the_loop_and_for_whom() {
    within(|| -> Result<()> {
        let (output, disk) = SlowDisk::new()?;
        let service = Bench::new(serve).start_with(output)?;
        let client = service.client()?;
        client.has_said_all()?;
        disk.is_written_to(BOUND)?;
        let line = format!("`note` of {} blocks it", client.address);
        let said = || String::from_utf8_lossy(&SAID.lock().unwrap()).into_owned();
        until("the watch tells", || said().contains(&line));
        assert!(said().contains("the event loop has not turned for"), "{}", said());
        disk.let_go();
        until("the recorder has the stall", || !RECORDER.recording().stalls.is_empty());
        service.stop()?;

        let recording = RECORDER.recording();
        let [note] = &recording.operations[..] else { panic!("{recording:?}") };
        let source = client.address.to_string();
        assert_eq!((note.name, recording.source(note)), (Name::Note, Some(&*source)));
        let stall = &recording.stalls[0];
        assert_eq!((stall.operation.as_deref(), &stall.source), (Some("note"), &Some(source)));
        Ok(())
    })
    .unwrap();
}
