//! A wrong turn: `Handle::block_on` is taken for a queue. The loop has one thread, so
//! what runs on it seems to have the output for itself.

use std::io;
use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use tokio::runtime::Builder;

/// How long to wait for what may not come.
const A_WHILE: Duration = Duration::from_millis(200);

/// Writes a line in two parts.
async fn write(output: &Mutex<String>, parts: [&str; 2], between: impl Fn()) {
    for part in parts {
        output.lock().unwrap().push_str(part);
        between();
    }
}

#[expect(clippy::print_stdout, reason = "an example speaks")]
pub(crate) fn main() -> io::Result<()> {
    let runtime = Builder::new_current_thread().build()?;
    let output = Mutex::default();
    thread::scope(|scope| {
        let ((begin, begun), (end, ended)) = (channel(), channel::<()>());
        let (one, other) = (runtime.handle(), runtime.handle());
        let output = &output;
        scope.spawn(move || {
            // The probe: after its first part it gives the other thread time.
            let between = || {
                let _ = begin.send(());
                let _ = ended.recv_timeout(A_WHILE);
            };
            one.block_on(write(output, ["one thread, ", "one line\n"], between));
        });
        scope.spawn(move || {
            begun.recv().unwrap();
            other.block_on(write(output, ["another thread, ", "another line\n"], || ()));
            drop(end);
        });
    });
    print!("{}", output.lock().unwrap());
    Ok(())
}
