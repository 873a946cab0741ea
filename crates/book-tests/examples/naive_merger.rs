//! Tries laws on a merger of one's own, as it was and as mended, and prints
//! what they say.

#![expect(clippy::print_stdout, reason = "an example speaks")]

use std::time::Duration;

use conformance::{Case, MergeFn, Outcome};

#[path = "../tests/own/merger.rs"]
mod merger;

// ANCHOR: try
fn main() {
    let mergers: [(&str, MergeFn); 2] = [("naive", merger::naive), ("mended", merger::mended)];
    for (name, merge) in mergers {
        for law in ["every_line_is_merged_once", "a_stop_ends_the_run_at_once"] {
            // What a merger that hangs is given, and a test gives it longer.
            let case = Case::new(law, name, merge).within(Duration::from_secs(2));
            match case.outcome() {
                Outcome::Held => println!("{name} keeps {law}"),
                Outcome::Broken(how) => {
                    let how = how.to_string();
                    println!("{name} breaks {law}:");
                    println!("  {}", how.lines().next().expect("a law says something"));
                }
                other => println!("{name}: {law}: {other:?}"),
            }
        }
    }
}
// ANCHOR_END: try
