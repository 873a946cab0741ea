//! What is told: figures as tables, sentences, warnings and JSON, on the
//! terminal and for programs.

pub(crate) mod figures;
pub(crate) mod json;
pub(crate) mod print;
pub(crate) mod rows;
pub(crate) mod terminal;
pub(crate) mod warnings;
pub(crate) mod words;
