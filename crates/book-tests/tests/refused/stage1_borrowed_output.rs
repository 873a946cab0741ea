//! A thread may outlive its caller, so it cannot borrow from the caller's plan.

use std::thread;

use tributary::{Options, Plan};

fn main() {
    let mut plan = Plan::open(["a.log"], "merged.log", Options::default()).unwrap();
    let finish = || plan.output.finish(); // refused: E0373
    thread::spawn(finish);
    // accepted: thread::scope(|scope| drop(scope.spawn(finish)));
}
