//! Threads share `&Writer`, and `append` takes `&mut self`.

use parking_lot::Mutex;
use tributary::{Error, Lines, Output};

struct Writer {
    bare: Output,
    locked: Mutex<Output>,
}

impl Writer {
    fn write(&self, lines: Lines) -> Result<(), Error> {
        self.bare.append(&lines) // refused: E0596
        // accepted: self.locked.lock().append(&lines)
    }
}

fn main() {
    let _ = Writer::write;
}
