//! What is kept: the comparison as it grows, its JSON on the disk after each run, and
//! its page at the end.

pub(crate) mod compared;
pub(crate) mod files;
