//! Real threads: each blocks until the test has seen in what.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, epoll, poll};
use rustix::fs::{FlockOperation, flock};
use testkit::{Folder, make_fifo, until};

use super::*;

/// Has a thread run `block`, until two looks at it say `expected`. Then `let_go`
/// has to end it. Returns what was seen.
#[track_caller]
fn assert_seen<T, U>(
    expected: &str,
    block: impl FnOnce() -> T + Send,
    let_go: impl FnOnce() -> U,
) -> Doing {
    thread::scope(|scope| {
        let (found, thread) = mpsc::channel();
        scope.spawn(move || {
            found.send(Thread::current().unwrap()).unwrap();
            block();
        });
        let thread = thread.recv().unwrap();
        let mut last = None;
        let mut before = (thread.look().unwrap(), Instant::now());
        let until_seen = || {
            until(&format!("`{expected}` is said"), || {
                let now = (thread.look().unwrap(), Instant::now());
                let doing = Doing::between(&before.0, &now.0, now.1 - before.1);
                before = now;
                last.insert(doing).now().starts_with(expected)
            });
        };
        let seen = catch_unwind(AssertUnwindSafe(until_seen));
        // Also where it was not seen, or the thread would block for ever.
        let_go();
        let last = last.unwrap();
        seen.unwrap_or_else(|_| panic!("expected `{expected}`, saw {last:?}"));
        last
    })
}

/// The same for a thread that blocks until it finds `done`.
#[track_caller]
fn assert_seen_again_and_again(expected: &str, act: impl Fn() + Sync) {
    let done = AtomicBool::new(false);
    let block = || {
        while !done.load(Ordering::Relaxed) {
            act();
        }
    };
    assert_seen(expected, block, || done.store(true, Ordering::Relaxed));
}

#[test]
fn a_thread_that_sleeps() {
    assert_seen_again_and_again("it sleeps", || thread::sleep(20 * MS));
}

#[test]
fn a_thread_that_computes() {
    assert_seen_again_and_again("it computes", std::hint::spin_loop);
}

#[test]
fn a_thread_that_has_the_kernel_at_work() {
    let zero = File::open("/dev/zero").unwrap();
    assert_seen_again_and_again("it is at work in system calls", || {
        let _ = (&zero).read(&mut [0; 1 << 16]).unwrap();
    });
}

#[test]
fn a_thread_that_waits_for_a_lock() {
    let lock = Mutex::new(());
    let held = lock.lock().unwrap();
    let doing = assert_seen(
        "it waits for a lock, a channel or a thread",
        || drop(lock.lock()),
        || drop(held),
    );
    assert_eq!(doing.call(), Some("futex"));
}

#[test]
fn a_thread_that_waits_for_a_channel() {
    let (sender, receiver) = mpsc::channel::<()>();
    assert_seen(
        "it waits for a lock, a channel or a thread",
        move || receiver.recv(),
        || drop(sender),
    );
}

#[test]
fn a_thread_that_joins_another() {
    let (sender, receiver) = mpsc::channel::<()>();
    let other = thread::spawn(move || receiver.recv());
    assert_seen("it waits for a lock, a channel or a thread", || other.join(), || drop(sender));
}

#[test]
fn a_thread_that_opens_a_fifo_and_reads_it() {
    let folder = Folder::new();
    let path = folder.path("a.fifo");
    make_fifo(&path);
    // One end for both directions does not wait for another to open it.
    let open = || File::options().read(true).write(true).open(&path).unwrap();
    let doing = assert_seen("it opens a file", || File::open(&path).unwrap(), open);
    assert_eq!(doing.call(), Some("openat"));

    let writer = open();
    let mut reader = File::open(&path).unwrap();
    let (number, read) = (reader.as_raw_fd(), move || reader.read(&mut [0]).unwrap());
    let doing = assert_seen("it reads a.fifo", read, || drop(writer));
    assert_eq!(doing.call(), Some(&*format!("read({number}: {})", path.display())));
}

#[test]
fn a_thread_that_writes_to_a_full_pipe() {
    let (reader, mut writer) = io::pipe().unwrap();
    assert_seen(
        "it writes to a pipe",
        move || writer.write_all(&[0; 1 << 20]),
        || {
            drop(reader);
        },
    );
}

#[test]
fn a_thread_that_receives_from_udp() {
    let [socket, other] = [(); 2].map(|()| UdpSocket::bind("127.0.0.1:0").unwrap());
    let address = socket.local_addr().unwrap();
    let receive = || socket.recv(&mut [0]).unwrap();
    let let_go = || other.send_to(&[0], address).unwrap();
    assert_seen(&format!("it receives from udp {address}"), receive, let_go);

    let peer = other.local_addr().unwrap();
    socket.connect(peer).unwrap();
    let expected = format!("it receives from udp {address} -> {peer}");
    let receive = || socket.recv(&mut [0]).unwrap();
    assert_seen(&expected, receive, || other.send_to(&[0], address).unwrap());
}

