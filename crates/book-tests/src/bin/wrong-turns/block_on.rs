//! A wrong turn: a helper blocks by the `block_on` of another crate, and async code
//! calls it.

use std::io::{self, Write};

use futures_executor::block_on;
use tokio::task::spawn_blocking;

/// What an async library offers: a look, in a job of the pool.
async fn look() -> usize {
    spawn_blocking(|| 1).await.expect("the look does not panic")
}

/// The helper for callers that are not async.
fn look_now() -> usize {
    block_on(look())
}

/// A caller that is async, and calls the helper.
async fn look_often() -> io::Result<()> {
    let mut looks = 0;
    while looks < 1000 {
        looks += look_now();
        if looks.is_power_of_two() {
            writeln!(io::stdout(), "{looks} looks")?;
        }
    }
    Ok(())
}

pub(crate) fn main() -> io::Result<()> {
    tokio_loop::run(1, None, look_often())?.answer
}
