//! A wrong turn: `Ok` of a `tokio::fs::File` is taken for "it is written".

use std::io;

use tokio::fs::OpenOptions;
use tokio::io::AsyncWriteExt;

#[expect(clippy::print_stdout, reason = "an example speaks")]
async fn write() -> io::Result<()> {
    // A disk that is full.
    let mut output = OpenOptions::new().append(true).open("/dev/full").await?;
    println!("write_all:   {:?}", output.write_all(b"one\n").await.map_err(|cause| cause.kind()));
    println!("flush:       {:?}", output.flush().await.map_err(|cause| cause.kind()));
    println!("flush again: {:?}", output.flush().await.map_err(|cause| cause.kind()));
    Ok(())
}

pub(crate) fn main() -> io::Result<()> {
    tokio_loop::run(1, None, write())?.answer
}
