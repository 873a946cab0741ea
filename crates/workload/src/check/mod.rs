//! Is the merge right? The twin of the original's `confirm_merge`.

mod conclude;
mod files;
mod tagged;
mod untagged;
mod verdict;

use std::io;
use std::path::PathBuf;

pub use tagged::check_tagged;
pub use untagged::check_untagged;
pub use verdict::{Finding, Kind, Place, Verdict};

/// Why a merge could not be checked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// A source or the merged file could not be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// A source does not begin with its own tag, so [`check_tagged`] cannot
    /// judge it: either it is a file of another origin, for which there is
    /// [`check_untagged`], or the sources were named in another order.
    #[error("{} does not begin with the tag of source {source_index}, line 1", path.display())]
    NotTagged {
        /// The file.
        path: PathBuf,
        /// The index among the sources that were named, from 0.
        source_index: usize,
    },
}
