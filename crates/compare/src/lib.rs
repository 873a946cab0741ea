//! The command behind `cargo compare`: every stage on the same workloads, each
//! in a process of its own, checked and measured; and `cargo compare diff N`,
//! the step from one stage to the next.
//!
//! Reading order: `args` (what can be typed), `run` (what is done), `jobs` (the
//! workloads), `rounds`, `attempt` and `course` (how they are run), `measure`
//! (what is measured), `child` (what runs inside a stage's process), `rows` (what
//! comes of it); `lanes`, `growth`, `verdicts`, `law` and `cost` (what else there
//! is to see); `compared`, `kept` and `writable` (where it is
//! gathered); `terminal`, `json`,
//! `words` and `warnings` (how it is told), [`diff`].

mod args;
mod attempt;
mod child;
mod compared;
mod cost;
mod course;
pub mod diff;
mod figures;
mod folder;
mod growth;
mod interrupt;
mod jobs;
mod json;
mod kept;
mod lanes;
mod law;
mod machine;
mod measure;
mod own_files;
mod print;
mod program;
mod progress;
mod rounds;
mod rows;
mod run;
mod terminal;
mod verdicts;
mod warnings;
mod words;
mod writable;

pub use run::main;
