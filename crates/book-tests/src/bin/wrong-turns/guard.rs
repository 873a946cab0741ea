//! A wrong turn: two tasks of one loop, and a guard that is held over an
//! `.await`.

use std::io;
use std::rc::Rc;
use std::sync::Mutex;

use tokio::task::{spawn_local, yield_now};

#[expect(clippy::await_holding_lock, reason = "it is the mistake to be shown")]
async fn write(name: &str, output: Rc<Mutex<Vec<u8>>>) {
    say(&format!("{name} asks for the lock"));
    let mut output = output.lock().expect("nobody has panicked");
    say(&format!("{name} has the lock"));
    // Whatever is awaited here, the other task gets the thread.
    yield_now().await;
    output.push(b'\n');
    say(&format!("{name} has written"));
}

#[expect(clippy::print_stdout, reason = "an example speaks")]
fn say(what: &str) {
    println!("{what}");
}

pub(crate) fn main() -> io::Result<()> {
    let main = async {
        let output = Rc::default();
        let first = spawn_local(write("a.log", Rc::clone(&output)));
        let second = spawn_local(write("b.log", output));
        first.await.expect("the task does not panic");
        second.await.expect("the task does not panic");
    };
    tokio_loop::run(1, None, main)?;
    Ok(())
}
