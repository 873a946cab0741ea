//! What keeps the lines: the output, and the checkpoint that makes them exactly
//! once.

pub(crate) mod checkpoint;
pub(crate) mod output;
pub(crate) mod saver;
