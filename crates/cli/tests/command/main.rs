//! The command as it is typed: what each flag does, how it ends, and what it
//! says.

mod blocked;
mod conform;
mod exits;
mod exposition;
mod flags;
mod habits;
mod help;
mod metrics;
mod names;
mod non_blocking;
mod process;
mod readme;
mod signals;
mod sources;
mod stdout;
mod terminal;
