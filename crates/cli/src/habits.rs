//! Flags of `tail` that are called otherwise here.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Says what to type instead, if a flag was refused that `tail` has.
pub(crate) fn instead(error: &clap::Error, args: &[OsString]) -> Option<String> {
    let (ErrorKind::UnknownArgument, Some(ContextValue::String(flag))) =
        (error.kind(), error.get(ContextKind::InvalidArg))
    else {
        return None;
    };
    Some(match flag.as_str() {
        "-c" | "--bytes" => format!("{flag}: bytes are not counted here, lines are: -n N"),
        "-s" | "--sleep-interval" => {
            format!("{flag}: how often to look is said with --interval")
        }
        "--pid" => format!("{flag}: end it with a signal, SIGTERM"),
        _ => {
            // Of `-20`, clap names the first digit alone.
            let typed = args.iter().filter_map(|arg| arg.to_str());
            let typed = typed.into_iter().find(|arg| arg.starts_with(flag.as_str()))?;
            let lines = typed[1..].trim_end_matches(|it: char| !it.is_ascii_digit());
            let lines = lines.parse::<u64>().ok()?;
            format!("{typed}: for the last lines of each file write -n {lines}")
        }
    })
}
