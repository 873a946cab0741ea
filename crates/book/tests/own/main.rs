//! A merger of one's own: laws catch what is wrong with it, and once that is
//! mended it keeps them all. "Your own program next" in the book tells the
//! story.

use std::time::Duration;

use conformance::{Case, Outcome};

mod merger;

/// What a merger that hangs is given.
const SHORT: Duration = Duration::from_secs(3);

/// Tries a law on the naive merger, and returns what the law says.
#[track_caller]
fn caught_by(law: &str) -> String {
    match Case::new(law, "merger::naive", merger::naive).within(SHORT).outcome() {
        Outcome::Broken(how) => how.to_string(),
        other => panic!("{law}: {other:?}"),
    }
}

#[test]
fn a_merger_that_sleeps_out_its_interval_is_caught_by_the_stop() {
    let said = caught_by("a_stop_ends_the_run_at_once");
    assert!(said.contains("in vain for this: the merge ends"), "{said}");
}

#[test]
fn and_by_the_change_that_should_have_woken_it() {
    let said = caught_by("a_source_that_waits_is_woken_by_a_change");
    assert!(said.contains("in vain for this: a line that was written"), "{said}");
}

#[test]
fn and_by_nothing_that_looks_at_the_lines_alone() {
    let case = Case::new("every_line_is_merged_once", "merger::naive", merger::naive);
    assert_eq!(case.outcome(), Outcome::Held);
}

// ANCHOR: suite
mod keeps_every_law {
    conformance::suite!(crate::merger::mended);
}
// ANCHOR_END: suite
