//! What can be typed.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::{PathBufValueParser, TypedValueParser};
use clap::{Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use jiff::SignedDuration;
use tributary::{Marks, Options, Start, Target, Template, TemplateError};

use crate::stage::Stage;

/// Merges log files into one, while they are still being written.
///
/// Each line appears once, whole, and in the order of its file. Between the
/// files the order is that of arrival.
#[derive(Debug, Parser)]
#[command(
    name = "tributary",
    version,
    override_usage = USAGE,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    disable_help_subcommand = true,
    max_term_width = 100,
    after_help = "Exit codes: 0 done, 1 a source failed, 2 usage, 3 the output failed, 130 interrupted; see --help.",
    after_long_help = AFTER_HELP,
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    /// The log files to merge.
    ///
    /// A file that is called like a command is `./man`, or stands behind `--`.
    #[arg(value_name = "IN", required_unless_present = "watch", value_parser = PathBufValueParser::new().try_map(source))]
    pub(crate) sources: Vec<PathBuf>,

    /// Where the lines go; `-` is stdout.
    ///
    /// A file that is there starts anew, as with `>`.
    #[arg(short, long, value_name = "OUT", default_value = "-")]
    pub(crate) output: PathBuf,

    /// Add to the output, instead of starting it anew.
    #[arg(long, requires = "output")]
    pub(crate) append: bool,

    /// Remember in FILE how far the merge is, and go on there next time.
    ///
    /// Every line is then in the output exactly once, whatever ended the last
    /// run. What was written behind the checkpoint is cut off and merged again.
    #[arg(long, value_name = "FILE", requires = "output")]
    pub(crate) checkpoint: Option<PathBuf>,

    /// When the output is synced to the disk.
    #[arg(long, value_name = "WHEN", default_value = "none")]
    pub(crate) durability: Durability,

    /// Go on with what is written later, until SIGTERM or SIGINT.
    ///
    /// Files are followed by name, through rotation, truncation and absence.
    #[arg(short = 'F', long)]
    pub(crate) follow: bool,

    /// Merge all files that fit a pattern, too, whenever they appear.
    ///
    /// With --follow, a file that comes to fit joins in while the merge runs.
    /// Quote the pattern, or the shell replaces it: --watch '/var/log/app/*.log'.
    /// Say it again for another one.
    #[arg(long, value_name = "GLOB")]
    pub(crate) watch: Vec<String>,

    /// Begin with the last N lines of each file.
    ///
    /// Where a checkpoint knows a file, it goes on there instead.
    #[arg(short = 'n', long, value_name = "N")]
    pub(crate) lines: Option<u64>,

    /// Begin at the end of each file: only what is written from now on.
    #[arg(long, conflicts_with = "lines")]
    pub(crate) from_end: bool,

    /// How often to look for new lines, where nothing notifies.
    #[arg(long, value_name = "TIME", default_value = "100ms", value_parser = time)]
    pub(crate) interval: Duration,

    /// How new lines are noticed.
    #[arg(long, value_name = "HOW", default_value = "notify")]
    pub(crate) wake: Wake,

    /// How long a file is still read that was rotated away and is quiet.
    ///
    /// Its writer may not have heard yet that there is a new file. What is
    /// written to the old one within that time is merged, too.
    #[arg(long, value_name = "TIME", default_value = "6s", value_parser = time)]
    pub(crate) quiet_after: Duration,

    /// Which of the five merges does it, by name or by number.
    #[arg(long, value_name = "STAGE", default_value = "fully-async")]
    pub(crate) stage: Stage,

    /// Put a prefix before each line: none, name, path, or a template.
    ///
    /// `name` and `path` are those of the source. The fields of a template are
    /// {name}, {path}, {number} (its place among the sources) and {time}.
    #[arg(long, value_name = "WHAT", default_value = "none", value_parser = prefix)]
    pub(crate) prefix: Prefix,

    /// Write a JSON object for each line: source, offset, time and line.
    ///
    /// The offset is where the line begins in its file, the time is when it
    /// was read. A line that is not UTF-8 is in line_base64 instead, and a
    /// path in source_base64.
    #[arg(long, conflicts_with = "prefix")]
    pub(crate) json: bool,

    /// When the prefixes are coloured, a colour a source.
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Color,

    /// Tell lines, bytes and lag of each source, and the longest stall.
    ///
    /// On stderr, at the end. SIGUSR1 asks for it at any time, also without
    /// this flag.
    #[arg(long)]
    pub(crate) stats: bool,

    /// Warn when the event loop stands still for longer, and name what blocks it.
    ///
    /// On stderr: while it lasts, and when it is over. As asyncio's debug mode,
    /// 100ms where no TIME is given; a TIME needs the `=`. With --stage tasks it shows each write to a
    /// slow output; fully-async has nothing to say of that. With --stage mixed,
    /// nothing blocks the loop; threads and bottom-up share no loop that could
    /// be watched.
    #[arg(
        long,
        value_name = "TIME",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "100ms",
        value_parser = time
    )]
    pub(crate) debug: Option<Duration>,

    /// Tell more of what happens, on stderr.
    #[arg(short, long)]
    pub(crate) verbose: bool,
}

