//! What is run: each stage in a process of its own, measured and checked. The caller
//! gets the results so far after each run.

pub(crate) mod attempt;
pub(crate) mod child;
pub(crate) mod cost;
mod course;
pub(crate) mod folder;
pub(crate) mod laws;
pub(crate) mod machine;
pub(crate) mod rounds;
