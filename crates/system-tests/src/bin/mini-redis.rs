//! `src/bin/server.rs` of mini-redis 0.4.1, as it is there but for the lines
//! with `// Ours`: the watch, the layer that names, and a log that goes to a file.
//!
//! Copyright (c) 2020 Tokio Contributors, under the MIT licence.
//!
//! mini-redis server.
//!
//! This file is the entry point for the server implemented in the library. It
//! performs command line parsing and passes the arguments on to
//! `mini_redis::server`.
//!
//! The `clap` crate is used for parsing arguments.

#![allow(missing_docs, unreachable_pub, reason = "theirs")] // Ours

use mini_redis::{DEFAULT_PORT, server};

use structopt::StructOpt;
use tokio::net::TcpListener;
use tokio::signal;

#[tokio::main]
pub async fn main() -> mini_redis::Result<()> {
    // enable logging
    // see https://docs.rs/tracing for more info
    log_and_name()?; // Ours

    let cli = Cli::from_args();
    let port = cli.port.as_deref().unwrap_or(DEFAULT_PORT);

    // Bind a TCP listener
    let listener = TcpListener::bind(&format!("127.0.0.1:{}", port)).await?;

    tokio_loop::watched(tokio_loop::SLOW, server::run(listener, signal::ctrl_c())).await? // Ours
}

// Ours, to the end of the function: the server's log goes to a file that may
// block, and the lines of the watch to stdout.
fn log_and_name() -> mini_redis::Result<()> {
    use tracing_subscriber::filter::Targets;
    use tracing_subscriber::{Layer, fmt, layer::SubscriberExt, util::SubscriberInitExt};

    let only = |target| Targets::new().with_target(target, tracing::Level::DEBUG);
    let file = std::fs::OpenOptions::new().append(true).open(std::env::var("LOG")?)?;
    let log = fmt::layer().with_writer(std::sync::Arc::new(file)).with_filter(only("mini_redis"));
    let watch = fmt::layer().with_filter(only("tokio_loop"));
    tracing_subscriber::registry().with(log).with(watch).with(tokio_loop::names()).try_init()?;
    Ok(())
}

#[derive(StructOpt, Debug)]
#[structopt(name = "mini-redis-server", version = env!("CARGO_PKG_VERSION"), author = env!("CARGO_PKG_AUTHORS"), about = "A Redis server")]
struct Cli {
    #[structopt(name = "port", long = "--port")]
    port: Option<String>,
}
