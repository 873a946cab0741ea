//! What runs inside the process that tries one law on one stage.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::process;
use std::thread;
use std::time::Duration;

use anyhow::Context;
use conformance::{Case, Law, Outcome};
use serde::{Deserialize, Serialize};
use tributary::Shown;

use crate::interrupt;
use stages::{Stage, find};

/// Tries one law in this process: `cargo compare` calls itself with this.
#[derive(Debug, clap::Args)]
pub(crate) struct LawArgs {
    /// The stage, by number or by name.
    #[arg(value_parser = find)]
    stage: &'static Stage,
    /// The law, by its name.
    #[arg(value_parser = named)]
    law: &'static Law,
    /// For how many seconds the law may wait.
    #[arg(long, value_name = "SECONDS")]
    within: u64,
    /// Where the verdict goes.
    #[arg(long, value_name = "PATH")]
    verdict: PathBuf,
    /// End when stdin is closed: whoever asked is gone.
    #[arg(long)]
    attended: bool,
}

fn named(name: &str) -> Result<&'static Law, String> {
    Law::named(name).ok_or_else(|| format!("there is no law named {name}"))
}

/// What came of a law, before anybody asks what the stage declares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Tried {
    /// The stage keeps it.
    Held,
    /// The stage breaks it, in this way.
    Broken(String),
    /// Neither: what happened instead.
    Accident(String),
}

/// Tries the law, and writes what came of it.
pub(crate) fn run(args: &LawArgs) -> anyhow::Result<()> {
    if args.attended {
        // Never joined: it ends with the process, unless it ends the process.
        let wait_for_the_end = || {
            let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
            process::exit(interrupt::EXIT_CODE.into());
        };
        thread::Builder::new()
            .name("stdin".into())
            .spawn(wait_for_the_end)
            .context("cannot start the thread that waits for the end of stdin")?;
    }
    let within = Duration::from_secs(args.within);
    let case = Case::new(args.law.name, args.stage.name, args.stage.merge).alone().within(within);
    let tried = match case.outcome() {
        Outcome::Held => Tried::Held,
        Outcome::Broken(how) => Tried::Broken(how.to_string()),
        Outcome::Hung => Tried::Accident(format!("the law hangs beyond its bound of {within:?}")),
        Outcome::Accident(what) => Tried::Accident(what),
    };
    fs::write(&args.verdict, serde_json::to_vec(&tried)?)
        .with_context(|| format!("{}: cannot write this file", Shown(&args.verdict)))
}
