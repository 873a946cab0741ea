//! What can be typed.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::{
    OsStringValueParser, PathBufValueParser, PossibleValue, PossibleValuesParser, TypedValueParser,
};
use clap::{ArgAction, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use jiff::SignedDuration;
use stages::Stage;
use tributary::{Marks, Options, Start, Target, Template, TemplateError};

use crate::help::{self, Topic};
use crate::metrics;
use crate::stats::Format;
use crate::wire::{self, Place, Wire};

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
    after_long_help = help::behind_the_flags(),
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    /// The log files to merge.
    ///
    /// A file that is called like a command is `./help`, or stands behind `--`.
    #[arg(value_name = "IN", required_unless_present_any = ["watch", "files_from", "from"], value_parser = OsStringValueParser::new().try_map(source))]
    pub(crate) sources: Vec<PathBuf>,

    /// Where the lines go; `-` is stdout, nats://HOST/STREAM a stream.
    ///
    /// A file that is there starts anew, as with `>`; with --checkpoint it is
    /// gone on with. With --follow it may be rotated: what comes after a rename
    /// goes to a new file of that name, on SIGHUP at once.
    #[arg(short, long, value_name = "OUT", default_value = "-", value_parser = PathBufValueParser::new().try_map(output))]
    pub(crate) output: PathBuf,

    /// Add to the output, instead of starting it anew.
    #[arg(long, requires = "output", help_heading = KEPT)]
    pub(crate) append: bool,

    /// Remember in FILE how far the merge is, and go on there next time.
    ///
    /// Every line is then in the output exactly once, whatever ended the last
    /// run. What was written behind the checkpoint is cut off and merged again.
    /// An output that has lines is refused if FILE is not there: see --append
    /// and --restart.
    #[arg(long, value_name = "FILE", requires = "output", help_heading = KEPT)]
    pub(crate) checkpoint: Option<PathBuf>,

    /// Forget the checkpoint, and start the output anew.
    ///
    /// Lines that are in the output and in no log any more are lost.
    #[arg(long, requires = "checkpoint", conflicts_with = "append", help_heading = KEPT)]
    pub(crate) restart: bool,

    /// When the output is synced to the disk.
    #[arg(long, value_name = "WHEN", default_value = "none", help_heading = KEPT)]
    pub(crate) durability: Durability,

    /// Go on with what is written later, until SIGTERM or SIGINT.
    ///
    /// Files are followed by name, through rotation, truncation and absence.
    #[arg(
        short = 'F',
        visible_short_alias = 'f',
        long,
        num_args = 0..=1,
        require_equals = true,
        default_value = "no",
        default_missing_value = "name",
        hide_default_value = true,
        value_name = "name",
        value_parser = by_name,
        action = ArgAction::Set,
    )]
    pub(crate) follow: bool,

    /// As with `tail`: no file is ever given up.
    #[arg(long, hide = true)]
    pub(crate) retry: bool,

    /// As with `tail`: there are no headers.
    #[arg(short, long, alias = "silent", hide = true)]
    pub(crate) quiet: bool,

    /// Merge all files that fit a pattern, too, whenever they appear.
    ///
    /// With --follow, a file that comes to fit joins in while the merge runs.
    /// Quote the pattern, or the shell replaces it: --watch '/var/log/app/*.log'.
    /// Say it again for another one.
    #[arg(long, value_name = "GLOB")]
    pub(crate) watch: Vec<String>,

    /// Leave out of --watch what fits this pattern, too: '*.debug.log'.
    ///
    /// It is of the name of a file, or, if there is a slash in it, of the path
    /// as --watch finds it. Say it again for another one.
    #[arg(long, value_name = "GLOB", requires = "watch")]
    pub(crate) exclude: Vec<String>,

    /// Merge the files that are named in FILE, too, one a line; `-` is stdin.
    ///
    /// If there is a NUL in it, each name ends with one instead, as those of
    /// `find -print0`. It is read once, when the merge begins.
    #[arg(long, value_name = "FILE")]
    pub(crate) files_from: Option<PathBuf>,

    /// Begin with the last N lines of each file; with +N, at its line N.
    ///
    /// So +1 is the whole file. Where a checkpoint knows a file, it goes on
    /// there instead.
    #[arg(short = 'n', long, alias = "tail", value_name = "N", value_parser = lines)]
    pub(crate) lines: Option<Start>,

    /// Begin at the end of each file: only what is written from now on.
    #[arg(long, conflicts_with = "lines")]
    pub(crate) from_end: bool,

    /// How often to look for new lines, where nothing notifies.
    #[arg(long, value_name = "TIME", default_value = "100ms", value_parser = time, help_heading = TUNING)]
    pub(crate) interval: Duration,

    /// How new lines are noticed.
    #[arg(long, value_name = "HOW", default_value = "notify", help_heading = TUNING)]
    pub(crate) wake: Wake,

    /// How long a new line may wait for others that come at the same time; 0 for none.
    ///
    /// The first one after a pause does not wait. With 0 each line is noticed by
    /// itself, sooner and at the cost of more work.
    #[arg(long, value_name = "TIME", default_value = "1ms", value_parser = time_or_none, help_heading = TUNING)]
    pub(crate) latency: Duration,

    /// How long a file is still read that was rotated away and is quiet.
    ///
    /// Its writer may not have heard yet that there is a new file. What is
    /// written to the old one within that time is merged, too.
    #[arg(long, value_name = "TIME", default_value = "6s", value_parser = time, help_heading = TUNING)]
    pub(crate) quiet_after: Duration,

    /// Cut lines that are longer than SIZE, and say so.
    ///
    /// The first SIZE bytes are merged, the rest is skipped: 64K, 1MiB, 1000000.
    /// A file without a newline then fills no memory. How many lines were cut is
    /// in --stats.
    #[arg(long, value_name = "SIZE", value_parser = size, help_heading = TUNING)]
    pub(crate) max_line: Option<u64>,

    /// Which of the stages merges, by name or by number.
    #[arg(long, value_name = "STAGE", default_value = "tuned", value_parser = stage(), help_heading = STAGES)]
    pub(crate) stage: &'static Stage,

    /// Put a prefix before each line: name, path, folder, time, local_time, or a template.
    ///
    /// The fields of a template are {name}, {path}, {folder}, {number}, {time}
    /// and {local_time}. `tributary help prefix` shows what each puts there.
    #[arg(long, value_name = "WHAT", default_value = "none", value_parser = prefix)]
    pub(crate) prefix: Prefix,

    /// Write a JSON object for each line: source, offset, time, local_time and line.
    ///
    /// The offset is where the line begins in its file, the times are when it
    /// was read, in UTC and with the local offset. A line that is not UTF-8 is
    /// in line_base64 instead, and a path in source_base64.
    #[arg(long, conflicts_with = "prefix")]
    pub(crate) json: bool,

    /// When the prefixes are coloured, a colour a source.
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Color,

    /// Tell lines, bytes and lag of each source, and the longest stall.
    ///
    /// On stderr, at the end. SIGUSR1 asks for it at any time, also without
    /// this flag. As a table, or with =json as one line, an object.
    #[arg(
        long,
        value_name = "FORMAT",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "table"
    )]
    pub(crate) stats: Option<Format>,

    /// Keep metrics in FILE for Prometheus: *.prom in the folder of node_exporter.
    ///
    /// Lines, bytes and lag of each source, files, stalls and more; what each
    /// means is in FILE. It is written every 10 s, on SIGUSR1 and at the end, and
    /// replaced as a whole, so nobody reads half of it. A write that fails is
    /// told once and tried again; it neither holds up a line nor changes the exit
    /// code. No --watch takes a file of that name for a log.
    #[arg(long, value_name = "FILE")]
    pub(crate) metrics: Option<PathBuf>,

    /// Warn when the event loop stands still for longer, and name what blocks it.
    ///
    /// On stderr: while it lasts, and when it is over; on Linux with the call and
    /// its file. As asyncio's debug mode, 100ms where no TIME is given; a TIME needs
    /// the `=`. With --stage tasks it shows each write to a slow output; fully-async
    /// has nothing to say of that. With --stage mixed, nothing blocks the loop;
    /// threads and bottom-up share no loop that could be watched.
    #[arg(
        long,
        value_name = "TIME",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "100ms",
        value_parser = time,
        help_heading = STAGES,
    )]
    pub(crate) debug: Option<Duration>,

    #[command(flatten)]
    pub(crate) wire: Wire,

    /// Tell more of what happens, on stderr.
    #[arg(short, long)]
    pub(crate) verbose: bool,
}

