use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use checker::tag;

use crate::worker::Worker;
use crate::{monotonic_nanos, name_path};

/// Takes the bytes of an output as they arrive, and notes for every stamped
/// line how old it was when its newline came.
#[derive(Default)]
pub(crate) struct Meter {
    latencies: Vec<u64>,
    /// The beginning of a line whose newline has not been seen.
    partial: Vec<u8>,
}

impl Meter {
    pub(crate) fn take(&mut self, mut bytes: &[u8], now: u64) {
        while let Some(end) = memchr::memchr(b'\n', bytes) {
            self.partial.extend_from_slice(&bytes[..end]);
            if let Some(stamp) = tag::parse(&self.partial).and_then(|tag| tag.stamp) {
                self.latencies.push(now.saturating_sub(stamp));
            }
            self.partial.clear();
            bytes = &bytes[end + 1..];
        }
        self.partial.extend_from_slice(bytes);
    }

    pub(crate) fn latencies(self) -> Vec<u64> {
        self.latencies
    }
}

/// Follows an output that is a regular file, and measures for every stamped
/// line the time from its write to its being visible there.
///
/// It looks about every 250 µs; that is how exact its figures are. (An output
/// that is a FIFO is read by a [`FifoReader`](crate::FifoReader), which
/// measures the same.) Dropped, it ends its thread without an answer.
#[derive(Debug)]
pub struct LatencyWatch(Worker<Vec<u64>>);

impl LatencyWatch {
    /// Begins to watch the output. The file need not exist yet.
    ///
    /// # Errors
    ///
    /// The system has no thread left.
    pub fn start(output: &Path) -> io::Result<LatencyWatch> {
        let output = output.to_path_buf();
        Worker::start("latency-watch", move |end| watch(&output, end)).map(LatencyWatch)
    }

    /// Ends the watch: reads what the output holds by now, and returns the
    /// nanoseconds from write to sight of every complete stamped line, in the
    /// order of the output.
    ///
    /// To be called when the merge has ended.
    ///
    /// # Blocking
    ///
    /// Blocks the caller until the rest is read.
    ///
    /// # Errors
    ///
    /// The output never came to be or could not be read; the path is named.
    ///
    /// # Panics
    ///
    /// Goes on with a panic of the thread.
    pub fn finish(self) -> io::Result<Vec<u64>> {
        self.0.stop();
        self.0.join()
    }
}

fn watch(output: &Path, end: &AtomicBool) -> io::Result<Vec<u64>> {
    const LOOK: Duration = Duration::from_micros(250);
    let mut meter = Meter::default();
    let mut file = None;
    let mut buffer = vec![0; 256 * 1024];
    loop {
        // Asked before the look: what is written before `finish` is then
        // always seen by the last look.
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
            return Ok(meter.latencies());
        }
        thread::sleep(LOOK);
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
            assert_eq!(meter.latencies(), [first, second], "cut at {cut}");
        }
    }
}