const USAGE: &str = "\
tributary [OPTIONS] <IN>...
       tributary man
       tributary completions <SHELL>";

const AFTER_HELP: &str = "\
Exit codes:
  0    Done: all that was to be merged is in the output. A reader of stdout
       that went away (`| head -1`) counts as that.
  1    A source failed while it was read, or the system refused a thread. What
       the other sources had is in the output.
  2    Usage: an argument, or a source that cannot be opened. Nothing was
       changed.
  3    The output failed, or its checkpoint.
  130  Interrupted: twice with --follow, where the first signal ends the merge
       in good order; once without.

Examples:
  tributary a.log b.log > merged.log
  tributary -F -o merged.log /var/log/app/*.log
  tributary -F -o merged.log --checkpoint merged.state /var/log/app/*.log
  tributary -F --prefix name --watch 'logs/*.log' | grep -i error";

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

/// When the output is synced to the disk, for a power loss.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Durability {
    /// When the system sees fit.
    None,
    /// At the end, and before each checkpoint.
    Flush,
    /// After each write.
    Fsync,
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

    /// Returns how to merge.
    pub(crate) fn options(&self) -> Options {
        Options {
            follow: self.follow,
            start: match self.lines {
                _ if self.from_end => Start::End,
                Some(lines) => Start::LastLines(lines),
                None => Start::Beginning,
            },
            patterns: self.watch.clone(),
            wake: match self.wake {
                Wake::Notify => tributary::Wake::Notify,
                Wake::Poll => tributary::Wake::Poll,
            },
            interval: self.interval,
            quiet: self.quiet_after,
            append: self.append,
            checkpoint: self.checkpoint.clone(),
            durability: match self.durability {
                Durability::None => tributary::Durability::None,
                Durability::Flush => tributary::Durability::Flush,
                Durability::Fsync => tributary::Durability::Fsync,
            },
            marks: self.marks(),
            debug: self.debug,
            probe: None,
        }
    }

    /// Returns where the lines go.
    pub(crate) fn target(&self) -> Target {
        if self.to_stdout() { Target::Stdout } else { Target::from(&self.output) }
    }

    /// Returns the source that was to be the time of `--debug`: such a file is
    /// not there.
    pub(crate) fn misplaced_time(&self) -> Option<&str> {
        self.debug?;
        let is_a_time = |name: &&str| time(name).is_ok() && !Path::new(name).exists();
        self.sources.iter().filter_map(|source| source.to_str()).find(is_a_time)
    }

    /// Returns what is put round each line.
    fn marks(&self) -> Marks {
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
    let time: SignedDuration = text.parse().map_err(|_| {
        "write a number and its unit, which is ms, s, m or h: 100ms, 2s, 1m".to_owned()
    })?;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn options(flags: &[&str]) -> Options {
        let args = ["tributary", "a.log", "-o", "out"].iter().chain(flags);
        Args::try_parse_from(args).unwrap().options()
    }

    #[test]
    fn what_is_not_said_has_its_documented_value() {
        let Options { follow, start, wake, interval, quiet, append, durability, .. } = options(&[]);
        assert_eq!((follow, append, start), (false, false, Start::Beginning));
        assert_eq!(wake, tributary::Wake::Notify);
        assert_eq!(interval, Duration::from_millis(100));
        assert_eq!(quiet, Duration::from_secs(6));
        assert_eq!(durability, tributary::Durability::None);
        assert_eq!(options(&[]).marks, Marks::None);
        assert_eq!(options(&[]).debug, None);
    }

    #[test]
    fn the_durability_reaches_the_merge() {
        let durability = |word| options(&["--durability", word]).durability;
        assert_eq!(durability("none"), tributary::Durability::None);
        assert_eq!(durability("flush"), tributary::Durability::Flush);
        assert_eq!(durability("fsync"), tributary::Durability::Fsync);
    }

    #[test]
    fn a_stall_is_slow_where_nothing_else_is_said() {
        assert_eq!(options(&["--debug"]).debug, Some(event_loop::SLOW));
        assert_eq!(options(&["--debug=2s"]).debug, Some(Duration::from_secs(2)));
    }

    #[test]
    fn a_time_has_a_unit_and_is_more_than_nothing() {
        assert_eq!(time("100ms"), Ok(Duration::from_millis(100)));
        assert_eq!(time("1.5s"), Ok(Duration::from_millis(1500)));
        assert_eq!(time("2 minutes"), Ok(Duration::from_secs(120)));
        for refused in ["", "5", "0s", "-1s", "1", "fast"] {
            assert!(time(refused).is_err(), "{refused}");
        }
        // A unit that is none of these is told which there are.
        assert!(time("1d").unwrap_err().contains("ms, s, m or h"));
    }
}
