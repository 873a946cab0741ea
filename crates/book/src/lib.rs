//! Reads the texts of this project the way mdBook and a reader do: which
//! listings a page includes, and which files it links to.
//!
//! mdBook prints an empty listing for an anchor that does not exist, and says
//! nothing. The tests beside this file use what is here to say it.

mod listing;
mod pages;

pub use listing::{Include, Problem, includes};
pub use pages::{Page, pages};
