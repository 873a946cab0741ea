//! Flags of `tail`, `grep`, `journalctl` and `stern` that have another name here.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Returns what to type instead, if something was refused that another command
/// takes.
pub(crate) fn instead(error: &clap::Error, args: &[OsString]) -> Option<String> {
    let refused = error.get(ContextKind::InvalidArg)?;
    match (error.kind(), refused) {
        (ErrorKind::UnknownArgument, ContextValue::String(flag)) => flag_instead(flag, args),
        (ErrorKind::MissingRequiredArgument, ContextValue::Strings(missing))
            if missing.iter().any(|flag| flag.starts_with("--watch")) =>
        {
            Some(
                "--exclude leaves files out of --watch: write --watch 'logs/*.log', in quotes, \
                 instead of the names"
                    .to_owned(),
            )
        }
        (ErrorKind::ValueValidation, ContextValue::String(flag))
            if flag.starts_with("--output")
                && error.get(ContextKind::InvalidValue)
                    == Some(&ContextValue::String("json".to_owned())) =>
        {
            Some(
                "-o json: for a JSON object a line write --json; a file of that name is ./json"
                    .to_owned(),
            )
        }
        _ => None,
    }
}

fn flag_instead(flag: &str, args: &[OsString]) -> Option<String> {
    let instead = match flag {
        "-c" | "--bytes" => "bytes are not counted here, lines are: -n N",
        "-s" | "--sleep-interval" => "how often to look is said with --interval",
        "--pid" => "end it with a signal, SIGTERM",
        "--since" | "--until" | "-S" | "-U" => {
            "the times in the lines are not read, begin with the last lines (-n N) or with what \
             comes from now on (--from-end)"
        }
        "-t" | "--timestamps" => "for the time before each line write --prefix time, or local_time",
        "-u" | "--unit" => {
            "the journal is not read, write it to a file first: journalctl -f -u UNIT >> unit.log"
        }
        "-e" | "--regexp" | "-g" | "--grep" | "-i" | "--include" | "-H" | "--highlight" => {
            "lines are chosen behind it, tributary … | grep PATTERN; files are with --watch GLOB"
        }
        "-r" | "-R" | "--recursive" => {
            "for the logs in and below a folder write --watch 'FOLDER/**/*.log'"
        }
        _ => return last_lines(flag, args),
    };
    Some(format!("{flag}: {instead}"))
}

/// Returns what to type instead of `-20`. Of such a flag clap names only the first
/// digit, so the number is looked up in the arguments.
fn last_lines(flag: &str, args: &[OsString]) -> Option<String> {
    let mut typed = args.iter().filter_map(|arg| arg.to_str());
    let typed = typed.find(|arg| arg.starts_with(flag))?;
    let lines = typed[1..].trim_end_matches(|it: char| !it.is_ascii_digit());
    let lines = lines.parse::<u64>().ok()?;
    Some(format!("{typed}: for the last lines of each file write -n {lines}"))
}
