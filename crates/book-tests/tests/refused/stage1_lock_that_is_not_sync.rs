//! A `RefCell` counts its borrows without care for other threads.

use std::cell::RefCell;
use std::thread;

use parking_lot::Mutex;
use tributary::Output;

fn merge(cell: RefCell<Output>, lock: Mutex<Output>) {
    thread::scope(|scope| {
        scope.spawn(|| cell.borrow_mut().finish()); // refused: E0277
        // accepted: scope.spawn(|| lock.lock().finish());
    });
}

fn main() {
    let _ = merge;
}
