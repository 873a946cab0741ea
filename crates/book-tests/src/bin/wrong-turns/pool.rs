//! A wrong turn: jobs that last as long as the program, on a pool that has
//! fewer threads than there are jobs.

use std::io;
use std::thread;

use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

/// As small as it takes to show it. The default is 512.
const POOL: usize = 3;

async fn merge_async() {
    let (follows, mut followed) = mpsc::unbounded_channel();
    for log in ["a.log", "b.log", "c.log", "d.log"] {
        let follows = follows.clone();
        spawn_blocking(move || {
            follows.send(log).expect("somebody counts");
            // It follows its log for as long as the program runs.
            loop {
                thread::park();
            }
        });
    }
    for number in 1..=4 {
        followed.recv().await.expect("a sender is here");
        say(&format!("{number} of 4 logs are followed"));
    }
}

#[expect(clippy::print_stdout, reason = "an example speaks")]
fn say(what: &str) {
    println!("{what}");
}

pub(crate) fn main() -> io::Result<()> {
    tokio_loop::run(POOL, None, merge_async())?;
    Ok(())
}
