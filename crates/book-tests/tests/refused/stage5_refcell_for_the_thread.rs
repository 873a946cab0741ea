//! An `Rc<RefCell<…>>` proves that one thread is left. A writer thread is a
//! second one: what it gets, it has to have alone.

use std::cell::RefCell;
use std::rc::Rc;
use std::thread;

use tributary::Output;

fn start(output: Output) {
    let output = Rc::new(RefCell::new(output));
    // accepted: let output = RefCell::new(output);
    let writer = move || drop(output.borrow_mut().finish());
    thread::spawn(writer); // refused: E0277
}

fn main() {
    let _ = (start, Rc::new(()));
}
