//! `stop` takes the writer with it.

struct WriteThread;

impl WriteThread {
    async fn write(&self) {}
    async fn stop(self) {}
}

async fn merge_async(writer: WriteThread) {
    let _ = (writer.stop().await, writer.write().await); // refused: E0382
    // accepted: let _ = (writer.write().await, writer.stop().await);
}

fn main() {
    let _ = merge_async;
}
