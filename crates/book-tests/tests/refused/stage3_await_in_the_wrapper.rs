//! A blocking function cannot await; it can only block on a runtime.

use tokio::runtime::Builder;

fn tail() {
    let runtime = Builder::new_current_thread().enable_time().build().unwrap();
    tail_async().await; // refused: E0728
    // accepted: runtime.block_on(tail_async());
    drop(runtime);
}

async fn tail_async() {}

fn main() {
    tail();
}
