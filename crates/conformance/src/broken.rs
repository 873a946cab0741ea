//! What a law that is broken says.

use std::fmt;
use std::panic::Location;

/// What a law says about a merger: that it keeps it, or how it breaks it.
pub type Verdict = Result<(), Broken>;

/// How a merger breaks a law: what was expected, what was found, and which
/// line of the law says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    message: String,
}

impl Broken {
    /// Creates the breach, at the place of the caller.
    #[track_caller]
    pub(crate) fn new(message: impl fmt::Display) -> Broken {
        let place = Location::caller();
        Broken { message: format!("{message}\n  (said by {}:{})", place.file(), place.line()) }
    }

    /// Adds more about the breach.
    pub(crate) fn and(self, more: &str) -> Broken {
        Broken { message: format!("{more}\n  {}", self.message) }
    }

    /// Makes it from the message of another process, which has the place in it.
    pub(crate) fn from_message(message: String) -> Broken {
        Broken { message }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Says that the law is broken, unless `holds`.
#[track_caller]
pub(crate) fn require(holds: bool, message: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(Broken::new(message())) }
}
