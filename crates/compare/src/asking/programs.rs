//! The command line of `conform`: which programs are judged by which laws.

use std::time::Duration;

use clap::Args;
use conform::{LAWS, Law, Template, UsageError};
use runner::seconds;

/// A program that merges files, and the laws that it is held to.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct ConformArgs {
    /// The program and its words: {inputs} is where its files stand, {output} where
    /// the merged file does; without {output} the lines are taken from its stdout.
    #[arg(last = true, value_name = "PROGRAM WORD")]
    words: Vec<String>,

    /// A program on one line, as for a shell. Say it again for another column.
    #[arg(long, value_name = "LINE")]
    program: Vec<String>,

    /// The laws to try [default: all].
    #[arg(long, value_name = "LAW[,LAW]", value_delimiter = ',', value_parser = law)]
    law: Vec<&'static Law>,

    /// How long a program may take for each thing that is waited for.
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    pub(crate) within: Duration,

    /// Print everything as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

const AFTER_HELP: &str = "The program gets SIGTERM as the stop, with all that it has started.

Exit codes:
  0    every law that was asked is kept
  1    a law is broken
  2    a mistake in what was typed, or no such program
  130  interrupted";

impl ConformArgs {
    /// Returns the programs that were named: each is a column.
    pub(crate) fn templates(&self) -> Result<Vec<Template>, UsageError> {
        let lines = self.program.iter().map(|line| Template::parse(line));
        let words = (!self.words.is_empty() || self.program.is_empty())
            .then(|| Template::new(self.words.clone()));
        lines.chain(words).collect()
    }

    /// Returns the laws that were named, or all.
    pub(crate) fn laws(&self) -> Vec<&'static Law> {
        if self.law.is_empty() { LAWS.iter().collect() } else { self.law.clone() }
    }
}

fn law(name: &str) -> Result<&'static Law, String> {
    Law::named(name).ok_or_else(|| format!("no law that can be seen from outside is named {name}"))
}
