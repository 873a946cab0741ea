//! The checker is worth what it catches: right merges are right, and each way
//! of being wrong is found and named.

mod any_merge;
mod common;
mod tagged;
mod untagged;
