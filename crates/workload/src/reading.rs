use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use checker::tag;
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

use crate::worker::Worker;
use crate::{monotonic_nanos, name_path};

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
    /// In a pause the merge must write more than the 64 KiB that a pipe holds, or
    /// nobody is held up.
    pub const USUAL: Pauses =
        Pauses { every: Duration::from_millis(400), length: Duration::from_millis(300) };
}

/// Reads an output while it grows, in a thread of its own, and measures for every
/// stamped line the time from its write until it can be seen there.
///
/// Dropping it waits as [`finish`](OutputReader::finish) does, without an answer.
#[derive(Debug)]
pub struct OutputReader {
    /// Our own writing end of a FIFO. While this is open, the reader meets no end of
    /// file, however often the merge opens and closes the FIFO. Once it is closed, the
    /// reader meets one, even if the merge never came.
    writing_end: Option<File>,
    // Declared after the writing end, so dropped after it: the thread ends only once
    // the writing end is closed.
    thread: Worker<Vec<u64>>,
}

impl OutputReader {
    /// Follows an output that is a regular file, which need not exist yet. The thread
    /// looks about every 250 µs: that is how exact the latencies are.
    ///
    /// # Errors
    ///
    /// The system refuses the thread.
    pub fn of_file(output: &Path) -> io::Result<OutputReader> {
        let output = output.to_path_buf();
        let thread = Worker::start("latency-watch", move |end| watch(&output, end))?;
        Ok(OutputReader { writing_end: None, thread })
    }

    /// Makes a FIFO for an output, and starts a thread that reads it, with pauses. The
    /// thread copies what comes into a regular file, which can be checked. From now on
    /// the merge can open its end at any time without a wait.
    ///
    /// # Errors
    ///
    /// The FIFO cannot be made or opened or the copy not made, each with its path; or
    /// the system refuses the thread.
    pub fn of_fifo(fifo: &Path, copy: &Path, pauses: Pauses) -> io::Result<OutputReader> {
        let made = mkfifo(fifo, Mode::S_IRUSR | Mode::S_IWUSR).map_err(io::Error::from);
        made.map_err(name_path("cannot make the FIFO", fifo))?;
        // A blocking open would wait for a writer. The reads should block, so the flag
        // goes once the file is open.
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
        let thread = Worker::start("fifo-reader", read)?;
        Ok(OutputReader { writing_end: Some(writing_end), thread })
    }

    /// Reads the rest, and returns for every complete stamped line the nanoseconds from
    /// its write until it was seen, in the order of the output.
    ///
    /// Call it when the merge has ended, also if that failed before it opened its
    /// output.
    ///
    /// # Blocking
    ///
    /// Blocks the calling thread until the rest is read: of a FIFO, until every writer
    /// has closed it, and a pause of the reader is over.
    ///
    /// # Errors
    ///
    /// The output never existed or could not be read, or the copy could not be written;
    /// the path is named.
    ///
    /// # Panics
    ///
    /// Resumes a panic of the thread.
    pub fn finish(self) -> io::Result<Vec<u64>> {
        drop(self.writing_end);
        self.thread.stop();
        self.thread.join()
    }
}

fn watch(output: &Path, end: &AtomicBool) -> io::Result<Vec<u64>> {
    const LOOK: Duration = Duration::from_micros(250);
    let mut meter = Meter::default();
    let mut file = None;
    let mut buffer = vec![0; 256 * 1024];
    loop {
        // Asked before the look, so that the last look sees all that was written before
        // `finish`.
        let last = end.load(Ordering::Acquire);
        if file.is_none() {
            match File::open(output) {
                Ok(opened) => file = Some(opened),
                Err(cause) if cause.kind() == io::ErrorKind::NotFound && !last => {}
                Err(cause) => return Err(name_path("cannot open", output)(cause)),
            }
        }
        if let Some(file) = &mut file {
            loop {
                let read = file.read(&mut buffer).map_err(name_path("cannot read", output))?;
                if read == 0 {
                    break;
                }
                meter.take(&buffer[..read], monotonic_nanos());
            }
        }
        if last {
            return Ok(meter.latencies);
        }
        thread::sleep(LOOK);
    }
}

fn read_fifo(
    mut reader: File,
    mut copy: File,
    pauses: Pauses,
    [fifo_path, copy_path]: &[PathBuf; 2],
) -> io::Result<Vec<u64>> {
    let mut meter = Meter::default();
    let mut buffer = vec![0; 64 * 1024];
    let mut reading_since = Instant::now();
    loop {
        let read = reader.read(&mut buffer).map_err(name_path("cannot read", fifo_path))?;
        if read == 0 {
            return Ok(meter.latencies);
        }
        meter.take(&buffer[..read], monotonic_nanos());
        copy.write_all(&buffer[..read]).map_err(name_path("cannot write", copy_path))?;
        // The pause comes after a read, never while nothing arrives: a slow output is
        // slow when there is something to write.
        if reading_since.elapsed() >= pauses.every {
            thread::sleep(pauses.length);
            reading_since = Instant::now();
        }
    }
}

/// Takes the bytes of an output as they arrive, and notes for every stamped line the
/// nanoseconds from its stamp to its newline.
#[derive(Default)]
struct Meter {
    latencies: Vec<u64>,
    /// The beginning of a line that has no newline yet.
    partial: Vec<u8>,
}

impl Meter {
    fn take(&mut self, bytes: &[u8], now: u64) {
        for piece in bytes.split_inclusive(|&byte| byte == b'\n') {
            self.partial.extend_from_slice(piece);
            if let Some(line) = self.partial.strip_suffix(b"\n") {
                let stamp = tag::parse(line).and_then(|tag| tag.stamp);
                self.latencies.extend(stamp.map(|stamp| now.saturating_sub(stamp)));
                self.partial.clear();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_counts_once_and_when_its_newline_comes() {
        let mut lines = Vec::new();
        tag::write(&mut lines, 0, 1, Some(100), b"payload");
        tag::write(&mut lines, 1, 1, None, b"no stamp");
        lines.extend_from_slice(b"no tag\n");
        tag::write(&mut lines, 0, 2, Some(200), b"payload");
        for cut in 0..=lines.len() {
            let mut meter = Meter::default();
            meter.take(&lines[..cut], 1_000);
            meter.take(&lines[cut..], 2_000);
            let first_line = lines.iter().position(|&byte| byte == b'\n').unwrap() + 1;
            let first = if cut >= first_line { 900 } else { 1_900 };
            let second = if cut == lines.len() { 800 } else { 1_800 };
            assert_eq!(meter.latencies, [first, second], "cut at {cut}");
        }
    }
}
