//! Is the merge right? The book's `confirm_merge`.
//!
//! In reading order:
//!
//! 1. [`tag`]: the form of a line that says which source it belongs to, and which line
//!    of that source it is.
//! 2. [`check_tagged`]: checks a merge of such lines, of which everything is known.
//! 3. [`check_untagged`]: checks a merge of any files.
//! 4. [`Verdict`]: the findings of either, printed for a person.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let folder = folder.path();
//! let sources = [folder.join("a.log"), folder.join("b.log")];
//! std::fs::write(&sources[0], "one\ntwo\n")?;
//! std::fs::write(&sources[1], "three\n")?;
//!
//! // The second line of the first source is missing.
//! let merged = folder.join("merged.log");
//! std::fs::write(&merged, "one\nthree\n")?;
//!
//! let verdict = checker::check_untagged(&sources, &merged)?;
//! assert_eq!(verdict.count(checker::Kind::Lost), 1, "{verdict}");
//! # Ok(())
//! # }
//! ```

mod conclude;
mod files;
pub mod tag;
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
