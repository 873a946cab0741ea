//! A merger of one's own: laws catch what is wrong with it, and once that is
//! mended it keeps them all. "Your own program next" in the book tells the
//! story.

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use conformance::{BOUND, Case, LAWS, Law, Outcome};

mod iterator;
mod merger;
mod reversed;

/// What a law is given in which the naive merger hangs.
const SHORT: Duration = Duration::from_secs(2);

/// The laws in which a source has begun its wait, of an hour, before somebody
/// wants it to end. So have those of what happens to a log, but for one.
const BREAKS: [&str; 5] = [
    "a_line_written_in_pieces_appears_whole",
    "what_was_written_before_the_stop_is_merged",
    "a_stop_ends_the_run_at_once",
    "waiting_costs_nothing",
    "a_source_that_hangs_delays_no_other",
];
const WAKES_NOBODY: &str = "a_log_and_its_rotated_name_are_merged_once";

/// Those in which it may: one source ends the run, and another one sleeps by
/// then unless it is late.
const BREAKS_UNLESS_ALL_ARE_LATE: [&str; 5] = [
    "what_was_written_as_a_look_began_is_merged",
    "a_failing_source_ends_the_run_and_is_named",
    "a_full_disk_ends_the_run_and_the_output_is_named",
    "a_reader_that_goes_away_ends_the_run_and_the_output_is_named",
    "a_panic_ends_the_run_and_comes_out_of_it",
];

/// They want a process of their own, which is a matter of the suite.
const NOT_TRIED: [&str; 2] = [
    "two_thousand_sources_and_a_blocked_output_stay_under_96_mib",
    "an_overflow_of_notifications_loses_nothing",
];

#[test]
fn a_merger_that_sleeps_is_caught_where_somebody_waits_for_it_and_nowhere_else() {
    let tried: Vec<_> = LAWS.iter().filter(|law| !NOT_TRIED.contains(&law.name)).collect();
    let wakes =
        |law: &&&Law| ["following", "waking"].contains(&law.theme) && law.name != WAKES_NOBODY;
    let mut breaks: Vec<_> = tried.iter().filter(wakes).map(|law| law.name).collect();
    breaks.extend(BREAKS);
    let certain = breaks.len();
    breaks.extend(BREAKS_UNLESS_ALL_ARE_LATE);
    let outcome = |law: &'static str| {
        // A law that is kept may take its time on a machine that is busy.
        let bound = if breaks.contains(&law) { SHORT } else { BOUND };
        (law, Case::new(law, "merger::naive", merger::naive).within(bound).outcome())
    };
    let laws = tried.iter().map(|law| law.name);
    let outcomes: BTreeMap<_, _> = thread::scope(|scope| {
        let start = |law| scope.spawn(move || outcome(law));
        let cases: Vec<_> = laws.map(start).collect();
        cases.into_iter().map(|case| case.join().expect("an outcome is no panic")).collect()
    });

    assert_eq!(outcomes.len(), LAWS.len() - NOT_TRIED.len());
    for law in &breaks[..certain] {
        let Outcome::Broken(how) = &outcomes[law] else { panic!("{law}: {:?}", outcomes[law]) };
        let how = how.to_string();
        let waited = ["in vain for this: ", "did not come out beside a source that hangs"];
        assert!(waited.iter().any(|words| how.contains(words)), "{law}: {how}");
    }
    for (law, outcome) in &outcomes {
        let may_break = breaks.contains(law) && matches!(outcome, Outcome::Broken(_));
        assert!(may_break || *outcome == Outcome::Held, "{law}: {outcome:?}");
    }
}

// ANCHOR: suite
mod keeps_every_law {
    conformance::suite!(crate::merger::mended);
}
// ANCHOR_END: suite

/// The `for` loop over an iterator, in "The caller that cannot await".
mod the_iterator_keeps_every_law {
    conformance::suite!(crate::iterator::merge);
}

/// Threads before a task, in "From a thread to a task".
mod threads_before_a_task_keep_every_law {
    conformance::suite!(crate::reversed::merge);
}
