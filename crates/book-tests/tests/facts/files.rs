//! Files and async code: what `Ok` means, what a drop loses, and what a
//! runtime has open.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::exit;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Sender, unbounded};
use rustix::event::epoll;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, duplex};
use tokio::runtime::Runtime;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::pool::with_a_job_at;
use super::{A_WHILE, comes, does_not_come, one_thread};
use crate::process::{child, role};

/// Opens a file for `tokio::fs`, without a job of the pool.
fn tokio_file(path: &Path) -> tokio::fs::File {
    let file = OpenOptions::new().append(true).create(true).open(path);
    tokio::fs::File::from_std(file.unwrap())
}

#[test]
fn write_all_of_a_tokio_file_returns_before_the_bytes_are_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("merged.log");
    one_thread(1).block_on(async {
        let (go_on, gate) = channel::<()>();
        let job = spawn_blocking(move || gate.recv().is_ok());
        // The pool is busy, so that what would be a race is always lost.
        let mut file = tokio_file(&path);
        file.write_all(b"one\n").await.unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"", "`Ok`, and nothing in the file");
        assert!(timeout(A_WHILE, file.flush()).await.is_err(), "a flush waits for the pool");
        go_on.send(()).unwrap();
        file.flush().await.unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"one\n");
        assert!(job.await.unwrap());
    });
}

#[test]
fn a_tokio_file_reports_a_full_disk_once_and_at_the_flush() {
    one_thread(1).block_on(async {
        // Or at the next write, if that comes first.
        let mut file = tokio_file(Path::new("/dev/full"));
        file.write_all(b"one\n").await.unwrap();
        let written = file.write_all(b"two\n").await;
        assert_eq!(written.unwrap_err().kind(), io::ErrorKind::StorageFull);
        file.flush().await.expect("it was told at the write");

        let mut file = tokio_file(Path::new("/dev/full"));
        file.write_all(b"one\n").await.unwrap();
        let flushed = file.flush().await;
        assert_eq!(flushed.unwrap_err().kind(), io::ErrorKind::StorageFull);
        file.flush().await.expect("the error was told once, and the bytes are gone");
    });
    // The one of std keeps its bytes, and says it again.
    let mut file = BufWriter::new(OpenOptions::new().append(true).open("/dev/full").unwrap());
    file.write_all(b"one\n").unwrap();
    for _ in 0..2 {
        assert_eq!(file.flush().unwrap_err().kind(), io::ErrorKind::StorageFull);
    }
}

/// Writes a line by `tokio::fs` while the only thread of the pool is busy; it goes
/// on once what is returned beside the runtime is dropped.
fn written_behind_a_busy_pool(path: &Path) -> (Runtime, Sender<()>) {
    let (go_on, gate) = unbounded();
    let runtime = with_a_job_at(&gate);
    runtime.block_on(async {
        let mut file = tokio_file(path);
        file.write_all(b"one\n").await.unwrap();
    });
    (runtime, go_on)
}

/// What the child exits with once `write_all` has said `Ok`.
const WRITTEN: i32 = 42;

#[test]
fn an_exit_loses_what_a_tokio_file_has_taken() {
    if let Some(path) = role() {
        let _held = written_behind_a_busy_pool(Path::new(&path));
        exit(WRITTEN);
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("merged.log");
    let test = "facts::files::an_exit_loses_what_a_tokio_file_has_taken";
    let ended = child(test, path.to_str().unwrap());
    assert!(ended.ends_with(&format!("(exit code {WRITTEN})\n")), "{ended}");
    assert_eq!(fs::read(&path).unwrap(), b"", "`write_all` had said `Ok`");
}

#[test]
fn the_drop_of_the_runtime_writes_what_a_tokio_file_has_taken() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("merged.log");
    let (runtime, go_on) = written_behind_a_busy_pool(&path);
    let (end, ended) = channel();
    let drops = thread::spawn(move || {
        drop(runtime);
        end.send(()).unwrap();
    });
    does_not_come(&ended, "the drop returns while the bytes wait for the pool");
    drop(go_on);
    comes(&ended, "the drop returns once they are written");
    drops.join().unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"one\n");
}

#[test]
fn a_buffer_of_tokio_loses_its_bytes_when_it_is_dropped_and_that_of_std_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let (by_tokio, by_std) = (folder.path().join("tokio"), folder.path().join("std"));
    one_thread(1).block_on(async {
        let mut buffer = tokio::io::BufWriter::new(tokio_file(&by_tokio));
        buffer.write_all(b"one\n").await.unwrap();
        drop(buffer);
    });
    let mut buffer = BufWriter::new(File::create(&by_std).unwrap());
    buffer.write_all(b"one\n").unwrap();
    drop(buffer);
    assert_eq!(fs::read(&by_tokio).unwrap(), b"");
    assert_eq!(fs::read(&by_std).unwrap(), b"one\n");

    // Its drop writes, and tells nobody how that went.
    let mut full = BufWriter::new(OpenOptions::new().append(true).open("/dev/full").unwrap());
    full.write_all(b"one\n").unwrap();
    drop(full);
}

/// Reads a line whose halves come one after the other, by a read that is given
/// up between them, and by one more; returns what the second one has.
async fn second_read(read_line: bool) -> Vec<u8> {
    let (mut log, reader) = duplex(64);
    let mut reader = BufReader::new(reader);
    let (mut text, mut bytes) = (String::new(), Vec::new());
    for half in ["half a ", "line\n"] {
        log.write_all(half.as_bytes()).await.unwrap();
        // It takes what is there, and then no time passes.
        let read = async {
            if read_line {
                reader.read_line(&mut text).await
            } else {
                reader.read_until(b'\n', &mut bytes).await
            }
        };
        let ended = timeout(Duration::ZERO, read).await.is_ok();
        assert_eq!(ended, half.ends_with('\n'));
    }
    if read_line { text.into_bytes() } else { bytes }
}

#[test]
fn a_read_line_that_is_given_up_loses_what_it_has_read_and_read_until_does_not() {
    one_thread(1).block_on(async {
        assert_eq!(second_read(true).await, b"line\n");
        assert_eq!(second_read(false).await, b"half a line\n");
    });
}

#[test]
fn epoll_refuses_a_regular_file_and_takes_a_pipe() {
    let set = epoll::create(epoll::CreateFlags::CLOEXEC).unwrap();
    let watch = |file: &dyn std::os::fd::AsFd| {
        epoll::add(&set, file.as_fd(), epoll::EventData::new_u64(0), epoll::EventFlags::IN)
    };
    let refused = watch(&tempfile::tempfile().unwrap()).unwrap_err();
    assert_eq!(io::Error::from(refused).kind(), io::ErrorKind::PermissionDenied);
    let (reader, _writer) = io::pipe().unwrap();
    watch(&reader).unwrap();
}
