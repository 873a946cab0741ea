//! With many workers two tasks may run in the same instant. A `RefCell` counts
//! its borrows without care for that, and an `Arc` round it changes nothing.

use std::cell::RefCell;
use std::sync::{Arc, Mutex};

use tributary::Output;

async fn start(cell: Arc<RefCell<Output>>, lock: Arc<Mutex<Output>>) {
    let finish = move || drop(cell.borrow_mut().finish());
    // accepted: let finish = move || drop(lock.lock().unwrap().finish());
    tokio::spawn(async move { finish() }); // refused: E0277
}

fn main() {
    let _ = start;
}
