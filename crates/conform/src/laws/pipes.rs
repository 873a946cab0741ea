//! An output that is a FIFO.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use rustix::fs::OFlags;
use rustix::io::ioctl_fionread;

use super::REPLACED;
use super::failures::must_fail;
use crate::scene::Scene;
use crate::{Judging, Why};

/// It is read when it is nearly full, a page at a time.
pub(super) fn a_slow_reader_loses_nothing(judging: &Judging<'_>) -> Result<(), Why> {
    const NEARLY_FULL: u64 = 60 << 10;
    let mut scene = Scene::new(judging, 3);
    scene.logs.iter_mut().for_each(|log| log.write(4_000));
    let (path, mut fifo) = fifo(&scene);
    let run = scene.run_with(&[], &path)?;
    run.until(|_| has(&fifo, NEARLY_FULL));
    let mut read = Vec::new();
    run.until(|_| {
        read_page(&mut fifo, &mut read);
        read.len() as u64 >= scene.bytes()
    });
    if run.follows() {
        run.ask_to_stop();
    }
    // What was in the FIFO when the program ended is read by the last look.
    run.until(|_| {
        while read_page(&mut fifo, &mut read) {}
        false
    });
    while read_page(&mut fifo, &mut read) {}
    fs::write(&scene.output, &read).expect("the folder can be written");
    let end = run.end()?;
    if path.is_file() {
        return Err(Why::NotAsked(REPLACED.to_owned()));
    }
    scene.check(&end)
}

/// The files have more than a FIFO takes, so the program writes on or waits for room.
pub(super) fn a_reader_that_goes_away_ends_the_run(judging: &Judging<'_>) -> Result<(), Why> {
    let mut scene = Scene::new(judging, 2);
    scene.logs.iter_mut().for_each(|log| log.write(4_000));
    let (path, fifo) = fifo(&scene);
    let run = scene.run_with(&[], &path)?;
    run.until(|_| has(&fifo, 1));
    drop(fifo);
    must_fail(run, "nobody reads the output any more", || path.is_file()).map(drop)
}

/// Makes a FIFO, and opens it for reading.
fn fifo(scene: &Scene<'_>) -> (PathBuf, File) {
    let path = scene.path("fifo");
    testkit::make_fifo(&path);
    let mut reader = OpenOptions::new();
    reader.read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed());
    let fifo = reader.open(&path).expect("a law can open its FIFO");
    (path, fifo)
}

fn has(fifo: &File, bytes: u64) -> bool {
    ioctl_fionread(fifo).is_ok_and(|has| has >= bytes)
}

/// Reads what is there, up to a page; false if nothing is.
fn read_page(fifo: &mut File, read: &mut Vec<u8>) -> bool {
    let mut page = [0; 4096];
    match fifo.read(&mut page) {
        Ok(bytes) => {
            read.extend_from_slice(&page[..bytes]);
            bytes > 0
        }
        Err(error) if error.kind() == ErrorKind::WouldBlock => false,
        Err(error) => panic!("a law can read its FIFO: {error}"),
    }
}
