//! The suite is itself tested: mergers that are wrong in one way each, and the
//! law that has to catch each of them.
//!
//! The table is below, in `catches!`. A broken merger has to be caught by its
//! law for what is wrong with it, so a piece of what the law says stands beside
//! it; an error or a panic that the law does not expect is no catch. And two
//! correct mergers pass the whole suite.

use std::collections::HashMap;
use std::env;
use std::sync::{LazyLock, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use conformance::{BOUND, Case, LAWS, Outcome};

mod mergers;

/// The bound of the mergers that hang. They would hang in any other as well.
const SHORT: Duration = Duration::from_secs(3);
/// For a law that does much before its merger hangs.
const AFTER_A_FLOOD: Duration = Duration::from_secs(8);

/// Holds a correct merger to all laws.
mod one_thread_a_source {
    conformance::suite!(crate::mergers::correct::one_thread_a_source);
}

/// Another one, which writes after a look that has found nothing: the laws judge
/// by the output, and no order of these two is promised.
mod one_chunk_behind {
    conformance::suite!(crate::mergers::correct::one_chunk_behind);
}

/// A broken merger, and the law that catches it.
struct Row {
    merger: &'static str,
    law: &'static str,
    case: fn() -> Case,
    /// The merger hangs until this bound.
    within: Option<Duration>,
}

impl Row {
    fn outcome(&self) -> Outcome {
        (self.case)().within(self.within.unwrap_or(BOUND)).outcome()
    }
}

/// The mergers that hang until their bound, all at once, since each of them only waits.
/// If tests are picked by name, nothing is tried here, and each waits for itself.
static HANGING: LazyLock<Mutex<HashMap<&str, JoinHandle<Outcome>>>> = LazyLock::new(|| {
    let picked = env::args().len() > 1;
    let hanging = ROWS.iter().filter(|row| row.within.is_some() && !picked);
    Mutex::new(hanging.map(|row| (row.merger, thread::spawn(|| row.outcome()))).collect())
});

/// Asserts that the law of a row catches its merger, and says `said` of it.
#[track_caller]
fn assert_caught(merger: &str, said: &str) {
    let row = ROWS.iter().find(|row| row.merger == merger).unwrap();
    let begun = HANGING.lock().unwrap().remove(merger);
    match begun.map_or_else(|| row.outcome(), |begun| begun.join().unwrap()) {
        Outcome::Broken(how) => {
            let how = how.to_string();
            assert!(how.contains(said), "{} caught {merger} for another reason: {how}", row.law);
        }
        other => panic!("{} did not catch {merger}: {other:?}", row.law),
    }
}

/// Makes a test of each row, and a table of all of them.
macro_rules! catches {
    ($($merger:ident => $law:ident, $said:literal $(within $bound:ident)?;)+) => {
        const ROWS: &[Row] = &[$(Row {
            merger: stringify!($merger),
            law: stringify!($law),
            case: || {
                let case = Case::new(stringify!($law), stringify!($merger), mergers::$merger);
                case.tried_by(concat!(module_path!(), "::", stringify!($merger)))
            },
            within: [$(Some($bound),)? None][0],
        }),+];

        $(#[test]
        fn $merger() {
            assert_caught(stringify!($merger), $said);
        })+
    };
}

catches! {
    // What is in the output.
    loses_a_chunk => every_line_is_merged_once, " lost";
    doubles_a_chunk => every_line_is_merged_once, " doubled";
    swaps_two_chunks => each_source_keeps_its_order, " out of order";
    tears_a_line => no_line_is_torn_or_mixed, " torn";
    adds_a_blank_line => nothing_is_added, " foreign";
    writes_a_partial_line => a_line_written_in_pieces_appears_whole, "its newline was not";
    replaces_what_is_not_utf8 => bytes_are_bytes, "expected \"";
    forgets_the_last_newline => a_last_line_without_a_newline_gets_one, " glued";
    drops_a_line_that_is_too_long => a_line_longer_than_every_buffer_stays_whole, " lost";
    waits_for_a_line_of_each_source => an_empty_source_holds_nothing_up, "in vain for this: the merge ends" within SHORT;
    waits_for_its_first_line => no_source_at_all_makes_an_empty_output, "in vain for this: the merge ends" within SHORT;

    // When it is there, and when the run ends.
    writes_at_the_end => what_is_written_during_the_run_appears_before_the_stop, "in vain for this: line 1" within SHORT;
    leaves_without_a_last_look => what_was_written_before_the_stop_is_merged, " lost";
    leaves_before_all_is_read => what_was_written_as_a_look_began_is_merged, " lost";
    drops_the_last_line_at_the_stop => what_was_written_before_the_stop_is_merged, " lost";
    waits_out_the_interval => a_stop_ends_the_run_at_once, "in vain for this: the merge ends" within SHORT;
    ignores_the_stop => a_stop_ends_the_run_although_the_writers_never_pause, "in vain for this: the merge ends" within SHORT;
    forgets_to_join_the_writer => the_run_ends_only_when_everything_is_written, "the merge has ended";
    busy_waits => waiting_costs_nothing, "expected no look";

    // Many sources, and who holds up whom.
    hangs_at_the_513th_source => six_hundred_sources_all_make_progress, "of 600 sources were not read" within SHORT;
    reads_everything_ahead => two_thousand_sources_and_a_blocked_output_stay_under_96_mib, "expected less than 96 MiB";
    drains_one_source_before_the_next => no_source_is_starved, "in vain for this: line 1" within SHORT;
    hangs_with_a_source_that_hangs => a_source_that_hangs_delays_no_other, "line 1 of source 1 did not come out";
    blocks_the_loop => an_idle_source_is_looked_at_while_the_output_blocks, "source 1 was not looked at" within SHORT;

    // What becomes of a log meanwhile.
    lets_a_renamed_file_go_at_once => a_renamed_file_is_read_to_its_end_before_its_successor, " lost";
    reads_the_successor_first => a_renamed_file_is_read_to_its_end_before_its_successor, " out of order";
    lets_a_renamed_file_go_at_its_end => what_is_written_late_to_a_renamed_file_is_merged, " lost";
    glues_half_a_line_to_the_next_file => a_half_line_is_not_glued_to_the_next_file, "hatwo";
    misses_what_was_renamed_between_two_looks => twenty_renames_in_quick_succession_lose_nothing, " lost";
    stays_at_its_place_in_a_truncated_file => a_truncated_file_is_read_from_its_start, " lost";
    goes_on_in_the_middle_of_a_rewritten_file => a_rewritten_file_is_read_from_its_start, " lost";
    keeps_to_a_deleted_file => a_deleted_file_that_is_made_anew_is_followed, " lost";
    gives_up_on_a_missing_file => a_missing_file_is_waited_for, " lost";
    leaves_when_nothing_is_new => a_missing_file_is_waited_for, "the merge has ended before the stop";
    keeps_to_the_first_target_of_a_link => a_link_that_leads_elsewhere_is_followed, " lost";
    reads_a_log_by_both_of_its_names => a_log_and_its_rotated_name_are_merged_once, " doubled";

    // Who is woken by it: each of these is right where it looks now and then.
    takes_only_growth_for_a_change => a_truncated_file_is_read_from_its_start, "notified\n  waited" within SHORT;
    takes_the_same_size_for_no_change => a_rewritten_file_is_read_from_its_start, "notified\n  waited" within SHORT;
    sleeps_while_the_name_is_missing => a_deleted_file_that_is_made_anew_is_followed, "notified\n  waited" within SHORT;
    distrusts_a_bell_that_rang_for_nothing => a_line_written_in_pieces_appears_whole, "notified\n  waited" within SHORT;
    sleeps_on_a_change_during_a_look => a_change_during_a_look_is_not_lost, "in vain for this: the merge ends" within SHORT;
    drops_bells_that_ring_together => an_overflow_of_notifications_loses_nothing, "in vain for this: line 1 of each source" within AFTER_A_FLOOD;
    sleeps_whatever_is_notified => a_source_that_waits_is_woken_by_a_change, "in vain for this: a line that was written" within SHORT;
    looks_at_all_when_one_has_changed => a_change_of_one_source_causes_no_look_at_another, "expected no look";

    // What fails, and what is said about it.
    loses_the_error_of_a_source => a_failing_source_ends_the_run_and_is_named, "and did not";
    goes_on_without_a_source_that_failed => a_failing_source_ends_the_run_and_is_named, "in vain for this: the merge ends" within SHORT;
    leaves_the_others_behind => a_failing_source_lets_the_lines_of_the_others_through, " lost";
    swallows_the_error_of_the_output => a_full_disk_ends_the_run_and_the_output_is_named, "and did not";
    takes_a_broken_pipe_for_the_end => a_reader_that_goes_away_ends_the_run_and_the_output_is_named, "and did not";
    swallows_a_panic => a_panic_ends_the_run_and_comes_out_of_it, "returned a report";
    panics_with_the_consequence => a_panic_ends_the_run_and_comes_out_of_it, "found another one";
    miscounts => the_report_counts_what_is_in_the_output, "the report says";
}

/// A law that catches nothing says nothing.
#[test]
fn every_law_catches_a_merger() {
    // These two are kept by `Plan::open`, which a merger comes after.
    let kept_by_the_plan = [
        "a_missing_source_is_an_error_that_names_it",
        "an_unreadable_source_is_an_error_that_names_it",
    ];
    for law in LAWS.iter().filter(|law| !kept_by_the_plan.contains(&law.name)) {
        assert!(
            ROWS.iter().any(|row| row.law == law.name),
            "no broken merger is caught by {}: write one",
            law.name
        );
    }
}
