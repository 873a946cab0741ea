//! What follows a log: a path, the files that it names and has named, and how
//! far each of them has been read.

pub(crate) mod alike;
pub(crate) mod entry;
pub(crate) mod expand;
pub(crate) mod file;
pub(crate) mod files;
pub(crate) mod follow;
pub(crate) mod identity;
pub(crate) mod log;
pub(crate) mod path;
pub(crate) mod pattern;
pub(crate) mod reading;
pub(crate) mod rotated;
pub(crate) mod siblings;
