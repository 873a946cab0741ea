//! Code that is generic over a trait knows of an `async fn` only what the trait says, and
//! it says nothing of `Send`.

trait Reads: Send + Sync + 'static {
    async fn read(&self) -> u64;
    // accepted: fn read(&self) -> impl Future<Output = u64> + Send;
}

struct Log;

impl Reads for Log {
    async fn read(&self) -> u64 {
        1
    }
}

async fn start(log: impl Reads) {
    tokio::spawn(async move { log.read().await }); // refused: future cannot be sent between threads safely
}

fn main() {
    let _ = start(Log);
}
