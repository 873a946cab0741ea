//! What the contract does with files: mostly merges that are driven by hand, so that
//! each race has one outcome.

mod common;

mod batch;
mod begin;
mod checkpoint;
mod examples;
mod following;
mod marks;
mod max_line;
mod names;
mod output;
mod patterns;
mod progress;
mod sizes;
mod spans;
mod stream;
