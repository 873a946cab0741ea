//! Looks up a name in a task of a watched runtime: `look-up WORKERS`. Is the name
//! server as well, on port 53 of this machine, and silent until stdin is at its end.
//!
//! Prints what the watch tells.

use std::io::{self, Read};
use std::net::{Ipv4Addr, ToSocketAddrs, UdpSocket};
use std::thread;

use tokio::runtime::Builder;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

fn main() -> anyhow::Result<()> {
    let printed = tracing_subscriber::fmt::layer().without_time().with_ansi(false);
    tracing_subscriber::registry().with(printed).with(tokio_loop::names()).init();
    let workers = std::env::args().nth(1).unwrap_or_default().parse()?;
    let server = UdpSocket::bind((Ipv4Addr::LOCALHOST, 53))?;
    thread::spawn(move || serve(&server));
    let mut builder = match workers {
        1 => Builder::new_current_thread(),
        _ => Builder::new_multi_thread(),
    };
    let runtime = builder.worker_threads(workers).enable_all().build()?;
    runtime.block_on(tokio_loop::watched(tokio_loop::SLOW, async {
        let task = tokio::spawn(look_up("service.example"));
        task.await
    }))??;
    Ok(())
}

#[tracing::instrument]
async fn look_up(name: &str) {
    // Blocks on purpose: a program should call `tokio::net::lookup_host`.
    assert!((name, 80).to_socket_addrs().is_err(), "nobody knows an address");
}

/// Answers each question by "server failure", once stdin is at its end.
fn serve(server: &UdpSocket) -> io::Result<()> {
    io::stdin().read_to_end(&mut Vec::new())?;
    let mut question = [0; 512];
    loop {
        let (length, client) = server.recv_from(&mut question)?;
        // The bit of an answer, and the code of that failure, which is 2.
        question[2] |= 0x80;
        question[3] = 0x02;
        server.send_to(&question[..length], client)?;
    }
}
