//! Puts a stage beside its predecessor in the book.
//!
//! A line `{{#step stage1-threads stage2-mixed}}` of a page becomes two columns
//! when the book is built: the old file on the left, the new one on the right,
//! line beside line. The line `{{#files}}` becomes the list of all stages' files,
//! each on a page of its own below it: this is where the numbers of the lines lead.
//! A file that is no stage is named `crate/module`, in both.
//!
//! What is shown is read from the files when the book is built, so it cannot go
//! stale; and every line of both files is there, unchanged ones behind a click.
//!
//! From the outside in: [`Files`] is the preprocessor, [`directive`] finds the
//! lines in a page, [`steps`] cuts a file into items, [`step`] lays the items
//! and their lines side by side, [`words`] marks what differs in a line,
//! [`colour`] knows a comment from a keyword, [`breaks`] where a line may be
//! broken, `page` writes it all down.

pub mod breaks;
pub mod colour;
pub mod directive;
mod page;
mod preprocessor;
pub mod step;
pub mod words;

pub use preprocessor::{Files, columns};
