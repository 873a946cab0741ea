//! How far a merge is, as a table.

use std::time::Duration;

use tributary::{Progress, Shown, SourceProgress};

/// Returns a row a source, and their sum.
pub(crate) fn table(progress: &Progress) -> String {
    let sources = progress.sources();
    let sum = |of: fn(&SourceProgress) -> u64| sources.iter().map(of).sum();
    let rows = sources.iter().map(|source| {
        let cut = match source.cut {
            0 => String::new(),
            cut => format!(" ({cut} cut)"),
        };
        row(source.lines, source.bytes, source.lag, &format!("{}{cut}", Shown(&source.path)))
    });
    let mut text = format!("{:>12} {:>16} {:>16}  source\n", "lines", "bytes", "lag");
    text.extend(rows);
    let lag = Some(sum(|source| source.lag.unwrap_or_default()));
    text += &row(sum(|source| source.lines), sum(|source| source.bytes), lag, "(all)");
    text
}

/// Returns the line about the longest stall, which is known at the end alone.
pub(crate) fn stall(stall: Option<Duration>) -> String {
    let stall = stall.map_or_else(|| "none was seen".to_owned(), |stall| format!("{stall:.1?}"));
    format!("longest stall: {stall}\n")
}

fn row(lines: u64, bytes: u64, lag: Option<u64>, name: &str) -> String {
    // No file of that name: a dash, since nobody knows.
    let lag = lag.map_or_else(|| "-".to_owned(), |lag| lag.to_string());
    format!("{lines:>12} {bytes:>16} {lag:>16}  {name}\n")
}
