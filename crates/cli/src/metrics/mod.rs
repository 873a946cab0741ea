//! Metrics for Prometheus, in a file that the textfile collector of node_exporter
//! reads.

mod file;
mod text;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use tracing::{info, warn};
use tributary::Shown;

use crate::observer::Observer;
pub(crate) use file::{pattern, refused};

/// How often the metrics are written.
const EVERY: Duration = Duration::from_secs(10);

/// How long the end of a merge waits at most for its last metrics.
const A_WHILE: Duration = Duration::from_secs(2);

/// A thread that observes a merge, and writes what it sees to a file.
pub(crate) struct Metrics {
    asks: Sender<Asked>,
    /// Closed once the last metrics are written.
    ends: Receiver<()>,
}

enum Asked {
    Now,
    Last,
}

impl Metrics {
    /// Starts the thread. No other one waits for the disk of `file`, so a disk
    /// that hangs or is full holds up no line. Without a file, the thread only
    /// observes, so that the observer knows since when there is a lag.
    pub(crate) fn keep(observer: Arc<Observer>, file: Option<PathBuf>) -> io::Result<Metrics> {
        let (asks, asked) = channel();
        let (ended, ends) = channel::<()>();
        thread::Builder::new().name("metrics".into()).spawn(move || {
            let _ended = ended;
            let mut told = false;
            let mut write = || {
                let observed = observer.observe();
                if let Some(file) = &file {
                    let merge = file.file_stem().unwrap_or_default().to_string_lossy();
                    let written = file::replace(file, &text::of(&observed, &merge));
                    tell(file, written, &mut told);
                }
            };
            loop {
                write();
                match asked.recv_timeout(EVERY) {
                    Ok(Asked::Now) | Err(RecvTimeoutError::Timeout) => {}
                    Ok(Asked::Last) => return write(),
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            }
        })?;
        Ok(Metrics { asks, ends })
    }

    /// Returns a function that has the metrics written at once, and does not wait.
    pub(crate) fn now(&self) -> impl Fn() + Send + Sync + 'static {
        let asks = self.asks.clone();
        // Fails after the last metrics, when the thread has ended.
        move || drop(asks.send(Asked::Now))
    }
}

impl Drop for Metrics {
    fn drop(&mut self) {
        let _ = self.asks.send(Asked::Last);
        // Not joined: a disk that hangs must not hold up the end.
        let _ = self.ends.recv_timeout(A_WHILE);
    }
}

/// Says once that the metrics cannot be written, and once that they can again.
fn tell(file: &Path, written: io::Result<()>, told: &mut bool) {
    match written {
        Ok(()) if std::mem::take(told) => info!("{}: metrics are written again", Shown(file)),
        Err(cause) if !std::mem::replace(told, true) => warn!(
            "{}: cannot write metrics: {cause}; the merge goes on, and they are tried again",
            Shown(file)
        ),
        _ => {}
    }
}
