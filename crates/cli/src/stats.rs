//! How far a merge is, as a table for a person or as a line for a machine.

use std::time::Duration;

use clap::ValueEnum;
use tributary::Shown;

use crate::observer::{Observed, Source};

/// How it is told.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Format {
    /// A table.
    Table,
    /// A JSON object on one line.
    Json,
}

/// Returns how far a merge is. `stall` is the longest stall of a merge that has
/// ended; a table says it, also that none was seen.
pub(crate) fn told(observed: &Observed, format: Format, stall: Option<Option<Duration>>) -> String {
    match format {
        Format::Table => table(observed) + &stall.map(longest_stall).unwrap_or_default(),
        Format::Json => {
            serde_json::to_string(observed).expect("numbers and strings are JSON") + "\n"
        }
    }
}

/// Returns a row for each source, and one for their sum.
fn table(observed: &Observed) -> String {
    let rows = observed.sources.iter().map(|source| {
        let Source { lines, bytes, lag_bytes, .. } = *source;
        let cut = match source.cut_lines {
            0 => String::new(),
            cut => format!(" ({cut} cut)"),
        };
        row(lines, bytes, lag_bytes, &format!("{}{cut}", Shown(&source.path)))
    });
    let mut text = format!("{:>12} {:>16} {:>16}  source\n", "lines", "bytes", "lag");
    text.extend(rows);
    text + &row(observed.lines, observed.bytes, Some(observed.lag_bytes), "(all)")
}

fn longest_stall(stall: Option<Duration>) -> String {
    let stall = stall.map_or_else(|| "none was seen".to_owned(), |stall| format!("{stall:.1?}"));
    format!("longest stall: {stall}\n")
}

fn row(lines: u64, bytes: u64, lag: Option<u64>, name: &str) -> String {
    // A dash where no file has that name: nobody knows the lag.
    let lag = lag.map_or_else(|| "-".to_owned(), |lag| lag.to_string());
    format!("{lines:>12} {bytes:>16} {lag:>16}  {name}\n")
}
