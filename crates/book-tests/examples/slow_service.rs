//! A service on many workers that one request makes slow for everybody, and the
//! line that names the handler.
//!
//! ```sh
//! cargo run -p book-tests --example slow_service
//! ```

use std::io::{self, BufRead, ErrorKind, Write};
use std::net::{self, SocketAddr};
use std::process;
use std::thread;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tracing_subscriber::fmt::{self, format};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::registry::Registry;
use tracing_subscriber::util::SubscriberInitExt;

// ANCHOR: service
async fn serve(listener: TcpListener) -> io::Result<()> {
    loop {
        let (client, _) = listener.accept().await?;
        tokio::spawn(talk(client));
    }
}

/// Answers each line of a client by a line.
async fn talk(mut client: TcpStream) -> io::Result<()> {
    let (requests, mut answers) = client.split();
    let mut requests = BufReader::new(requests).lines();
    while let Some(request) = requests.next_line().await? {
        let answer = answer(&request).await;
        answers.write_all(answer.as_bytes()).await?;
    }
    Ok(())
}

#[tracing::instrument]
async fn answer(request: &str) -> &'static str {
    if request == "report" { make_report() } else { "pong\n" }
}
// ANCHOR_END: service

// ANCHOR: main
#[tokio::main(worker_threads = 4)]
async fn main() -> io::Result<()> {
    tracing_subscriber::registry().with(prints()).with(tokio_loop::names()).init();

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    thread::spawn(move || two_clients(address));
    tokio_loop::watched(tokio_loop::SLOW, serve(listener)).await?
}
// ANCHOR_END: main

/// How long a report takes.
const REPORT: Duration = Duration::from_millis(700);
/// How long a client waits for an answer before it says so.
const PATIENCE: Duration = Duration::from_millis(350);
/// Long enough for a service at rest to begin with a request, or to end it.
const A_WHILE: Duration = Duration::from_millis(150);

/// What this program knows of the library that it calls is its name.
fn make_report() -> &'static str {
    thread::sleep(REPORT);
    "all is well\n"
}

/// Prints the message, which is for people, and not the fields for programs.
fn prints() -> impl Layer<Registry> {
    let message = format::debug_fn(|out, field, value| match field.name() {
        "message" => write!(out, "{value:?}"),
        _ => Ok(()),
    });
    fmt::layer().without_time().with_ansi(false).fmt_fields(message)
}

/// One client asks for a report; meanwhile another one pings. Then all is over.
#[expect(clippy::print_stdout, reason = "an example speaks")]
fn two_clients(service: SocketAddr) -> io::Result<()> {
    let (mut one, mut other) = (Client::of(service)?, Client::of(service)?);
    one.ask("ping")?;
    println!("ping: {}", one.answer()?);

    thread::sleep(A_WHILE);
    other.ask("report")?;
    thread::sleep(A_WHILE);
    one.ask("ping")?;
    println!("ping, during a report: {}", one.answer()?);
    thread::sleep(REPORT);
    println!("and later: {}", one.answer()?);
    process::exit(0);
}

struct Client(io::BufReader<net::TcpStream>);

impl Client {
    fn of(service: SocketAddr) -> io::Result<Client> {
        let stream = net::TcpStream::connect(service)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Client(io::BufReader::new(stream)))
    }

    fn ask(&mut self, request: &str) -> io::Result<()> {
        self.0.get_mut().write_all(format!("{request}\n").as_bytes())
    }

    fn answer(&mut self) -> io::Result<String> {
        let mut line = String::new();
        match self.0.read_line(&mut line) {
            Ok(_) => Ok(line.trim_end().to_owned()),
            Err(cause) if cause.kind() == ErrorKind::WouldBlock => Ok("no answer".to_owned()),
            Err(cause) => Err(cause),
        }
    }
}