const USAGE: &str = "\
tributary [OPTIONS] <IN>...
       tributary help [TOPIC]
       tributary man
       tributary completions [SHELL]";

/// Flags for an output that grows from run to run.
const KEPT: &str = "Output and checkpoint";
/// Flags that are seldom needed.
const TUNING: &str = "Tuning";
const STAGES: &str = "Stages and debugging";
/// Flags for a stream.
pub(crate) const STREAM: &str = "A stream of NATS";

/// What is done instead of a merge.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Tell all flags, or more of one topic.
    Help {
        /// What is to be told.
        ///
        /// A log that is called `help` is merged as `./help`.
        topic: Option<Topic>,
    },
    /// Print the completions for a shell, or how they are installed.
    Completions {
        /// The shell.
        shell: Option<Shell>,
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

    /// Returns the options of the plan.
    pub(crate) fn options(&self) -> Options {
        Options {
            follow: self.follow,
            start: match self.lines {
                _ if self.from_end => Start::End,
                lines => lines.unwrap_or(Start::Beginning),
            },
            patterns: self.watch.clone(),
            exclude: self.excluded(),
            wake: match self.wake {
                Wake::Notify => tributary::Wake::Notify,
                Wake::Poll => tributary::Wake::Poll,
            },
            interval: self.interval,
            latency: self.latency,
            quiet: self.quiet_after,
            max_line: self.max_line,
            append: self.append,
            restart: self.restart,
            checkpoint: self.checkpoint.clone(),
            from: self.stream_that_is_read().map(|place| place.to_string()),
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
        match self.stream_that_is_written() {
            Some(place) => Target::Stream(place.to_string()),
            None if self.to_stdout() => Target::Stdout,
            None => Target::from(&self.output),
        }
    }

    /// Returns a flag whose value was taken for a source, in words what its value
    /// is, and the value; only if no file has that name.
    pub(crate) fn misplaced(&self) -> Option<(&str, &str, &str)> {
        let names = self.sources.iter().filter_map(|source| source.to_str());
        let mut values = names.filter_map(|name| {
            if self.debug.is_some() && time(name).is_ok() {
                return Some(("--debug", "the time", name));
            }
            let is_format = self.stats.is_some() && Format::from_str(name, false).is_ok();
            is_format.then_some(("--stats", "the format", name))
        });
        values.find(|(_, _, name)| !Path::new(name).exists())
    }

    /// Returns the patterns of `--exclude`, with the name of the metrics, and the
    /// name that their file has before it is renamed.
    fn excluded(&self) -> Vec<String> {
        let metrics = self.metrics.as_deref().map(metrics::pattern);
        let metrics = metrics.into_iter().flat_map(|name| [format!(".{name}.*.new"), name]);
        self.exclude.iter().cloned().chain(metrics).collect()
    }

    /// Tells whether each line gets a prefix, or becomes an object.
    pub(crate) fn is_marked(&self) -> bool {
        self.json || self.prefix.0.is_some()
    }

    /// Returns what each line gets: a prefix, an object around it, or nothing.
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

/// A stage by any of its words; help and completions offer the short name.
fn stage() -> impl TypedValueParser<Value = &'static Stage> {
    let values = stages::STAGES.iter().map(|stage| {
        PossibleValue::new(stage.short_name()).aliases(stage.words()).help(stage.description())
    });
    PossibleValuesParser::new(values).try_map(|word| stages::find(&word))
}

fn prefix(text: &str) -> Result<Prefix, String> {
    let template = match text {
        "none" => return Ok(Prefix(None)),
        "name" => "{name}: ",
        "path" => "{path}: ",
        "folder" => "{folder}: ",
        "time" => "{time} {name}: ",
        "local_time" => "{local_time} {name}: ",
        // A mistyped word, most likely.
        word if !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || c == '_') => {
            return Err("there are none, name, path, folder, time and local_time; a template has \
                        a field, such as {name}, or a text with a separator"
                .to_owned());
        }
        template => template,
    };
    let template: Result<Template, TemplateError> = template.parse();
    template.map(|template| Prefix(Some(template))).map_err(|why| why.to_string())
}

