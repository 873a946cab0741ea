//! The blocking pool: it is bounded, its queue is silent, and the end of the
//! runtime waits for what has begun there.

use std::fs;
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier, mpsc};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, unbounded};
use testkit::within;
use tokio::io::AsyncWriteExt;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::{A_WHILE, comes, does_not_come, one_thread};

/// Where jobs wait until the other end is dropped, which lets all of them pass: a
/// test that fails does not wait for its own jobs.
type Door = Receiver<()>;

#[test]
fn the_pool_has_512_threads_unless_told_otherwise_and_a_silent_queue() {
    const JOBS: usize = 520;
    const DEFAULT: usize = 512;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.log");
    fs::write(&file, "one\n").unwrap();
    let runtime = Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let ((closed, door), (began, begun)) = (unbounded::<()>(), channel());
        let start = |_| {
            let (door, began): (Door, _) = (door.clone(), began.clone());
            spawn_blocking(move || {
                began.send(()).unwrap();
                door.recv()
            })
        };
        // No error, no warning, no wait: each of these calls returns at once.
        let jobs: Vec<_> = (0..JOBS).map(start).collect();
        for _ in 0..DEFAULT {
            comes(&begun, "one of the first 512 jobs begins");
        }
        does_not_come(&begun, "the 513th job begins");
        // Whatever else needs the pool stands behind the eight that are left.
        let read = timeout(A_WHILE, tokio::fs::read(&file)).await;
        assert!(read.is_err(), "`tokio::fs` has a thread of its own");

        drop(closed);
        for job in jobs {
            job.await.unwrap().unwrap_err();
        }
        assert_eq!(begun.try_iter().count(), JOBS - DEFAULT);
        assert_eq!(tokio::fs::read(&file).await.unwrap(), b"one\n");
    });
}

/// Has two tails fill the pool, and each write through it; tells when both
/// have ended. The thread stays behind if they never do.
fn two_tails_that_write_through_the_pool(threads: usize) -> mpsc::Receiver<()> {
    let (end, ended) = channel();
    thread::spawn(move || {
        let folder = tempfile::tempdir().unwrap();
        let both_are_there = Arc::new(Barrier::new(2));
        one_thread(threads).block_on(async {
            let tail = |name| {
                let (handle, both_are_there) = (Handle::current(), Arc::clone(&both_are_there));
                let file = folder.path().join(name);
                spawn_blocking(move || {
                    both_are_there.wait();
                    handle.block_on(tokio::fs::write(file, "one\n")).unwrap();
                })
            };
            let (first, second) = (tail("a.log"), tail("b.log"));
            first.await.unwrap();
            second.await.unwrap();
        });
        end.send(()).unwrap();
    });
    ended
}

#[test]
fn a_write_that_needs_the_pool_deadlocks_once_tails_have_filled_it() {
    does_not_come(&two_tails_that_write_through_the_pool(2), "two tails and their writes end");
    // One thread more, and there is a way out.
    comes(&two_tails_that_write_through_the_pool(3), "the same with a third thread");
}

/// Builds a runtime whose only thread for jobs has begun one, which waits at the door.
pub(crate) fn with_a_job_at(door: &Door) -> Runtime {
    let runtime = Builder::new_current_thread().max_blocking_threads(1).build().unwrap();
    let (began, begun) = channel();
    let door = door.clone();
    runtime.spawn_blocking(move || {
        began.send(()).unwrap();
        door.recv()
    });
    comes(&begun, "the job begins");
    runtime
}

#[test]
fn a_shutdown_with_a_limit_or_in_the_background_leaves_them_behind() {
    let (_closed, door) = unbounded();
    let at_the_door = [with_a_job_at(&door), with_a_job_at(&door)];
    // Both return while the jobs are at work.
    within(move || {
        let [one, another] = at_the_door;
        one.shutdown_timeout(Duration::from_millis(1));
        another.shutdown_background();
    });
}

#[test]
fn what_else_lives_in_the_pool_waits_behind_its_jobs() {
    let (closed, door) = unbounded();
    let runtime = with_a_job_at(&door);
    let ((find, found), (write, written)) = (channel(), channel());
    thread::spawn(move || {
        let look_up = async {
            let found = tokio::net::lookup_host("localhost:80").await;
            find.send(found.map(drop)).unwrap();
        };
        let say = async {
            let mut stdout = tokio::io::stdout();
            stdout.write_all(b"\n").await.unwrap();
            write.send(stdout.flush().await).unwrap();
        };
        runtime.block_on(async { tokio::join!(look_up, say) })
    });
    does_not_come(&found, "a name is looked up");
    does_not_come(&written, "a line is written to stdout");
    drop(closed);
    comes(&found, "the name is looked up").unwrap();
    comes(&written, "the line is written").unwrap();
}
