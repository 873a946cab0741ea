//! The list of the laws: the one place where all of them are named.

use crate::{Broken, MergeFn, laws};

/// The function of a law.
pub type LawFn = fn(MergeFn) -> Result<(), Broken>;

/// A law: a promise of every merge.
#[derive(Debug, Clone, Copy)]
pub struct Law {
    /// The theme, which is also the name of its file.
    pub theme: &'static str,
    /// The name: that of the function, and of the tests made from it.
    pub name: &'static str,
    /// The law in one sentence: the first of the function's documentation.
    pub sentence: &'static str,
    /// Holds a merger to it. Outside of a [`Case`](crate::Case) it has a bound
    /// of [`BOUND`](crate::BOUND) and no watchdog.
    pub function: LawFn,
}

impl Law {
    /// Finds a law by its name.
    pub fn named(name: &str) -> Option<&'static Law> {
        LAWS.iter().find(|law| law.name == name)
    }
}

/// Hands the list of the laws to another macro. A new law is one line here
/// and one function in the file of its theme.
#[doc(hidden)]
#[macro_export]
macro_rules! laws {
    ($($callback:ident)::+ ! $arguments:tt) => {
        $($callback)::+! {
            $arguments
            lines {
                every_line_is_merged_once
                    "Every line of every source is in the output once."
                each_source_keeps_its_order
                    "The lines of a source are in the output in the order of the source."
                no_line_is_torn_or_mixed
                    "Every line is whole in the output, and no other line stands in the middle of it."
                nothing_is_added
                    "Nothing is in the output that is not in a source."
                a_line_written_in_pieces_appears_whole
                    "A line that is written in pieces is in the output from its newline on, and whole."
                bytes_are_bytes
                    "Any bytes may stand in a line: NUL, CR and what is not UTF-8 come through."
                a_last_line_without_a_newline_gets_one
                    "A last line without a newline gets one at the end of the run."
                a_line_longer_than_every_buffer_stays_whole
                    "A line that is longer than every buffer comes through whole, among short ones."
                an_empty_source_holds_nothing_up
                    "A source without a line gives nothing and holds nothing up."
                no_source_at_all_makes_an_empty_output
                    "A merge without a source ends at once, with an empty output."
            }
            stop {
                what_is_written_during_the_run_appears_before_the_stop
                    "What is written during the run is in the output before the stop."
                what_was_written_before_the_stop_is_merged
                    "What was written before the stop is merged, also behind a look that found nothing."
                what_was_written_as_a_look_began_is_merged
                    "What was written before the stop is merged, also if both came as a look began."
                a_stop_ends_the_run_at_once
                    "A stop ends the run at once, not after an interval."
                a_stop_ends_the_run_although_the_writers_never_pause
                    "A stop ends the run also if there is something new at every look."
                the_run_ends_only_when_everything_is_written
                    "The run ends when its last byte is written, and not before."
                waiting_costs_nothing
                    "A source is not looked at while it waits."
            }
            scale {
                six_hundred_sources_all_make_progress
                    "Six hundred sources are all read from before the stop."
                two_thousand_sources_and_a_blocked_output_stay_under_96_mib
                    "Two thousand sources and an output that blocks take less than 96 MiB."
            }
            fairness {
                no_source_is_starved
                    "A source that has something new at every look keeps no other from being read."
                an_idle_source_is_looked_at_while_the_output_blocks
                    "While the output blocks, a source that has given nothing is still looked at."
            }
            following {
                a_renamed_file_is_read_to_its_end_before_its_successor
                    "A renamed file is read to its end before the first line of its successor."
                what_is_written_late_to_a_renamed_file_is_merged
                    "What is written late to a renamed file is merged, too."
                a_half_line_is_not_glued_to_the_next_file
                    "A half line at the end of a file is not glued to what its successor begins with."
                twenty_renames_in_quick_succession_lose_nothing
                    "Twenty renames in quick succession lose nothing and keep the order."
                a_truncated_file_is_read_from_its_start
                    "A truncated file is read from its start."
                a_rewritten_file_is_read_from_its_start
                    "A file that is rewritten as long as before, or longer, is read from its start."
                a_deleted_file_that_is_made_anew_is_followed
                    "A file that is deleted and made anew is followed."
                a_missing_file_is_waited_for
                    "A file that is missing is waited for, and read from its start when it is there."
                a_link_that_leads_elsewhere_is_followed
                    "A symbolic link that leads elsewhere is followed."
                a_log_and_its_rotated_name_are_merged_once
                    "A log and its rotated name may both be sources: each line is merged once."
                a_source_that_waits_is_woken_by_a_change
                    "A source that waits is woken by what happens to its file, not by an interval."
                a_change_of_one_source_causes_no_look_at_another
                    "What happens to one source causes no look at another."
            }
            failures {
                a_missing_source_is_an_error_that_names_it
                    "A source that is missing is an error that names it, and changes nothing."
                an_unreadable_source_is_an_error_that_names_it
                    "A source that cannot be read is an error that names it, and changes nothing."
                a_failing_source_ends_the_run_and_is_named
                    "A source that fails ends the run, with its error and its path."
                a_failing_source_lets_the_lines_of_the_others_through
                    "When a source fails, the lines of the others and those it gave are merged."
                a_full_disk_ends_the_run_and_the_output_is_named
                    "A disk that is full ends the run, with the error and the path of the output."
                a_reader_that_goes_away_ends_the_run_and_the_output_is_named
                    "A reader of the output that goes away ends the run, with the output's path."
                a_panic_ends_the_run_and_comes_out_of_it
                    "A panic at a source ends the run and comes out of it as it was."
            }
            report {
                the_report_counts_what_is_in_the_output
                    "The report counts the lines and bytes of the output, in all and by source."
            }
        }
    };
}

macro_rules! list {
    ({} $($theme:ident { $($name:ident $sentence:literal)+ })+) => {
        &[$($(Law {
            theme: stringify!($theme),
            name: stringify!($name),
            sentence: $sentence,
            function: laws::$theme::$name,
        }),+),+]
    };
}

/// All laws, by theme.
pub const LAWS: &[Law] = crate::laws!(list! {});

/// Makes a test of every law, for one merger.
///
/// The merger is the path of a [`MergeFn`]. The laws that it breaks by design
/// stand in the manifest of the crate that the tests are of, each with the
/// reason ([`Limit::declared`](crate::Limit::declared)): their tests pass as
/// long as the law is broken, by what it requires or by its bound, and not by
/// an accident. A second argument is the text of another manifest.
///
/// # Examples
///
/// ```
/// # mod my { pub fn merge(plan: tributary::Plan) -> Result<tributary::Report, tributary::Error> {
/// #     unimplemented!() } }
/// conformance::suite!(my::merge);
/// ```
#[macro_export]
macro_rules! suite {
    ($merge:path) => {
        $crate::suite!($merge, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")));
    };
    ($merge:path, $manifest:expr) => {
        /// The manifest, which declares the laws that this merger breaks by design.
        const MANIFEST: &str = $manifest;
        $crate::laws!($crate::tests! { $merge });
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! tests {
    ({ $merge:path } $($theme:ident { $($name:ident $sentence:literal)+ })+) => {
        $($(
            #[doc = $sentence]
            #[test]
            fn $name() {
                let test = concat!(module_path!(), "::", stringify!($name));
                $crate::Case::new(stringify!($name), stringify!($merge), $merge)
                    .tried_by(test)
                    .hold(&$crate::Limit::declared(MANIFEST));
            }
        )+)+
    };
}
