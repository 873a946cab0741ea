//! Async code in one page: a future, a loop, a task, a job, and who waits for
//! whom.

use std::io;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use tokio::runtime::{Builder, LocalOptions};
use tokio::task::{spawn_blocking, spawn_local};
use tokio::time::sleep;

#[expect(clippy::print_stdout, reason = "an example speaks")]
fn say(what: &str) {
    println!("{what}");
}

// ANCHOR: program
async fn greet(done: Sender<&str>) {
    say("2: the task has its first turn");
    sleep(Duration::from_millis(10)).await;
    say("3: the task has its second turn");
    done.send("4: the job goes on").expect("the job listens");
}

fn main() -> io::Result<()> {
    let mut builder = Builder::new_current_thread();
    let runtime = builder.enable_time().build_local(LocalOptions::default())?;
    runtime.block_on(async {
        let _never_awaited = async { say("nobody will read this") };
        let (done, listens) = channel();
        let task = spawn_local(greet(done));
        let job = spawn_blocking(move || say(listens.recv().expect("the task speaks")));
        say("1: main keeps its turn until it awaits");
        task.await.expect("the task does not panic");
        job.await.expect("the job does not panic");
        say("5: main ends");
    });
    Ok(())
}
// ANCHOR_END: program
