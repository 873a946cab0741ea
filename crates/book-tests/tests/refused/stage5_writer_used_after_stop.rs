//! `stop` takes the writer with it.

struct WriteThread;

impl WriteThread {
    async fn write(&self) {}
    async fn stop(self) {}
}

async fn merge_async(writer: WriteThread) {
    writer.stop().await;
    // accepted: writer.write().await;
    writer.write().await; // refused: E0382
    // accepted: writer.stop().await;
}

fn main() {
    let _ = merge_async;
}
