//! How results are told: tables and warnings, on the terminal. The sentences, the JSON
//! and the page are those of `report`.

pub(crate) mod figures;
pub(crate) mod rows;
pub(crate) mod terminal;
pub(crate) mod warnings;
