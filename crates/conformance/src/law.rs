//! The list of the laws: the one place where all of them are named.

use std::sync::LazyLock;

use crate::{Broken, MergeFn, laws};

/// The function of a law.
pub type LawFn = fn(MergeFn) -> Result<(), Broken>;

/// A law: a promise of every merge.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Law {
    /// The theme, which is also the name of its file.
    pub theme: &'static str,
    /// The name: that of the function, and of the tests made from it.
    pub name: &'static str,
    /// The law in one sentence: the first of the function's documentation.
    pub sentence: &'static str,
    /// Tries a merger. Outside of a [`Case`](crate::Case) it has a bound of
    /// [`BOUND`](crate::BOUND) and no watchdog.
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
                each_source_keeps_its_order
                no_line_is_torn_or_mixed
                nothing_is_added
                a_line_written_in_pieces_appears_whole
                bytes_are_bytes
                a_last_line_without_a_newline_gets_one
                a_line_longer_than_every_buffer_stays_whole
                an_empty_source_holds_nothing_up
                no_source_at_all_makes_an_empty_output
            }
            stop {
                what_is_written_during_the_run_appears_before_the_stop
                what_was_written_before_the_stop_is_merged
                what_was_written_as_a_look_began_is_merged
                a_stop_ends_the_run_at_once
                a_stop_ends_the_run_although_the_writers_never_pause
                the_run_ends_only_when_everything_is_written
                waiting_costs_nothing
            }
            scale {
                six_hundred_sources_all_make_progress
                two_thousand_sources_and_a_blocked_output_stay_under_96_mib
            }
            fairness {
                no_source_is_starved
                an_idle_source_is_looked_at_while_the_output_blocks
                a_source_that_hangs_delays_no_other
            }
            following {
                a_renamed_file_is_read_to_its_end_before_its_successor
                what_is_written_late_to_a_renamed_file_is_merged
                a_half_line_is_not_glued_to_the_next_file
                twenty_renames_in_quick_succession_lose_nothing
                a_truncated_file_is_read_from_its_start
                a_rewritten_file_is_read_from_its_start
                a_deleted_file_that_is_made_anew_is_followed
                a_missing_file_is_waited_for
                a_link_that_leads_elsewhere_is_followed
                a_log_and_its_rotated_name_are_merged_once
            }
            waking {
                a_source_that_waits_is_woken_by_a_change
                a_change_of_one_source_causes_no_look_at_another
                a_change_during_a_look_is_not_lost
                an_overflow_of_notifications_loses_nothing
            }
            failures {
                a_missing_source_is_an_error_that_names_it
                an_unreadable_source_is_an_error_that_names_it
                a_failing_source_ends_the_run_and_is_named
                a_failing_source_lets_the_lines_of_the_others_through
                a_full_disk_ends_the_run_and_the_output_is_named
                a_reader_that_goes_away_ends_the_run_and_the_output_is_named
                a_panic_ends_the_run_and_comes_out_of_it
            }
            report {
                the_report_counts_what_is_in_the_output
            }
        }
    };
}

macro_rules! list {
    ({} $($theme:ident { $($name:ident)+ })+) => {
        vec![$($(Law {
            theme: stringify!($theme),
            name: stringify!($name),
            sentence: sentence(
                include_str!(concat!("laws/", stringify!($theme), ".rs")),
                stringify!($name),
            ),
            function: laws::$theme::$name,
        }),+),+]
    };
}

/// All laws, by theme.
pub static LAWS: LazyLock<Vec<Law>> = LazyLock::new(|| crate::laws!(list! {}));

/// Finds the sentence of a law in the file of its theme.
fn sentence(text: &'static str, name: &str) -> &'static str {
    let law = text.split_once(&format!("\npub fn {name}("));
    let (above, _) = law.unwrap_or_else(|| panic!("there is no law {name} in its file"));
    let documentation = above.rsplit("\n\n").next().unwrap_or_default();
    let first = documentation.lines().next().and_then(|line| line.strip_prefix("/// "));
    first.unwrap_or_else(|| panic!("the law {name} is not documented"))
}

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
    ({ $merge:path } $($theme:ident { $($name:ident)+ })+) => {
        $($(
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
