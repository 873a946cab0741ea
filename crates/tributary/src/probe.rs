//! A window into a source, for tests: it makes races happen every time.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// A moment in the life of a source at which its [`Probe`] is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Moment {
    /// The source has asked for the stop and is about to look at its file.
    BeforeLook,
    /// The thread that looks is about to ask the file system, and waits for it
    /// as long as that takes. A look that never waits has no such moment.
    MayBlock,
    /// The source has looked, found nothing new, and is about to say so. Lines that it
    /// gave before may not be written yet.
    FoundNothing,
}

/// A function that each source calls at each [`Moment`], with its path.
///
/// What happens inside it happens *between* two steps of the source: a line
/// appended at [`Moment::FoundNothing`], together with a request to stop, is
/// the stop race, and it comes out the same way each time. An error that it
/// returns becomes the error of the look; a panic in it is a panic of the
/// thread or task that looked.
#[derive(Clone)]
pub struct Probe(Arc<Calls>);

type Calls = dyn Fn(Moment, &Path) -> io::Result<()> + Send + Sync;

impl Probe {
    /// Creates a probe from a function.
    pub fn new(calls: impl Fn(Moment, &Path) -> io::Result<()> + Send + Sync + 'static) -> Probe {
        Probe(Arc::new(calls))
    }

    pub(crate) fn call(&self, moment: Moment, path: &Path) -> io::Result<()> {
        (self.0)(moment, path)
    }
}

impl fmt::Debug for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Probe(..)")
    }
}
