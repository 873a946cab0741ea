//! How far a merge is, as a table.

use std::fmt::Write;
use std::time::Duration;

use tributary::{Progress, Shown, SourceProgress};

/// Returns a row a source, a sum, and the longest stall if it is known.
pub(crate) fn table(progress: &Progress, stall: Option<Duration>) -> String {
    let sources = progress.sources();
    let sum = |of: fn(&SourceProgress) -> u64| sources.iter().map(of).sum();
    let rows = sources.iter().map(|source| {
        row(source.lines, source.bytes, source.lag, &Shown(&source.path).to_string())
    });
    let mut text = format!("{:>12} {:>16} {:>16}  source\n", "lines", "bytes", "lag");
    text.extend(rows);
    let lag = Some(sum(|source| source.lag.unwrap_or_default()));
    text += &row(sum(|source| source.lines), sum(|source| source.bytes), lag, "(all)");
    if let Some(stall) = stall {
        writeln!(text, "longest stall: {stall:.1?}").expect("a string takes everything");
    }
    text
}

fn row(lines: u64, bytes: u64, lag: Option<u64>, name: &str) -> String {
    // No file of that name: a dash, since nobody knows.
    let lag = lag.map_or_else(|| "-".to_owned(), |lag| lag.to_string());
    format!("{lines:>12} {bytes:>16} {lag:>16}  {name}\n")
}
