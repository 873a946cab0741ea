//! Many files, and an output that blocks.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::OpenOptionsExt;

use rustix::fs::OFlags;
use rustix::io::ioctl_fionread;
use rustix::process::{Resource, getrlimit};

use super::REPLACED;
use crate::scene::Scene;
use crate::witness::seconds;
use crate::{Judging, Why};

pub(super) fn sixty_four_sources_all_make_progress(judging: &Judging<'_>) -> Result<(), Why> {
    all_make_progress(64, judging)
}

pub(super) fn six_hundred_sources_all_make_progress(judging: &Judging<'_>) -> Result<(), Why> {
    const FILES: u64 = 600;
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    // A few are a program's own.
    if limit < FILES + 40 {
        return Err(Why::NotAsked(format!("a program may open no more than {limit} files here")));
    }
    all_make_progress(FILES as usize, judging)
}

/// Merges files of a line each, which get another one while they are followed.
fn all_make_progress(files: usize, judging: &Judging<'_>) -> Result<(), Why> {
    let mut scene = Scene::new(judging, files);
    scene.logs.iter_mut().for_each(|log| log.write(1));
    let run = scene.run()?;
    if run.follows() {
        for round in 0..2 {
            if round > 0 {
                scene.logs.iter_mut().for_each(|log| log.write(1));
            }
            if run.until_written(scene.bytes()) {
                continue;
            }
            let silent = scene.silent();
            if let Some(first) = silent.first().filter(|_| run.program.ended().is_none()) {
                return Err(Why::Broken(format!(
                    "{} of {files} files have given no line after {}, the first of them is {}",
                    silent.len(),
                    seconds(run.within()),
                    first.path.file_name().unwrap_or_default().display()
                )));
            }
            run.must_have_written(scene.bytes(), "the second line of each file")?;
        }
    }
    let end = run.end()?;
    scene.check(&end)
}

/// The output is a FIFO. It is read when it is nearly full, a page at a time.
pub(super) fn a_slow_reader_loses_nothing(judging: &Judging<'_>) -> Result<(), Why> {
    const NEARLY_FULL: u64 = 60 << 10;
    let mut scene = Scene::new(judging, 3);
    scene.logs.iter_mut().for_each(|log| log.write(4_000));
    let path = scene.path("fifo");
    testkit::make_fifo(&path);
    let mut reader = OpenOptions::new();
    reader.read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed());
    let mut fifo = reader.open(&path).expect("a law can open its FIFO");

    let run = scene.run_with(&[], &path)?;
    run.until(|_| ioctl_fionread(&fifo).is_ok_and(|bytes| bytes >= NEARLY_FULL));
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
