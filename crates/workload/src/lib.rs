//! Named workloads, made from a seed.
//!
//! In reading order:
//!
//! 1. [`WORKLOADS`]: the table of workloads, a name and one sentence each.
//! 2. [`Backlog`]: files that are complete before the merge begins.
//! 3. [`Live`]: files that grow while they are merged.
//! 4. [`OutputReader`]: reads the output while it is written, and measures how long
//!    each line took to get there.
//!
//! Every line is in the form of [`checker::tag`]: it names its source and its number in
//! that source.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let folder = folder.path();
//! let backlog = workload::Backlog { files: 2, bytes: 10_000 };
//! let sources = backlog.make(folder, 42)?;
//!
//! // One source after the other is a right merge as well.
//! let merged = folder.join("merged.log");
//! let bytes = [std::fs::read(&sources[0])?, std::fs::read(&sources[1])?].concat();
//! std::fs::write(&merged, bytes)?;
//!
//! let verdict = checker::check_tagged(&sources, &merged)?;
//! assert!(verdict.is_right(), "{verdict}");
//! # Ok(())
//! # }
//! ```

mod backlog;
mod live;
mod named;
mod reading;
mod worker;

use std::io;
use std::path::{Path, PathBuf};

use rustix::time::{ClockId, clock_gettime};

pub use backlog::Backlog;
pub use live::{Live, LiveSources, Written};
pub use named::{Sources, WORKLOADS, Workload};
pub use reading::{OutputReader, Pauses};
pub use worker::Worker;

/// Reads `CLOCK_MONOTONIC`, in nanoseconds.
///
/// Unlike `std::time::Instant`, the number means the same in every process of the
/// machine. So a line can carry it from the process that writes the line to the one
/// that sees it arrive.
pub fn monotonic_nanos() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    // The clock starts near zero at boot and never runs backwards.
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

/// Returns the path of the source of this index: `source-0007.log` in `folder`.
pub fn source_path(folder: &Path, index: usize) -> PathBuf {
    folder.join(format!("source-{index:04}.log"))
}

/// Puts what was being done, and the path, before the words of an error.
fn name_path<'a>(doing: &'a str, path: &'a Path) -> impl FnOnce(io::Error) -> io::Error + 'a {
    move |cause| io::Error::new(cause.kind(), format!("{doing} {}: {cause}", path.display()))
}
