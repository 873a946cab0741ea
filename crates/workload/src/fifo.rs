use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

use crate::latency::Meter;
use crate::worker::Worker;
use crate::{monotonic_nanos, name_path};

/// Makes a FIFO that its owner may read and write.
///
/// # Errors
///
/// The path is taken, its folder is missing, or the file system has no FIFOs;
/// the path is named.
pub fn make_fifo(path: &Path) -> io::Result<()> {
    let made = mkfifo(path, Mode::S_IRUSR | Mode::S_IWUSR).map_err(io::Error::from);
    made.map_err(name_path("cannot make the FIFO", path))
}

/// How often a slow reader pauses, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pauses {
    /// How long it reads between two pauses.
    pub every: Duration,
    /// How long a pause is.
    pub length: Duration,
}

impl Pauses {
    /// 300 ms after every 400 ms.
    ///
    /// What the merge writes into the FIFO meanwhile must exceed the 64 KiB
    /// that a pipe holds, or nobody is held up.
    pub const USUAL: Pauses =
        Pauses { every: Duration::from_millis(400), length: Duration::from_millis(300) };
}

/// What was read from a FIFO.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// How many bytes.
    pub bytes: u64,
    /// How many pauses there were.
    pub pauses: u64,
    /// The nanoseconds from write to arrival of every complete stamped line,
    /// in the order of arrival.
    pub latencies: Vec<u64>,
}

/// Reads an output that is a FIFO, copies it into a regular file so that it can
/// be checked, and pauses now and then if it is told to.
///
/// Dropped, it waits like [`join`](FifoReader::join), without an answer.
#[derive(Debug)]
pub struct FifoReader {
    /// A writing end of our own. While it is open the reader meets no end of
    /// file, however often the merge opens and closes the FIFO; and once it is
    /// closed the reader always meets one, even if the merge never came.
    writing_end: File,
    // Behind the writing end: fields are dropped in their order, and the thread
    // ends only when the writing end is closed.
    thread: Worker<Received>,
}

impl FifoReader {
    /// Opens both ends of the FIFO and begins to read; the merge may open its
    /// end at any time from now on and does not have to wait for this one.
    ///
    /// # Errors
    ///
    /// The FIFO cannot be opened, the copy cannot be made (both with their
    /// path), or the system has no thread left.
    pub fn start(fifo: &Path, copy: &Path, pauses: Option<Pauses>) -> io::Result<FifoReader> {
        // A blocking open would wait for a writer. The reads themselves are to
        // block, so the flag goes as soon as the file is open.
        let open_both = || -> io::Result<(File, File)> {
            let nonblocking = OFlags::NONBLOCK.bits() as i32;
            let reader = OpenOptions::new().read(true).custom_flags(nonblocking).open(fifo)?;
            let writer = OpenOptions::new().write(true).open(fifo)?;
            fcntl_setfl(&reader, fcntl_getfl(&reader)? - OFlags::NONBLOCK)?;
            Ok((reader, writer))
        };
        let (reader, writing_end) = open_both().map_err(name_path("cannot open", fifo))?;
        let copy_file = File::create(copy).map_err(name_path("cannot create", copy))?;
        let paths = [fifo.to_path_buf(), copy.to_path_buf()];
        let read = move |_: &AtomicBool| read_fifo(reader, copy_file, pauses, &paths);
        Ok(FifoReader { writing_end, thread: Worker::start("fifo-reader", read)? })
    }

    /// Reads the rest, and says what has come.
    ///
    /// To be called when the merge has ended, also when it failed before it
    /// opened the FIFO.
    ///
    /// # Blocking
    ///
    /// Blocks the caller until every writer has closed the FIFO and its last
    /// byte is read; the reader may be in the middle of a pause.
    ///
    /// # Errors
    ///
    /// The FIFO could not be read or the copy could not be written; the path is
    /// named. Writers got `EPIPE` from then on.
    ///
    /// # Panics
    ///
    /// Goes on with a panic of the thread.
    pub fn join(self) -> io::Result<Received> {
        drop(self.writing_end);
        self.thread.join()
    }
}

fn read_fifo(
    mut reader: File,
    mut copy: File,
    pauses: Option<Pauses>,
    [fifo_path, copy_path]: &[PathBuf; 2],
) -> io::Result<Received> {
    let mut received = Received { bytes: 0, pauses: 0, latencies: Vec::new() };
    let mut meter = Meter::default();
    let mut buffer = vec![0; 64 * 1024];
    let mut reading_since = Instant::now();
    loop {
        let read = reader.read(&mut buffer).map_err(name_path("cannot read", fifo_path))?;
        if read == 0 {
            break;
        }
        meter.take(&buffer[..read], monotonic_nanos());
        copy.write_all(&buffer[..read]).map_err(name_path("cannot write", copy_path))?;
        received.bytes += read as u64;
        // The pause comes after a read, never while nothing arrives: an output
        // that is slow is slow when there is something to write.
        if let Some(pauses) = pauses
            && reading_since.elapsed() >= pauses.every
        {
            thread::sleep(pauses.length);
            received.pauses += 1;
            reading_since = Instant::now();
        }
    }
    received.latencies = meter.latencies();
    Ok(received)
}
