//! What keeps the lines: the output, and the checkpoint that makes them exactly
//! once.

pub(crate) mod begin;
pub(crate) mod checkpoint;
pub(crate) mod output;
pub(crate) mod output_file;
pub(crate) mod saver;
