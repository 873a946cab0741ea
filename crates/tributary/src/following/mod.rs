//! What follows a log: a path, the files that it names and has named, and how
//! far each of them has been read.

pub(crate) mod claims;
pub(crate) mod file;
pub(crate) mod follow;
pub(crate) mod identity;
pub(crate) mod log;
pub(crate) mod pattern;
pub(crate) mod siblings;
