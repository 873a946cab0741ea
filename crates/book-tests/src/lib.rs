//! Reads the texts of this project the way mdBook and a reader do: which
//! listings a page includes, and which files it links to.
//!
//! mdBook prints an empty listing for an anchor that does not exist, and says
//! nothing. The tests beside this file use what is here to say it.
//!
//! And makes what the book shows of programs: `just refresh` runs each example
//! of this crate for its [`output`], and has the compiler refuse what is to be
//! [`refused`]; what is another one each time is [`masked`]. The page of what people
//! have [`asked`] is made from marks in the others. What the wrong [`turns`] say, a test shows.

pub mod asked;
mod listing;
mod masks;
mod outputs;
mod pages;
pub mod reading;
pub mod refused;
pub mod turns;

pub use listing::{Include, includes};
pub use masks::masked;
pub use outputs::output;
pub use pages::{Page, files, pages};
