//! The command behind `cargo compare`: every stage on the same workloads, each
//! in a process of its own, checked and measured; and `cargo compare diff N`,
//! the step from one stage to the next.
//!
//! Reading order: `args` (what can be typed), `jobs` (what is run), `rounds`
//! and `attempt` (how), `measure` (what is measured), `child` (what runs inside
//! a stage's process), `rows` (what comes of it), `terminal`,
//! `json`, `words` and `warnings` (how it is told), [`diff`].

mod args;
mod attempt;
mod child;
pub mod diff;
mod folder;
mod interrupt;
mod jobs;
mod json;
mod machine;
mod measure;
mod own_files;
mod print;
mod progress;
mod rounds;
mod rows;
mod run;
pub mod stages;
mod terminal;
mod warnings;
mod words;

pub use run::main;
