//! A wrong turn: `read_line` in `select!`, which drops it when something else is ready.

use std::io;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader, duplex};
use tokio::sync::mpsc::{Receiver, channel};
use tokio::{join, select};

/// Says each line of a client, and each tick.
async fn serve(client: impl AsyncRead + Unpin, mut ticks: Receiver<()>) -> io::Result<()> {
    let mut client = BufReader::new(client);
    let mut line = String::new();
    loop {
        select! {
            biased;
            read = client.read_line(&mut line) => {
                if read? == 0 {
                    return Ok(());
                }
                say(&format!("heard: {:?}", line.trim_end()));
                line.clear();
            }
            Some(()) = ticks.recv() => say("a tick"),
        }
    }
}

#[expect(clippy::print_stdout, reason = "an example speaks")]
fn say(what: &str) {
    println!("{what}");
}

pub(crate) fn main() -> io::Result<()> {
    let main = async {
        let ((mut client, end), (tick, ticks)) = (duplex(64), channel(1));
        let writes = async move {
            client.write_all(b"first line\nsecond ").await?;
            tick.send(()).await.map_err(io::Error::other)?;
            // There is a place again when the tick was heard.
            let _heard = tick.reserve().await;
            client.write_all(b"line\nthird line\n").await
        };
        let (served, written) = join!(serve(end, ticks), writes);
        served.and(written)
    };
    tokio_loop::run(1, None, main)?.answer
}
