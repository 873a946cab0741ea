//! Follows files until its standard input ends: `follow STAGE OUTPUT LOG...`.
//!
//! What `tracing` says goes to standard error, a line each.

use std::io::{self, Read};
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use stages::STAGES;
use tributary::{Options, Plan, Wake};

fn main() -> anyhow::Result<()> {
    system_tests::warnings::to_stderr();
    let mut arguments = std::env::args_os().skip(1);
    let mut next = || arguments.next().ok_or_else(|| anyhow::anyhow!("follow STAGE OUTPUT LOG..."));
    let (stage, output) = (next()?, next()?);
    let stage = STAGES.iter().find(|it| stage == it.name);
    let stage = stage.ok_or_else(|| anyhow::anyhow!("there is no such stage"))?;
    let interval = Duration::from_millis(20);
    let options = Options { follow: true, wake: Wake::Notify, interval, ..Options::default() };
    let plan = Plan::open(arguments, PathBuf::from(output), options)?;
    let stop = plan.stop.clone();
    thread::spawn(move || {
        let _ = io::stdin().read_to_end(&mut Vec::new());
        stop.request();
    });
    (stage.merge)(plan)?;
    Ok(())
}
