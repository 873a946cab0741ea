//! Serves with one of the versions, until somebody presses Enter: talk to it with
//! `nc 127.0.0.1 PORT`.
#![expect(clippy::print_stdout, reason = "a command prints")]

use std::fs::File;
use std::io::{self, stdin};
use std::net::TcpListener;
use std::{env, thread};

use service::{Statistics, Stop, VERSIONS, Version};
use tracing_subscriber::prelude::*;

fn main() -> io::Result<()> {
    let wanted = env::args().nth(1).unwrap_or_default();
    let Some(&Version { serve, .. }) = Version::named(&wanted) else {
        let names: Vec<_> = VERSIONS.iter().map(|version| version.name).collect();
        let message = format!("a version is one of {names:?}");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    };
    let prints = tracing_subscriber::fmt::layer();
    tracing_subscriber::registry().with(prints).with(tokio_loop::names()).init();

    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("{} serves; Enter ends it", listener.local_addr()?);
    let stop = Stop::default();
    let of_enter = stop.clone();
    // It is left behind if the service ends by itself, and keeps nobody.
    thread::spawn(move || {
        // An error is an end as well.
        let _ = stdin().read_line(&mut String::new());
        of_enter.request();
    });
    let served =
        serve(listener, Statistics::new(File::create(env::temp_dir().join("statistics"))?), stop)?;
    println!("{served:?}");
    Ok(())
}
