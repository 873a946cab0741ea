//! Merges logs that others go on writing, for a second. Run again, it goes on
//! where it ended, and no line comes twice.
//!
//! ```sh
//! cargo run -p tributary --example merge -- merged.log /var/log/*.log
//! ```

use std::error::Error;
use std::ffi::OsString;
use std::path::Path;
use std::thread;
use std::time::Duration;

use tributary::{Marks, Options, Plan, Report, Stop};

#[allow(clippy::print_stdout, reason = "an example is a command")]
fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args_os().skip(1);
    let output = args.next().ok_or("into which file?")?;
    let report = merge(Path::new(&output), args, |stop| {
        thread::spawn(move || {
            thread::sleep(Duration::from_secs(1));
            stop.request();
        });
    })?;
    for source in &report.sources {
        println!("{}: {} lines", source.path.display(), source.lines);
    }
    Ok(())
}

/// Merges logs until somebody requests the stop, which `ends` is given: a handler
/// of signals has one, too.
pub(crate) fn merge(
    output: &Path,
    logs: impl Iterator<Item = OsString>,
    ends: impl FnOnce(Stop),
) -> Result<Report, Box<dyn Error>> {
    let options = Options {
        follow: true,
        checkpoint: Some(output.with_extension("checkpoint")),
        marks: Marks::Prefix("{name}: ".parse()?),
        ..Options::default()
    };
    let plan = Plan::open(logs, output, options)?;
    ends(plan.stop.clone());
    Ok(tributary::merge(plan)?)
}
