//! A comparison as JSON, for programs: `crates/compare/schema.md` says what each
//! key is.

use serde::Serialize;

use crate::comparison::Comparison;
use crate::sentences;

/// The version of the keys and their meanings. A new key keeps the number; a key that
/// goes or changes its meaning raises it.
pub const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct Whole<'a> {
    schema: u32,
    #[serde(flatten)]
    comparison: &'a Comparison,
    seen: Vec<String>,
}

/// Returns the whole comparison, with the sentences of [`seen`](crate::seen), as a JSON
/// document and a newline.
///
/// # Panics
///
/// Panics if a string cannot be written to, which does not happen.
pub fn json(comparison: &Comparison) -> String {
    let whole = Whole { schema: SCHEMA, comparison, seen: sentences::seen(comparison) };
    serde_json::to_string(&whole).expect("memory takes what is written") + "\n"
}
