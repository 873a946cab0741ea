//! Serves with one of the versions, until somebody presses Enter: talk to it with
//! `nc 127.0.0.1 PORT`.
#![expect(clippy::print_stdout, reason = "a command prints")]

use std::fs::File;
use std::io::{self, stdin};
use std::net::TcpListener;
use std::{env, thread};

use service::{Serve, Statistics, Stop, bottom_up, fully_async, tasks, threads, top_down};
use tracing_subscriber::prelude::*;

fn main() -> io::Result<()> {
    let versions: [(&str, Serve); 5] = [
        ("threads", threads::serve),
        ("top_down", top_down::serve),
        ("bottom_up", bottom_up::serve),
        ("tasks", tasks::serve),
        ("fully_async", fully_async::serve),
    ];
    let wanted = env::args().nth(1).unwrap_or_default();
    let Some((_, serve)) = versions.iter().find(|(name, _)| *name == wanted) else {
        let message = format!("a version is one of {:?}", versions.map(|(name, _)| name));
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
