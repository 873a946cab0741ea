//! What was asked for: the command line, the jobs, the files and folders that it names,
//! and the programs beside the stages.

pub(crate) mod args;
pub(crate) mod contender;
pub(crate) mod jobs;
pub(crate) mod own_files;
pub(crate) mod places;
pub(crate) mod programs;
