//! Merges what is there: `merge STAGE OUTPUT CHECKPOINT LOG...`, with a dash
//! for no checkpoint. An error goes to standard error, and the exit code is 3.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use tributary::{Options, Plan};

fn main() -> ExitCode {
    system_tests::warnings::to_stderr();
    match merge() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // With nobody left to hear it, the exit code says it.
            let _ = writeln!(std::io::stderr(), "error: {error:#}");
            ExitCode::from(3)
        }
    }
}

fn merge() -> anyhow::Result<()> {
    let mut arguments = std::env::args_os().skip(1);
    let mut next = || arguments.next().context("merge STAGE OUTPUT CHECKPOINT LOG...");
    let stage: usize = next()?.to_string_lossy().parse()?;
    let output = PathBuf::from(next()?);
    let checkpoint = Some(PathBuf::from(next()?)).filter(|path| path.as_os_str() != "-");
    let options = Options { checkpoint, ..Options::default() };
    let plan = Plan::open(arguments, output, options)?;
    let merge = system_tests::stage(stage).merge;
    merge(plan)?;
    Ok(())
}
