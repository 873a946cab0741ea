//! What a merge did.

use std::path::PathBuf;
use std::time::Duration;

/// What an output took in, from the opening of its plan to its finish.
///
/// Only [`Output::finish`](crate::Output::finish) makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Written {
    /// Lines, of all sources together.
    pub lines: u64,
    /// Bytes, of all sources together.
    pub bytes: u64,
    /// The same for each source, in the order of the plan. Logs of a pattern come in
    /// the order in which they joined.
    pub sources: Vec<SourceReport>,
    /// The time from the opening of the plan to the finish of its output.
    pub duration: Duration,
}

/// What one source gave.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SourceReport {
    /// The path of the source, as it was given.
    pub path: PathBuf,
    /// Lines of this source in the output.
    pub lines: u64,
    /// Bytes of this source in the output.
    pub bytes: u64,
}

/// What a merge did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// Lines in the output.
    pub lines: u64,
    /// Bytes in the output.
    pub bytes: u64,
    /// Lines and bytes of each source, in the order of the plan.
    pub sources: Vec<SourceReport>,
    /// The time from the opening of the plan to the finish of its output.
    pub duration: Duration,
    /// The longest time that a woken task waited for its turn on the loop;
    /// `None` where no loop is shared, or none was ever busy.
    pub stall: Option<Duration>,
}

impl Report {
    /// Creates the report of a merge from what its output took in, and from
    /// the longest stall of its event loop, if it has one.
    pub fn new(written: Written, stall: Option<Duration>) -> Report {
        Report {
            lines: written.lines,
            bytes: written.bytes,
            sources: written.sources,
            duration: written.duration,
            stall,
        }
    }
}
