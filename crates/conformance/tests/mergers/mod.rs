//! A correct merger, and many that are wrong in one way each.
//!
//! They use what every merger has: the public parts of `tributary`, and the
//! paths of the files.

pub(crate) mod correct;
mod ends;
mod failures;
mod following;
mod lines;
mod many;
mod waking;

pub(crate) use ends::*;
pub(crate) use failures::*;
pub(crate) use following::*;
pub(crate) use lines::*;
pub(crate) use many::*;
pub(crate) use waking::*;
