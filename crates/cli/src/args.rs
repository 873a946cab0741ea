//! What can be typed.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::{PathBufValueParser, TypedValueParser};
use clap::{Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use jiff::SignedDuration;
use tributary::{Marks, Template, TemplateError};

use crate::stage::Stage;

/// Merges log files into one, while they are still being written.
///
/// Each line appears once, whole, and in the order of its file. Between the
/// files the order is that of arrival.
#[derive(Debug, Parser)]
#[command(
    name = "tributary",
    version,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    disable_help_subcommand = true,
    max_term_width = 100,
    after_help = "Exit codes: 0 done, 1 a source failed, 2 usage, 3 the output failed, 130 interrupted.",
    after_long_help = AFTER_HELP,
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    /// The log files to merge. A file that is called like a command is
    /// `./man`, or stands behind `--`.
    #[arg(value_name = "IN", required = true, value_parser = PathBufValueParser::new().try_map(source))]
    pub(crate) sources: Vec<PathBuf>,

    /// Where the lines go; `-` is stdout. An existing file starts anew, as
    /// with `>`.
    #[arg(short, long, value_name = "OUT", default_value = "-")]
    pub(crate) output: PathBuf,

    /// Go on with what is written later, until SIGTERM or SIGINT. Files are
    /// followed by name, through rotation and absence.
    #[arg(short = 'F', long)]
    pub(crate) follow: bool,

    /// How often to look for new lines, where nothing notifies.
    #[arg(long, value_name = "TIME", default_value = "100ms", value_parser = time)]
    pub(crate) interval: Duration,

    /// How new lines are noticed.
    #[arg(long, value_name = "HOW", default_value = "notify")]
    pub(crate) wake: Wake,

    /// How long a file is read on that was rotated away or deleted, and to
    /// which nothing is written.
    #[arg(long, value_name = "TIME", default_value = "6s", value_parser = time)]
    pub(crate) quiet_after: Duration,

    /// Which of the five merges does it.
    #[arg(long, value_name = "STAGE", default_value = "fully-async")]
    pub(crate) stage: Stage,

    /// Put a prefix before each line: `none`, `name`, `path` (of the source),
    /// or a template with the fields {name}, {path}, {n} (its place) and
    /// {time}.
    #[arg(long, value_name = "WHAT", default_value = "none", value_parser = prefix)]
    pub(crate) prefix: Prefix,

    /// Write an object a line instead: source, offset, time (when it was read)
    /// and line. A line that is not UTF-8 is in line_base64.
    #[arg(long, conflicts_with = "prefix")]
    pub(crate) json: bool,

    /// Colour the prefixes, a colour a source.
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Color,

    /// Tell lines, bytes and lag of each source, and the longest stall: at the
    /// end, on stderr, and on each SIGUSR1 before.
    #[arg(long)]
    pub(crate) stats: bool,

    /// Tell more of what happens, on stderr.
    #[arg(short, long)]
    pub(crate) verbose: bool,
}

const AFTER_HELP: &str = "\
Exit codes:
  0    Done: all that was to be merged is in the output. A reader of stdout
       that went away (`| head -1`) counts as that.
  1    A source failed while it was read, or the system refused a thread. What
       the other sources had is in the output.
  2    Usage: an argument, or a source that cannot be opened. Nothing was
       changed.
  3    The output failed.
  130  Interrupted: twice with --follow, where the first signal ends the merge
       in good order; once without.

Examples:
  tributary a.log b.log > merged.log
  tributary -F -o merged.log /var/log/app/*.log
  tributary -F --prefix name *.log | grep -i error";

/// What is done instead of a merge.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Print the completions for a shell.
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Print the man page.
    Man,
}

/// How new lines are noticed.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Wake {
    /// The operating system tells, where it can.
    Notify,
    /// Each file is looked at every interval.
    Poll,
}

/// When prefixes are coloured.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Color {
    /// If the output is a terminal, and NO_COLOR is not set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What stands before each line; nothing for `None`.
#[derive(Debug, Clone)]
pub(crate) struct Prefix(Option<Template>);

impl Args {
    /// Tells whether the lines go to stdout.
    pub(crate) fn to_stdout(&self) -> bool {
        self.output == Path::new("-")
    }

    /// Returns what is put round each line.
    pub(crate) fn marks(&self) -> Marks {
        if self.json {
            return Marks::Json;
        }
        let colored = match self.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                self.to_stdout()
                    && anstream::AutoStream::choice(&std::io::stdout())
                        != anstream::ColorChoice::Never
            }
        };
        match &self.prefix.0 {
            Some(template) => Marks::Prefix(template.clone().colored(colored)),
            None => Marks::None,
        }
    }
}

fn prefix(text: &str) -> Result<Prefix, TemplateError> {
    let template = match text {
        "none" => return Ok(Prefix(None)),
        "name" => "{name}: ",
        "path" => "{path}: ",
        template => template,
    };
    template.parse().map(|template| Prefix(Some(template)))
}

/// `100ms`, `1.5s`, `2 minutes`: more than nothing.
fn time(text: &str) -> Result<Duration, String> {
    let time: SignedDuration =
        text.parse().map_err(|_| "write a number and its unit: 100ms, 2s, 1m".to_owned())?;
    match Duration::try_from(time) {
        Ok(time) if !time.is_zero() => Ok(time),
        _ => Err("it must be longer than nothing".to_owned()),
    }
}

fn source(path: PathBuf) -> Result<PathBuf, &'static str> {
    if path == Path::new("-") {
        return Err("stdin cannot be merged, only files; a file of that name is `./-`");
    }
    Ok(path)
}
