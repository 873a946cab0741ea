//! What is kept: the comparison as it grows, on the disk after each run.

pub(crate) mod compared;
pub(crate) mod kept;
pub(crate) mod writable;
