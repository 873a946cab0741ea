//! What runs inside the process of a stage: one merge, and its figures as a
//! line of JSON on stdout.

use std::io;
use std::path::PathBuf;
use std::thread;
use std::time::Instant;

use anyhow::Context;
use serde::{Deserialize, Serialize};
use tributary::{Options, Plan};

use crate::args::Wake;
use crate::machine::Status;
use crate::print::print;
use crate::stages::{Stage, find};

/// Runs one stage in this process: `cargo compare` calls itself with this.
#[derive(Debug, clap::Args)]
pub(crate) struct StageArgs {
    /// The stage, by number or by name.
    #[arg(value_parser = find)]
    stage: &'static Stage,
    /// The merged file.
    #[arg(long, value_name = "PATH")]
    output: PathBuf,
    /// Follow the sources until stdin is closed.
    #[arg(long)]
    follow: bool,
    /// How sources are noticed to have grown.
    #[arg(long, value_enum, default_value_t = Wake::Notify)]
    wake: Wake,
    /// The sources.
    #[arg(value_name = "FILE")]
    sources: Vec<PathBuf>,
}

/// What a stage says about its merge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Done {
    /// Lines in the output, as the report has it.
    pub(crate) lines: u64,
    /// Bytes in the output, as the report has it.
    pub(crate) bytes: u64,
    /// Seconds from the opening of the plan to the return of `merge`.
    pub(crate) merge: f64,
    /// Seconds of the longest stall, where there is a shared loop.
    pub(crate) stall: Option<f64>,
    /// The peak of resident memory, in bytes, where the system tells.
    pub(crate) memory: Option<u64>,
}

/// Merges, and prints [`Done`].
pub(crate) fn run(args: StageArgs) -> anyhow::Result<()> {
    let started = Instant::now();
    let options = Options { follow: args.follow, wake: args.wake.into(), ..Options::default() };
    let plan = Plan::open(&args.sources, args.output, options)?;
    if args.follow {
        let stop = plan.stop.clone();
        // Never joined: it ends with the process, if stdin outlives the merge.
        let wait_for_the_end = move || {
            let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
            stop.request();
        };
        thread::Builder::new()
            .name("stdin".into())
            .spawn(wait_for_the_end)
            .context("cannot start the thread that waits for the stop")?;
    }
    let report = (args.stage.merge)(plan)?;
    let done = Done {
        lines: report.lines,
        bytes: report.bytes,
        merge: started.elapsed().as_secs_f64(),
        stall: report.stall.map(|stall| stall.as_secs_f64()),
        memory: Status::of_this_process().and_then(|status| status.peak_memory),
    };
    print(&format!("{}\n", serde_json::to_string(&done)?))
}
