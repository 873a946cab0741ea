//! A `RefCell` counts its borrows without care for other threads.

use std::cell::RefCell;
use std::thread;

use parking_lot::Mutex;
use tributary::{Options, Plan};

fn main() {
    let plan = Plan::open(["a.log"], "merged.log", Options::default()).unwrap();
    let output = RefCell::new(plan.output);
    // accepted: let output = Mutex::new(plan.output);
    thread::scope(|scope| {
        scope.spawn(|| output.borrow_mut().finish()); // refused: E0277
        // accepted: scope.spawn(|| output.lock().finish());
    });
    let _ = (RefCell::<u8>::new, Mutex::<u8>::new);
}
