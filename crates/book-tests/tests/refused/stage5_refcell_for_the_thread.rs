//! An `Rc<RefCell<…>>` proves that one thread is left. A writer thread is a
//! second one, so it owns the output itself.

use std::cell::RefCell;
use std::rc::Rc;
use std::thread;

use tributary::Output;

fn start(output: Output) {
    let output = Rc::new(RefCell::new(output));
    // accepted: let mut output = output;
    let writer = move || drop(output.borrow_mut().finish());
    // accepted: let writer = move || drop(output.finish());
    thread::spawn(writer); // refused: E0277
    let _ = (Rc::new(()), RefCell::new(()));
}

fn main() {
    let _ = start;
}
