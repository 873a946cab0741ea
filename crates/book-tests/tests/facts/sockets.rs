//! A service: sockets that come from `std`, waits for two things at once, sets of tasks
//! that grow.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};

use testkit::{panic_of, within};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, duplex};
use tokio::runtime::{Builder, Runtime};
use tokio::select;
use tokio::sync::{Notify, watch};
use tokio::task::{JoinSet, yield_now};
use tokio_util::sync::CancellationToken;

use super::A_WHILE;
use crate::run;

/// Makes a connection as `std` does.
fn connection() -> TcpStream {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    TcpStream::connect(listener.local_addr().unwrap()).unwrap()
}

// ANCHOR: handed_over
/// Hands a socket of `std` to tokio.
fn handed_over(socket: TcpStream, runtime: &Runtime) -> io::Result<tokio::net::TcpStream> {
    socket.set_nonblocking(true)?;
    runtime.block_on(async { tokio::net::TcpStream::from_std(socket) })
}
// ANCHOR_END: handed_over

fn with_sockets() -> Runtime {
    Builder::new_current_thread().enable_io().build().unwrap()
}

#[test]
fn a_socket_of_std_that_still_blocks_is_refused_by_a_panic() {
    let (socket, runtime) = (connection(), with_sockets());
    let blocks = socket.try_clone().unwrap();
    let said = panic_of(|| runtime.block_on(async { tokio::net::TcpStream::from_std(blocks) }));
    assert!(said.contains("Registering a blocking socket with the tokio runtime"), "{said}");
    handed_over(socket, &runtime).unwrap();
}

#[test]
fn a_socket_of_std_can_only_be_taken_over_inside_a_runtime() {
    let socket = connection();
    socket.set_nonblocking(true).unwrap();
    let outside = socket.try_clone().unwrap();
    let said = panic_of(|| tokio::net::TcpStream::from_std(outside));
    assert!(said.contains("there is no reactor running"), "{said}");
    handed_over(socket, &with_sockets()).unwrap();
}

#[test]
fn a_runtime_without_io_refuses_a_socket() {
    let socket = connection();
    socket.set_nonblocking(true).unwrap();
    let said = panic_of(|| run(1, async { tokio::net::TcpStream::from_std(socket) }));
    assert!(said.contains("IO is disabled") && said.contains("enable_io"), "{said}");
}

#[test]
fn a_client_that_nobody_has_accepted_is_connected_and_hears_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    client.write_all(b"a line\n").unwrap();
    client.set_read_timeout(Some(A_WHILE)).unwrap();
    let told = client.read(&mut [0]).unwrap_err();
    assert_eq!(told.kind(), ErrorKind::WouldBlock);
    listener.accept().unwrap().0.write_all(b"1\n").unwrap();
    assert_eq!(client.read(&mut [0; 2]).unwrap(), 2);
}

// ANCHOR: halves
/// Reads a line that comes in two halves, with something else to do in between.
async fn with_read_line() -> String {
    let (mut client, service) = duplex(64);
    let (mut service, mut line) = (BufReader::new(service), String::new());
    for half in ["half a l", "ine\n"] {
        client.write_all(half.as_bytes()).await.unwrap();
        select! {
            biased;
            _ = service.read_line(&mut line) => {}
            () = yield_now() => {} // The half that was read is dropped with `read_line`.
        }
    }
    line
}

/// The same; what was read is in a buffer outside of the future that is dropped.
async fn with_read_until() -> String {
    let (mut client, service) = duplex(64);
    let (mut service, mut line) = (BufReader::new(service), Vec::new());
    for half in ["half a l", "ine\n"] {
        client.write_all(half.as_bytes()).await.unwrap();
        select! {
            biased;
            _ = service.read_until(b'\n', &mut line) => {}
            () = yield_now() => {}
        }
    }
    String::from_utf8(line).unwrap()
}
// ANCHOR_END: halves

#[test]
fn a_read_line_in_select_loses_half_a_line_and_read_until_keeps_it() {
    assert_eq!(run(1, with_read_line()), "ine\n");
    assert_eq!(run(1, with_read_until()), "half a line\n");
}

#[test]
fn a_read_exact_in_select_loses_half_a_frame_and_the_stream_is_out_of_step() {
    run(1, async {
        let (mut client, mut service) = duplex(64);
        let mut frame = [0; 4];
        for half in ["ab", "cd", "ef"] {
            client.write_all(half.as_bytes()).await.unwrap();
            if half == "ab" {
                assert!(!is_over(service.read_exact(&mut frame)).await);
            }
        }
        service.read_exact(&mut frame).await.unwrap();
        assert_eq!(&frame, b"cdef");
    });
}

/// Says whether a wait has ended at its first turn.
async fn is_over<T>(wait: impl Future<Output = T>) -> bool {
    select! {
        biased;
        _ = wait => true,
        () = yield_now() => false,
    }
}

#[test]
fn a_watch_and_a_token_remember_a_stop_and_a_notify_does_not() {
    let notify = Notify::new();
    let token = CancellationToken::new();
    let (stop, _kept) = watch::channel(false);
    run(1, async {
        // Nobody waits yet.
        notify.notify_waiters();
        token.cancel();
        stop.send_replace(true);
        assert!(!is_over(notify.notified()).await, "it reaches who waits, and nobody else");
        assert!(is_over(token.cancelled()).await);
        assert!(is_over(token.cancelled()).await, "and the next one");
        assert!(is_over(stop.subscribe().wait_for(|stop| *stop)).await);

        // A permit, for one.
        notify.notify_one();
        assert!(is_over(notify.notified()).await);
        assert!(!is_over(notify.notified()).await);
    });
}

#[test]
fn a_set_that_nobody_asks_keeps_each_task_that_has_ended() {
    within(|| {
        run(1, async {
            let mut clients = JoinSet::new();
            for _ in 0..100 {
                clients.spawn_local(async {});
                yield_now().await;
            }
            assert_eq!(clients.len(), 100);
            while clients.try_join_next().is_some() {}
            assert_eq!(clients.len(), 0);
        });
    });
}
