//! What is wanted: what can be typed, the workloads and files that it names,
//! and the programs beside the stages.

pub(crate) mod args;
pub(crate) mod jobs;
pub(crate) mod own_files;
pub(crate) mod program;
