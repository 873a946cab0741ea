//! Named workloads, made from a seed.
//!
//! In reading order:
//!
//! 1. [`WORKLOADS`]: the table of workloads, a name and one sentence each.
//! 2. [`Backlog`]: files that are complete before the merge begins.
//! 3. [`Live`]: files that grow while they are merged.
//! 4. [`LatencyWatch`] and [`FifoReader`]: who reads the output while it is
//!    being written, and how long each line took to get there.
//!
//! Every line is in the form of [`checker::tag`]: it says which source it
//! belongs to and which line of it it is.
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
mod clock;
mod fifo;
mod latency;
mod live;
mod named;
mod worker;

use std::io;
use std::path::{Path, PathBuf};

pub use backlog::Backlog;
pub use clock::monotonic_nanos;
pub use fifo::{FifoReader, Pauses, Received, make_fifo};
pub use latency::LatencyWatch;
pub use live::{Live, LiveSources, LiveWriters, Written};
pub use named::{OutputKind, SourceKind, WORKLOADS, Workload, named};

/// Says where the source of this index is made: `source-0007.log` in `folder`.
pub fn source_path(folder: &Path, index: usize) -> PathBuf {
    folder.join(format!("source-{index:04}.log"))
}

/// Puts what was being done, and the path, in front of an error of the system.
fn name_path<'a>(doing: &'a str, path: &'a Path) -> impl FnOnce(io::Error) -> io::Error + 'a {
    move |cause| io::Error::new(cause.kind(), format!("{doing} {}: {cause}", path.display()))
}
