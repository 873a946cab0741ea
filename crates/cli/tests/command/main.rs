//! The command as it is typed: what each flag does, how it ends, and what it
//! says.

mod blocked;
mod exits;
mod flags;
mod folder;
mod names;
mod process;
mod readme;
mod signals;
mod terminal;
