//! What `compare` and its child processes say to each other: the question is a command
//! line, the answer a line of JSON on stdout.

use std::env;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::Context;
use clap::ValueEnum;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use conformance::Law;
use serde::{Deserialize, Serialize};

use stages::{Stage, find};
use tributary::Wake;

/// Until when a stage follows its sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Until {
    /// Until each of them has been read to its end once.
    Read,
    /// Until stdin is closed.
    Stdin,
}

/// Asks for one merge, and is answered with [`Done`].
#[derive(Debug, clap::Args)]
pub(crate) struct StageArgs {
    /// The stage, by number or by name.
    #[arg(value_parser = find)]
    pub(crate) stage: &'static Stage,
    /// The merged file.
    #[arg(long, value_name = "PATH")]
    pub(crate) output: PathBuf,
    /// Follow the sources, which are otherwise complete.
    #[arg(long, value_enum, value_name = "UNTIL")]
    pub(crate) follow: Option<Until>,
    /// How sources are noticed to have grown.
    #[arg(long, default_value = NOTIFY, value_parser = wake())]
    pub(crate) wake: Wake,
    /// Record who does what when, into this file.
    #[arg(long, value_name = "PATH")]
    pub(crate) record: Option<PathBuf>,
    /// The sources.
    #[arg(value_name = "FILE")]
    pub(crate) sources: Vec<PathBuf>,
}

/// What a stage says about its merge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Done {
    /// Lines in the output, as the report has it.
    pub(crate) lines: u64,
    /// Bytes in the output, as the report has it.
    pub(crate) bytes: u64,
    /// Seconds from just before the plan is opened until `merge` has returned; in a
    /// recorded run, until the recording is written.
    pub(crate) merge: f64,
    /// Seconds of the longest stall, if the stage has a shared loop.
    pub(crate) stall: Option<f64>,
    /// The peak of resident memory, in bytes, where the system tells.
    pub(crate) memory: Option<u64>,
    /// The most threads at once, without the one that waits for the end of stdin;
    /// `None` where the system does not tell.
    pub(crate) threads: Option<u64>,
}

/// Asks to try one law on one stage, and is answered with how the stage breaks it, or
/// with nothing if it keeps it; of an accident the process fails. It ends when its
/// stdin is closed: whoever has asked is gone.
#[derive(Debug, clap::Args)]
pub(crate) struct LawArgs {
    /// The stage, by number or by name.
    #[arg(value_parser = find)]
    pub(crate) stage: &'static Stage,
    /// The law, by its name.
    #[arg(value_parser = law)]
    pub(crate) law: &'static Law,
    /// For how many seconds the law may wait.
    #[arg(long, value_name = "SECONDS")]
    pub(crate) within: u64,
}

impl StageArgs {
    /// Returns the command that asks for this merge; the answer comes on its stdout.
    pub(crate) fn command(&self) -> anyhow::Result<Command> {
        let mut command = this_program()?;
        let wake = if self.wake == Wake::Notify { NOTIFY } else { POLL };
        command.args(["stage", self.stage.name, "--wake", wake, "--output"]);
        command.arg(&self.output);
        if let Some(until) = self.follow.and_then(|until| until.to_possible_value()) {
            command.args(["--follow", until.get_name()]);
        }
        if let Some(record) = &self.record {
            command.arg("--record").arg(record);
        }
        command.arg("--").args(&self.sources);
        Ok(command)
    }
}

impl LawArgs {
    /// Returns the command that tries this law; the answer comes on its stdout.
    pub(crate) fn command(&self) -> anyhow::Result<Command> {
        let mut command = this_program()?;
        command.args(["law", self.stage.name, self.law.name, "--within"]);
        command.arg(self.within.to_string()).stdin(Stdio::piped());
        Ok(command)
    }
}

fn this_program() -> anyhow::Result<Command> {
    let path = env::current_exe().context("cannot find this program to call it again")?;
    let mut command = Command::new(path);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    Ok(command)
}

/// The words for [`Wake::Notify`] and [`Wake::Poll`] on the command line.
pub(crate) const NOTIFY: &str = "notify";
const POLL: &str = "poll";

/// Parses how a stage learns that there is something new.
pub(crate) fn wake() -> impl TypedValueParser<Value = Wake> {
    let notify = PossibleValue::new(NOTIFY).help("The operating system tells");
    let poll = "Each source is looked at every 100 ms, as in the book";
    let typed = PossibleValuesParser::new([notify, PossibleValue::new(POLL).help(poll)]);
    typed.map(|typed| if typed == NOTIFY { Wake::Notify } else { Wake::Poll })
}

fn law(name: &str) -> Result<&'static Law, String> {
    Law::named(name).ok_or_else(|| format!("there is no law named {name}"))
}

/// Writes the answer to stdout, as a line of JSON.
pub(crate) fn answer(answer: &impl Serialize) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    serde_json::to_writer(&mut stdout, answer).context("stdout: cannot answer")?;
    writeln!(stdout).context("stdout: cannot answer")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asking::args::{Args, Command as Asked};
    use clap::Parser;
    use stages::STAGES;

    #[test]
    fn a_child_is_asked_for_what_its_parent_wants() {
        for (follow, wake, record) in [
            (None, Wake::Notify, None),
            (Some(Until::Read), Wake::Notify, Some("recording".into())),
            (Some(Until::Stdin), Wake::Poll, None),
        ] {
            let output = PathBuf::from("merged.log");
            let sources = ["a.log", "--follow", "a b.log"].map(PathBuf::from).to_vec();
            let wanted = StageArgs { stage: &STAGES[3], output, follow, wake, record, sources };
            let command = wanted.command().unwrap();
            let typed = [command.get_program()].into_iter().chain(command.get_args());
            let args = Args::try_parse_from(typed).unwrap();
            let Some(Asked::Stage(understood)) = args.command else { panic!("{args:?}") };
            assert_eq!(format!("{understood:?}"), format!("{wanted:?}"));
        }
    }
}
