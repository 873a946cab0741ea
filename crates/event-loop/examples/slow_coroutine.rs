//! `slow_coroutine` of the book (Effective Python, item 62): a coroutine that
//! blocks its loop for half a second, and the debug mode that tells of it.
//!
//! ```sh
//! cargo run -p event-loop --example slow_coroutine
//! ```
//!
//! In Python, `asyncio.run(slow_coroutine(), debug=True)` says when it is over:
//!
//! ```text
//! Executing <Task finished name='Task-1' coro=<slow_coroutine() done, defined
//! at example.py:29> result=None created at .../asyncio/base_events.py:487> took
//! 0.503 seconds
//! ```

use std::io;
use std::thread;
use std::time::Duration;

use tracing::warn_span;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// `time.sleep(0.5)` in the book: it ought to be awaited.
async fn slow_coroutine() {
    let _span = warn_span!("sleep", source = "slow_coroutine").entered();
    thread::sleep(Duration::from_millis(500));
}

fn main() -> io::Result<()> {
    tracing_subscriber::registry()
        .with(tracing_subscriber::fmt::layer().without_time().with_writer(io::stderr))
        .with(event_loop::names())
        .init();
    let main = async {
        // With a name, and without one.
        let named = event_loop::spawn_local(slow_coroutine());
        named.await.expect("it does not panic");
        thread::sleep(Duration::from_millis(500));
    };
    event_loop::run(1, Some(event_loop::SLOW), main)?;
    Ok(())
}
