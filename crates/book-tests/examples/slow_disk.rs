//! An output that nobody reads for a while, and what the debug mode says of
//! stage 4 and of stage 5.

use std::env;
use std::fs::{self, OpenOptions};
use std::io::{self, Read};
use std::path::Path;
use std::thread;
use std::time::Duration;

use testkit::make_fifo;
use tracing_subscriber::fmt::{self, format};
use tracing_subscriber::layer::SubscriberExt;
use tributary::{MergeFn, Options, Plan};

/// More than a pipe holds.
const BYTES: u64 = 200 * 1024;

/// Five times what is usual: a machine with much else to do is not to blame.
const WORTH_A_WARNING: Duration = Duration::from_millis(500);
/// How late the reader comes.
const LATE: Duration = Duration::from_secs(2);

#[expect(clippy::print_stdout, reason = "an example speaks")]
fn main() -> io::Result<()> {
    let folder = tempfile::tempdir()?;
    env::set_current_dir(folder.path())?;
    fs::write("a.log", "thirty-two bytes with a newline\n".repeat(BYTES as usize / 32))?;
    make_fifo(Path::new("merged.fifo"));

    // The message is for people; the fields beside it are for programs.
    let message = format::debug_fn(|out, field, value| match field.name() {
        "message" => write!(out, "{value:?}"),
        _ => Ok(()),
    });
    let printed = fmt::layer().without_time().with_ansi(false).fmt_fields(message);
    let subscriber = tracing_subscriber::registry().with(printed).with(tokio_loop::names());
    tracing::subscriber::with_default(subscriber, || {
        for (name, merge) in
            [("stage 4", stage4_tasks::merge as MergeFn), ("stage 5", stage5_fully_async::merge)]
        {
            println!("{name}:");
            let merged = merge_slowly(merge)?;
            println!("merged {} KiB", merged / 1024);
        }
        Ok(())
    })
}

/// Merges into a pipe whose reader comes late.
fn merge_slowly(merge: MergeFn) -> io::Result<u64> {
    // Opened for both, so that neither end waits for the other to be opened.
    let pipe = OpenOptions::new().read(true).write(true).open("merged.fifo")?;
    let reader = thread::spawn(move || {
        thread::sleep(LATE);
        io::copy(&mut pipe.take(BYTES), &mut io::sink())
    });
    let options = Options { debug: Some(WORTH_A_WARNING), ..Options::default() };
    let plan = Plan::open(["a.log"], "merged.fifo", options).map_err(io::Error::other)?;
    let report = merge(plan).map_err(io::Error::other)?;
    reader.join().expect("the reader does not panic")?;
    Ok(report.bytes)
}