/// `5` for the last five lines, `+5` for all from the fifth on.
fn lines(text: &str) -> Result<Start, &'static str> {
    let (number, start): (_, fn(u64) -> Start) = match text.strip_prefix('+') {
        Some(line) => (line, Start::FromLine),
        None => (text, Start::LastLines),
    };
    let number = number.bytes().all(|it| it.is_ascii_digit()).then(|| number.parse().ok());
    number.flatten().map(start).ok_or("write N for the last lines, or +N for all from line N on")
}

/// What `--follow=` may be followed by; without it, the default is `no`.
fn by_name(text: &str) -> Result<bool, &'static str> {
    match text {
        "name" => Ok(true),
        "no" => Ok(false),
        _ => Err("files are followed by name, through rotation: write --follow"),
    }
}

/// `100ms`, `1.5s`, `2 minutes`: more than nothing.
pub(crate) fn time(text: &str) -> Result<Duration, String> {
    let time: SignedDuration = text.parse().map_err(|_| {
        "write a number and its unit, which is ms, s, m or h: 100ms, 2s, 1m".to_owned()
    })?;
    match Duration::try_from(time) {
        Ok(time) if !time.is_zero() => Ok(time),
        _ => Err("it must be longer than nothing".to_owned()),
    }
}

/// `1ms`, or `0`.
fn time_or_none(text: &str) -> Result<Duration, String> {
    if text == "0" { Ok(Duration::ZERO) } else { time(text) }
}

