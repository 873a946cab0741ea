//! What is run: a stage in a process of its own, measured and checked.

pub(crate) mod attempt;
pub(crate) mod child;
pub(crate) mod cost;
mod course;
pub(crate) mod folder;
pub(crate) mod growth;
pub(crate) mod interrupt;
pub(crate) mod lanes;
pub(crate) mod law;
pub(crate) mod machine;
mod measure;
pub(crate) mod rounds;
pub(crate) mod verdicts;
