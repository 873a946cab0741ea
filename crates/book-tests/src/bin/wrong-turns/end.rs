//! A wrong turn: the program ends, and its writer thread is left behind.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::mpsc::{Sender, channel};
use std::thread;

struct WriteThread {
    requests: Sender<&'static str>,
}

impl WriteThread {
    fn start(output: &Path) -> io::Result<WriteThread> {
        let (requests, inbox) = channel::<&str>();
        let mut output = BufWriter::new(File::create(output)?);
        thread::spawn(move || -> io::Result<()> {
            for line in inbox {
                output.write_all(line.as_bytes())?;
            }
            output.flush()
        });
        Ok(WriteThread { requests })
    }
}

#[expect(clippy::print_stdout, reason = "an example speaks")]
pub(crate) fn main() -> io::Result<()> {
    let folder = tempfile::tempdir()?;
    let output = folder.path().join("merged.log");
    let writer = WriteThread::start(&output)?;
    for line in ["one\n", "two\n", "three\n"] {
        writer.requests.send(line).map_err(io::Error::other)?;
    }
    println!("three lines were handed over, each with Ok");
    println!("bytes in the file as the program ends: {}", fs::metadata(&output)?.len());
    Ok(())
}
