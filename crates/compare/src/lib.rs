//! The command behind `cargo compare`: every stage on the same workloads, each
//! in a process of its own, checked and measured; and `cargo compare diff N`,
//! the step from one stage to the next.
//!
//! Four rooms, each of which may use those before it: `asking` (what is wanted),
//! `running` (a stage in a child, measured), `telling` (what was seen, as tables,
//! words and JSON), `keeping` (where it is gathered). `run` goes through them
//! from start to end; `protocol` is what parent and child say to each other.
//! Beside them is [`diff`].

mod asking;
pub mod diff;
mod keeping;
mod protocol;
mod run;
mod running;
mod telling;

pub use run::main;
