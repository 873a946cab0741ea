//! What is run: a stage in a process of its own, measured and checked. Whoever
//! runs something is shown what has come of it after each run.

pub(crate) mod attempt;
pub(crate) mod child;
pub(crate) mod cost;
mod course;
pub(crate) mod folder;
pub(crate) mod laws;
pub(crate) mod machine;
pub(crate) mod rounds;
