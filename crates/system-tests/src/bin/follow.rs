//! Follows files until its standard input ends: `follow OUTPUT LOG...`.
//!
//! What `tracing` says goes to standard error, a line each.

use std::io::{self, Read};
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use tributary::{Options, Plan, Wake};

fn main() -> anyhow::Result<()> {
    system_tests::warnings::to_stderr();
    let mut arguments = std::env::args_os().skip(1);
    let output = arguments.next().ok_or_else(|| anyhow::anyhow!("follow OUTPUT LOG..."))?;
    let interval = Duration::from_millis(20);
    let options = Options { follow: true, wake: Wake::Notify, interval, ..Options::default() };
    let plan = Plan::open(arguments, PathBuf::from(output), options)?;
    let stop = plan.stop.clone();
    thread::spawn(move || {
        let _ = io::stdin().read_to_end(&mut Vec::new());
        stop.request();
    });
    (system_tests::stage(5).merge)(plan)?;
    Ok(())
}
