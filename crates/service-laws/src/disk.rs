//! A disk that is slow until it is let go.

use std::fs::File;
use std::io::{self, Read, Write};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use testkit::{Folder, open_fifo};

/// A FIFO that is full, as the output of the statistics.
#[derive(Debug)]
pub struct Output {
    file: File,
    waits: Sender<()>,
}

/// The reader of that FIFO, who does not read yet.
#[derive(Debug)]
pub struct SlowDisk {
    file: File,
    waits: Receiver<()>,
    /// What was in the FIFO to fill it.
    filled: usize,
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Nobody asks once the disk is let go.
        let _ = self.waits.send(());
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl SlowDisk {
    /// Makes a FIFO, and fills it.
    ///
    /// # Errors
    ///
    /// The system refuses it.
    pub fn new() -> Result<(Output, SlowDisk)> {
        let folder = Folder::new();
        let file = open_fifo(&folder.path("fifo"));
        let mut full = File::options().write(true).open(folder.path("fifo"))?;
        let flags = fcntl_getfl(&full)?;
        fcntl_setfl(&full, flags | OFlags::NONBLOCK)?;
        let mut filled = 0;
        while let Ok(written) = full.write(b"\n") {
            filled += written;
        }
        fcntl_setfl(&full, flags)?;
        let (is_at_it, waits) = channel();
        Ok((Output { file: full, waits: is_at_it }, SlowDisk { file, waits, filled }))
    }

    /// Waits until a write has begun, which then waits for the disk.
    ///
    /// # Errors
    ///
    /// None has begun for so long.
    pub fn is_written_to(&self, within: Duration) -> Result<()> {
        self.waits.recv_timeout(within).context("nothing is written to the disk")
    }

    /// Lets the disk go: it takes what comes until its writer has closed it.
    ///
    /// # Errors
    ///
    /// The thread that reads has them.
    pub fn let_go(mut self) -> thread::JoinHandle<io::Result<String>> {
        thread::spawn(move || {
            let mut text = String::new();
            self.file.read_to_string(&mut text)?;
            Ok(text.split_off(self.filled))
        })
    }
}
