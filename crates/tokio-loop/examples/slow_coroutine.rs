//! `slow_coroutine` of *Effective Python*, item 62: a coroutine that blocks its
//! loop for half a second, and the debug mode that tells of it.
//!
//! ```sh
//! cargo run -p tokio-loop --example slow_coroutine
//! ```
//!
//! `asyncio.run(slow_coroutine(), debug=True)` says, when it is over, "Executing
//! <Task finished name='Task-1' coro=<slow_coroutine() done, ...> took 0.503
//! seconds".

use std::io;
use std::thread;
use std::time::Duration;

use tracing_subscriber::fmt::{self, MakeWriter};
use tracing_subscriber::layer::SubscriberExt;

/// The `time.sleep(0.5)` of the original, which should have been awaited. The span
/// gives it a name.
#[tracing::instrument]
async fn slow_coroutine() {
    thread::sleep(Duration::from_millis(500));
}

/// Runs it in debug mode, and then the same without a name.
pub(crate) fn debugged(out: impl for<'a> MakeWriter<'a> + Send + Sync + 'static) -> io::Result<()> {
    let subscriber = tracing_subscriber::registry()
        .with(fmt::layer().without_time().with_writer(out))
        .with(tokio_loop::names());
    tracing::subscriber::with_default(subscriber, || {
        let main = async {
            tokio_loop::spawn_local(slow_coroutine()).await?;
            // The loop turns again.
            tokio::time::sleep(Duration::from_millis(20)).await;
            tokio_loop::spawn_local(async { thread::sleep(Duration::from_millis(500)) }).await
        };
        Ok(tokio_loop::run(1, Some(tokio_loop::SLOW), main)?.answer?)
    })
}

fn main() -> io::Result<()> {
    debugged(io::stderr)
}
