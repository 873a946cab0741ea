//! With many workers two tasks may run in the same instant. A `RefCell` counts
//! its borrows without care for that, and an `Arc` round it changes nothing.

use std::cell::RefCell;
use std::sync::{Arc, Mutex};

use tributary::Output;

async fn start(output: Output) {
    let output = Arc::new(RefCell::new(output));
    // accepted: let output = Arc::new(Mutex::new(output));
    let finish = move || drop(output.borrow_mut().finish());
    // accepted: let finish = move || drop(output.lock().unwrap().finish());
    tokio::spawn(async move { finish() }); // refused: E0277
    // accepted: tokio::spawn(async move { finish() });
    let _ = (RefCell::new(()), Mutex::new(()));
}

fn main() {
    let _ = start;
}
