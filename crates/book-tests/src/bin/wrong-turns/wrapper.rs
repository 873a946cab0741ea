//! A wrong turn: a blocking wrapper is called from async code.

use std::io;

use tokio::runtime::Builder;

/// The async leaf, as the bottom-up road has made it.
async fn tail_async() -> u32 {
    3
}

/// Its blocking wrapper, for callers that are not async yet.
fn tail() -> io::Result<u32> {
    let runtime = Builder::new_current_thread().enable_time().build()?;
    Ok(runtime.block_on(tail_async()))
}

/// A caller that has become async, and still calls the wrapper.
async fn merge_async() -> io::Result<u32> {
    tail()
}

pub(crate) fn main() -> io::Result<()> {
    tokio_loop::run(1, None, merge_async())?.answer?;
    Ok(())
}
