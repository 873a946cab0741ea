//! With many workers a task may go on after an `.await` on another thread than
//! before it, and takes along what it holds.

use std::rc::Rc;
use std::sync::Arc;

use tokio::task::yield_now;

async fn start() {
    tokio::spawn(async { // refused: future cannot be sent between threads safely
        let name = Rc::new("a.log");
        // accepted: let name = Arc::new("a.log");
        yield_now().await;
        drop(name);
    });
}

fn main() {
    let _ = (start(), Rc::new(()), Arc::new(()));
}