#[test]
fn a_thread_that_accepts_and_receives_from_tcp() {
    for address in ["127.0.0.1:0", "[::1]:0"] {
        // A machine without IPv6 has one address only.
        let Ok(listener) = TcpListener::bind(address) else { continue };
        let address = listener.local_addr().unwrap();
        let client = TcpStream::connect(address).unwrap();
        let (server, peer) = listener.accept().unwrap();
        let receive = || (&server).read(&mut [0]).unwrap();
        assert_seen(&format!("it receives from tcp {address} -> {peer}"), receive, || drop(client));

        let expected = format!("it waits for a connection to tcp {address}");
        let accept = || listener.accept().unwrap();
        assert_seen(&expected, accept, || TcpStream::connect(address).unwrap());
    }
}

#[test]
fn a_thread_that_receives_from_a_unix_socket() {
    let folder = Folder::new();
    let path = folder.path("a.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let expected = format!("it waits for a connection to unix {}", path.display());
    let accept = || listener.accept().unwrap();
    let let_go = || UnixStream::connect(&path).unwrap();
    assert_seen(&expected, accept, let_go);

    let (one, other) = UnixDatagram::pair().unwrap();
    let receive = || one.recv(&mut [0]).unwrap();
    assert_seen("it receives from a unix socket", receive, || other.send(&[0]).unwrap());
}

#[test]
fn a_thread_that_waits_for_a_child_process() {
    let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
    let input = child.stdin.take();
    let wait = move || child.wait().unwrap();
    assert_seen("it waits for a child process", wait, || drop(input));
}

#[test]
fn a_thread_that_waits_for_a_descriptor() {
    let (reader, writer) = io::pipe().unwrap();
    let wait = || {
        poll(&mut [PollFd::new(&reader, PollFlags::IN)], None).unwrap();
    };
    assert_seen("it waits for a descriptor: a name look-up does that", wait, || drop(writer));
}

#[test]
fn a_thread_that_waits_for_the_lock_of_a_file() {
    let folder = Folder::new();
    let path = folder.path("a.lock");
    let [held, wanted] = [(); 2].map(|()| File::create(&path).unwrap());
    flock(&held, FlockOperation::LockExclusive).unwrap();
    let lock = || flock(&wanted, FlockOperation::LockExclusive).unwrap();
    assert_seen("it waits for the lock of a.lock", lock, || drop(held));
}

#[test]
fn a_thread_that_waits_for_events_holds_a_driver() {
    let (reader, writer) = io::pipe().unwrap();
    let set = epoll::create(epoll::CreateFlags::CLOEXEC).unwrap();
    let data = || epoll::EventData::new_u64(0);
    epoll::add(&set, reader.as_fd(), data(), epoll::EventFlags::IN).unwrap();
    let (told, number) = mpsc::channel();
    let wait = || {
        told.send(Thread::current().unwrap()).unwrap();
        let mut events = [epoll::Event { flags: epoll::EventFlags::IN, data: data() }];
        epoll::wait(&set, &mut events, None).unwrap();
    };
    assert_seen("it waits for events, as an event loop does", wait, || {
        let waits = (number.recv().unwrap(), set.as_raw_fd());
        assert!(threads_in_epoll().contains(&waits));
        let here = Thread::current().unwrap();
        assert!(threads_in_epoll().iter().all(|(thread, _)| *thread != here));
        drop(writer);
    });
}

#[test]
fn a_thread_whose_name_the_system_has_cut_within_a_character_is_seen() {
    // Of a name the system keeps 15 bytes, and each of these letters has two.
    let name = "обработчик".to_owned();
    let look = || Thread::current().unwrap().look();
    let seen = thread::Builder::new().name(name).spawn(look).unwrap().join().unwrap();
    assert!(seen.is_some());
}

#[test]
fn a_thread_that_has_ended_is_not_seen() {
    let thread = thread::spawn(|| Thread::current().unwrap()).join().unwrap();
    until("the thread is gone", || thread.look().is_none());
    assert_ne!(Some(thread), Thread::current());
}

#[test]
fn the_number_of_a_thread_is_that_of_its_folder() {
    let folders = std::fs::read_dir("/proc/self/task").unwrap();
    let names: Vec<_> = folders.map(|folder| folder.unwrap().file_name()).collect();
    let number = Thread::current().unwrap().number().to_string();
    assert!(names.iter().any(|name| name == OsStr::new(&number)));
}