/// `64K`, `1MiB`, `1000000`: more than nothing.
fn size(text: &str) -> Result<u64, &'static str> {
    match parse_size::Config::new().with_binary().parse_size(text) {
        Ok(0) => Err("it must be more than nothing"),
        Ok(size) => Ok(size),
        Err(_) => Err("write a number of bytes, or a number and its unit: 64K, 1MiB"),
    }
}

/// Refuses `-o json`, by which other commands are asked for JSON: `habits` says what to
/// type instead. An output that is a stream must be a [`Place`].
fn output(path: PathBuf) -> Result<PathBuf, String> {
    if path == Path::new("json") {
        return Err("this is no format".to_owned());
    }
    if wire::is_stream(&path) {
        let parsed = path.to_string_lossy().parse::<Place>();
        parsed.map_err(|why| why.to_string())?;
    }
    Ok(path)
}

fn source(path: OsString) -> Result<PathBuf, &'static str> {
    let path = PathBuf::from(path);
    if path.as_os_str().is_empty() {
        return Err("an empty name: is a variable unset?");
    }
    if path == Path::new("-") {
        return Err(
            "stdin cannot be merged, write it to a file first; a file of that name is `./-`",
        );
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_may_have_a_unit_and_is_more_than_nothing() {
        for (text, bytes) in [("1000000", 1_000_000), ("64K", 65_536), ("64KB", 65_536)] {
            assert_eq!(size(text), Ok(bytes));
        }
        assert_eq!(size("1MiB"), Ok(1 << 20));
        for refused in ["", "0", "-1", "many", "1 line", "99999999999999999999"] {
            assert!(size(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn a_time_has_a_unit_and_is_more_than_nothing() {
        assert_eq!(time("100ms"), Ok(Duration::from_millis(100)));
        assert_eq!(time("1.5s"), Ok(Duration::from_millis(1500)));
        assert_eq!(time("2 minutes"), Ok(Duration::from_secs(120)));
        for refused in ["", "5", "0s", "-1s", "1", "fast"] {
            assert!(time(refused).is_err(), "{refused}");
        }
        // For another unit, the error names the known ones.
        assert!(time("1d").unwrap_err().contains("ms, s, m or h"));
    }
}
