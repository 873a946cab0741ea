//! What is wanted: what can be typed, the jobs, files and folders that it
//! names, the programs beside the stages, and when to end before the time.

pub(crate) mod args;
pub(crate) mod contender;
pub(crate) mod jobs;
pub(crate) mod own_files;
pub(crate) mod places;
pub(crate) mod programs;
