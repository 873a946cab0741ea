//! A source moves into the job that reads it, and comes back with the answer. In
//! Python whoever has the handle may read on meanwhile.

use tokio::task::spawn_blocking;
use tributary::Source;

async fn tail(mut source: Source) {
    let job = spawn_blocking(move || (source.read_lines(), source));
    let read = source.read_lines(); // refused: E0382
    // accepted: let (read, source) = job.await.unwrap();
    drop((read, source));
}

fn main() {
    let _ = tail;
}
