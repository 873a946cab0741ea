//! `tokio::spawn` may move a task to another thread, and an `Rc` must not go
//! there. `spawn_local` keeps the task here.

use std::cell::RefCell;
use std::rc::Rc;

use tokio::task::spawn_local;
use tributary::Output;

async fn start(writer: Rc<RefCell<Output>>) {
    let tail = async move { writer.borrow_mut().finish() };
    tokio::spawn(tail); // refused: future cannot be sent between threads safely
    // accepted: spawn_local(tail);
    let _ = spawn_local::<std::future::Ready<()>>;
}

fn main() {
    let _ = start;
}
