//! An output that blocks: a FIFO that nobody reads, until the law says so.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::ioctl_fionread;

use crate::bound;
use crate::broken::{Broken, Verdict};
use crate::run::Run;

/// The reading end of a FIFO, so that a merge opens the other end without a wait. When
/// this is dropped, the reader has gone away.
pub(crate) struct Fifo {
    pub(crate) path: PathBuf,
    reader: File,
    /// How many bytes are in the FIFO when it is full.
    full: u64,
}

/// Lines of this length fill a FIFO to its last byte, whether a merger writes
/// them one by one or many at once: a pipe is made of pages.
pub(crate) const PAGE: usize = 4096;

impl Fifo {
    pub(crate) fn new(path: PathBuf) -> Fifo {
        mkfifo(&path, Mode::S_IRUSR | Mode::S_IWUSR).expect("a law needs its FIFO");
        let open = |options: &mut OpenOptions| {
            let options = options.custom_flags(OFlags::NONBLOCK.bits().cast_signed());
            options.open(&path).expect("the FIFO can be opened")
        };
        let mut reader = open(OpenOptions::new().read(true));
        let mut writer = open(OpenOptions::new().write(true));
        // Filled once and emptied again, to learn its size.
        let mut full = 0;
        while let Ok(written) = writer.write(&[0; PAGE]) {
            full += written as u64;
        }
        let mut filled = vec![0; usize::try_from(full).expect("a pipe is small")];
        reader.read_exact(&mut filled).expect("what was written can be read");
        Fifo { path, reader, full }
    }

    /// Waits until the FIFO is full, so that the merge cannot go on writing.
    #[track_caller]
    pub(crate) fn until_full(&self, run: &Run) -> Verdict {
        run.until("the output is full", |_| {
            ioctl_fionread(&self.reader).expect("the FIFO can be asked") >= self.full
        })
    }

    /// Begins to read, on a thread, and copies what it reads to `copy`.
    pub(crate) fn read_into(self, copy: &Path) -> Draining {
        let flags = fcntl_getfl(&self.reader).expect("a file has flags");
        fcntl_setfl(&self.reader, flags - OFlags::NONBLOCK).expect("and they can be set");
        let mut copy = File::create(copy).expect("a law needs a copy of its output");
        let mut reader = self.reader;
        let (done, end) = channel();
        thread::spawn(move || {
            // Nobody listens any more if the law has ended before.
            let _ = done.send(io::copy(&mut reader, &mut copy));
        });
        Draining { end }
    }

    /// Reads the next bytes, at least one.
    #[track_caller]
    pub(crate) fn read_some(&mut self, run: &Run) -> Verdict {
        run.until("something is in the output", |_| match self.reader.read(&mut [0; PAGE]) {
            Ok(bytes) => bytes > 0,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => false,
            Err(error) => panic!("the FIFO cannot be read: {error}"),
        })
    }
}

/// A FIFO that is being read.
pub(crate) struct Draining {
    end: Receiver<io::Result<u64>>,
}

impl Draining {
    /// Waits until every writer has closed the FIFO, and returns how many
    /// bytes came.
    #[track_caller]
    pub(crate) fn end(self) -> Result<u64, Broken> {
        match self.end.recv_timeout(bound::left()) {
            Ok(bytes) => Ok(bytes.expect("the FIFO can be read")),
            Err(_) => Err(bound::passed("the merge closes its output")),
        }
    }
}

/// Returns the size of a file.
pub(crate) fn size(path: &Path) -> u64 {
    fs::metadata(path).expect("the file is there").len()
}
