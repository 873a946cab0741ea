//! The command beside its rivals: `cat`, `tail -f`, and a floor of two threads that
//! checks nothing.
//!
//! ```text
//! just bench-against                 every question, with the last stage
//! just bench-against backlog live    two of them
//! just bench-against --stage 4 --stage 5 --rounds 3 many
//! ```
//!
//! In each round the contenders take turns, in an order that changes from round to
//! round: whatever else the machine does then meets all of them. A ratio is taken
//! within its round. The table has the median of the rounds, with its quartiles.
//!
//! The output of every run is checked before its figures count. A wrong output ends the
//! bench; only that of `tail -f` is told instead. `idle` and `memory` have no rounds,
//! and no check.

#![expect(clippy::print_stdout, reason = "a command prints")]

use std::env;
use std::path::PathBuf;

use anyhow::{Context, ensure};
use clap::{Parser, ValueEnum};

use crate::contender::Contender;

mod at_rest;
mod backlogs;
mod child;
mod contender;
mod followed;
mod rounds;

/// Times `tributary` beside `cat`, `tail -f` and a floor of two threads.
#[derive(Debug, Parser)]
struct Args {
    /// What is asked; everything, if nothing is named.
    questions: Vec<Question>,
    /// A stage to time, by number or name; may be given again. As it stands, the
    /// stage that the command takes by itself.
    #[arg(long)]
    stage: Vec<String>,
    /// How many rounds.
    #[arg(long, default_value_t = 10)]
    rounds: usize,
    /// Where the files are made; a folder in `target`, if none is named.
    #[arg(long)]
    folder: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Question {
    /// 8 complete files of 64 MiB.
    Backlog,
    /// 1,000 complete files of 256 KiB.
    Many,
    /// 5,000 complete files of 4 KiB.
    Small,
    /// 8 files of 64 MiB, with the name of its file before each line.
    Prefix,
    /// 8 files of 64 MiB, with a checkpoint and without.
    Checkpoint,
    /// The same 64 MiB from 8, 64, 512 and 4,096 files.
    Growth,
    /// 50 files of 100 lines a second, followed.
    Live,
    /// 20 files that are written as fast as possible, followed.
    Saturated,
    /// 10,000 followed files in which nothing happens.
    Idle,
    /// 1 GiB into an output that takes 1 MiB a second.
    Memory,
}

fn main() -> anyhow::Result<()> {
    // The floor is this program, started once more.
    let mut words = env::args_os().skip(1);
    if words.next().is_some_and(|word| word == contender::FLOOR) {
        return Ok(backlogs::floor(words.collect())?);
    }
    let args = Args::parse();
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    let here = env::current_exe()?;
    let built = here.ancestors().nth(2).context("this program lies in target/release/examples")?;
    let program = built.join("tributary");
    ensure!(program.exists(), "no {}: build it as `just bench-against` does", program.display());
    let folder = args.folder.unwrap_or_else(|| built.join("against"));
    let stages = if args.stage.is_empty() {
        vec![Contender::tributary(&program, None)]
    } else {
        args.stage.iter().map(|stage| Contender::tributary(&program, Some(stage))).collect()
    };
    let asked = if args.questions.is_empty() {
        Question::value_variants().to_vec()
    } else {
        args.questions
    };
    for question in asked {
        // Without the files of the last question, their pages are not in memory either.
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("cannot make {}", folder.display()))?;
        match question {
            Question::Backlog => backlogs::against_cat(&folder, 8, 64 << 20, &stages, args.rounds)?,
            Question::Many => {
                backlogs::against_cat(&folder, 1_000, 256 << 10, &stages, args.rounds)?;
            }
            Question::Small => {
                backlogs::against_cat(&folder, 5_000, 4 << 10, &stages, args.rounds)?;
            }
            Question::Prefix => backlogs::prefix(&folder, &stages, args.rounds)?,
            Question::Checkpoint => backlogs::checkpoint(&folder, &stages, args.rounds)?,
            Question::Growth => backlogs::growth(&folder, &stages, args.rounds)?,
            Question::Live => followed::live(&folder, &stages, args.rounds)?,
            Question::Saturated => followed::saturated(&folder, &stages, args.rounds)?,
            Question::Idle => at_rest::idle(&folder, &stages)?,
            Question::Memory => at_rest::memory(&folder, &stages)?,
        }
        println!();
    }
    let _ = std::fs::remove_dir_all(&folder);
    Ok(())
}
