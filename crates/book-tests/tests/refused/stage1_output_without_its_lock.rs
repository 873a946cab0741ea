//! Threads share `&Output`, and `append` takes `&mut self`.

use parking_lot::Mutex;
use tributary::{Error, Lines, Output};

struct Writer {
    output: Output,
    // accepted: output: Mutex<Output>,
}

impl Writer {
    fn write(&self, lines: Lines) -> Result<(), Error> {
        self.output.append(&lines) // refused: E0596
        // accepted: self.output.lock().append(&lines)
    }
}

fn main() {
    let _ = (Writer::write, Mutex::<Output>::lock);
}
