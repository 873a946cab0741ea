//! A comparison as JSON, for programs: `crates/compare/schema.md` says what each
//! key is.

use serde::Serialize;

use crate::comparison::Comparison;
use crate::sentences;

/// Which keys there are, and what they mean. A key that is added keeps the
/// number; one that goes, or comes to mean something else, raises it.
pub const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct Whole<'a> {
    schema: u32,
    #[serde(flatten)]
    comparison: &'a Comparison,
    seen: Vec<String>,
}

/// Returns the whole comparison, with what was seen in words, as a JSON document.
///
/// # Panics
///
/// Panics if memory cannot be written to.
pub fn json(comparison: &Comparison) -> String {
    let whole = Whole { schema: SCHEMA, comparison, seen: sentences::seen(comparison) };
    serde_json::to_string(&whole).expect("memory takes what is written") + "\n"
}
