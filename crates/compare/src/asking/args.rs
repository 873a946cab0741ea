//! The command line.

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::PossibleValuesParser;
use clap::{Parser, Subcommand};
use runner::seconds;
use stages::{STAGES, Stage, find};
use teacher::Lesson;
use tributary::Wake;
use workload::WORKLOADS;

use crate::asking::contender::Program;
use crate::asking::programs::ConformArgs;
use crate::protocol::{LawArgs, NOTIFY, StageArgs, wake};

/// Merges the same log files with every stage, checks each merged file, and
/// prints what it took.
#[derive(Debug, Parser)]
#[command(
    name = "compare",
    bin_name = "cargo compare",
    args_conflicts_with_subcommands = true,
    after_help = after_help(),
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    /// Files of your own, merged instead of a workload and not followed.
    /// Behind `--` a file may have any name.
    #[arg(value_name = "FILE", conflicts_with_all = ["workload", "sources", "bytes", "duration", "quick"])]
    pub(crate) files: Vec<PathBuf>,

    /// The stages, by number or name [default: all].
    #[arg(long, value_name = "N[,N]", value_delimiter = ',', value_parser = find)]
    pub(crate) stages: Vec<&'static Stage>,

    /// The workloads, or `all`, and nothing besides [default:
    /// backlog,live,slow-output; then the laws, the lanes and the growth].
    #[arg(long, value_name = "NAME[,NAME]", value_delimiter = ',', value_parser = workloads(), hide_possible_values = true)]
    pub(crate) workload: Vec<String>,

    /// What a person would use instead, run and checked beside the stages.
    #[arg(long, value_name = "PROGRAM[,PROGRAM]", value_delimiter = ',', value_enum)]
    pub(crate) against: Vec<Program>,

    /// How often each stage runs on the backlog or on FILE…; on any other
    /// workload it runs once [default: 3].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) runs: Option<u32>,

    /// What the workloads are made from: the same seed, the same bytes.
    #[arg(long, value_name = "N", default_value_t = 62)]
    pub(crate) seed: u64,

    /// For how long sources grow, or are at rest [default: 1.6 s; 3 s at rest].
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) duration: Option<Duration>,

    /// How growing sources are noticed to have grown.
    #[arg(long, value_name = "HOW", default_value = NOTIFY, value_parser = wake())]
    pub(crate) wake: Wake,

    /// Another number of sources.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) sources: Option<u32>,

    /// Another size of each complete source, in bytes.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(..=1 << 40))]
    pub(crate) bytes: Option<u64>,

    /// Smaller workloads, one run, a law of each theme: under 20 s for
    /// everything. It shows that all is right, its figures say little.
    #[arg(long)]
    pub(crate) quick: bool,

    /// The page, a new file [default: target/compare/index.html].
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,

    /// All figures, for programs, a new file [default: target/compare/results.json].
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,

    /// Write a trace of one short run of each stage into this folder, for
    /// Perfetto or chrome://tracing.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["files", "workload"])]
    pub(crate) trace: Option<PathBuf>,

    /// Write the page's pictures and tables into this folder, each a file of
    /// its own.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["files", "workload"])]
    pub(crate) figures: Option<PathBuf>,

    /// Keep the sources and the merged files, in this folder, a new or an empty one.
    #[arg(long, value_name = "DIR")]
    pub(crate) keep: Option<PathBuf>,

    /// Replace the files that were named for a result, and files in the folders.
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    #[command(flatten)]
    Lesson(Lesson),
    /// Measure what recording the lanes costs.
    Cost,
    /// Hold any program to the laws that can be seen from outside.
    Conform(ConformArgs),
    #[command(hide = true)]
    Stage(StageArgs),
    #[command(hide = true)]
    Law(LawArgs),
}

impl Args {
    /// Returns the stages that were named, each once, or all.
    pub(crate) fn stages(&self) -> Vec<&'static Stage> {
        if self.stages.is_empty() {
            return STAGES.iter().collect();
        }
        let mut seen = HashSet::new();
        self.stages.iter().copied().filter(|stage| seen.insert(stage.number)).collect()
    }

    /// Says whether everything runs, and not only a workload or files.
    pub(crate) fn is_whole(&self) -> bool {
        self.files.is_empty() && self.workload.is_empty()
    }
}

fn workloads() -> PossibleValuesParser {
    ["all"].into_iter().chain(WORKLOADS.iter().map(|workload| workload.name)).into()
}

fn after_help() -> String {
    let mut text = String::from("Workloads:\n");
    for workload in &WORKLOADS {
        text.push_str(&format!("  {:<12} {}\n", workload.name, workload.sentence));
    }
    text.push_str(
        "\nExit codes:
  0    every stage's output was right
  1    a stage's output was wrong, or a stage failed
  2    a mistake in what was typed, or a file that cannot be read or written,
       or has changed meanwhile; the rows so far are printed
  130  interrupted (Ctrl-C, SIGTERM or SIGHUP); the rows so far are printed

The columns are explained in crates/compare/README.md, the JSON in
crates/compare/schema.md. Temporary files go to TMPDIR, or /tmp.",
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn the_help_names_every_workload_and_every_exit_code() {
        let help = Args::command().render_long_help().to_string();
        let exit_codes = ["\n  0 ", "\n  1 ", "\n  2 ", "\n  130 "];
        for word in WORKLOADS.iter().map(|workload| workload.name).chain(exit_codes) {
            assert!(help.contains(word), "{word}: {help}");
        }
        assert!(!help.contains("\n  stage ") && !help.contains("\n  law "), "{help}");
    }

    #[test]
    fn stages_and_workloads_are_lists() {
        let typed = ["compare", "--stages", "5,threads,fully-async", "--workload", "live,many"];
        let args = Args::try_parse_from(typed).unwrap();
        let numbers: Vec<_> = args.stages().iter().map(|stage| stage.number).collect();
        assert_eq!(numbers, [5, 1], "in the order in which they were named, each once");
        assert!(args.workload.len() == 2 && !args.is_whole());
    }
}
