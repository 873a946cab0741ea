//! The laws, a file a theme, and the list of them.

mod failures;
mod following;
mod lines;
mod pipes;
mod scale;

use serde::Serialize;

use crate::{Judging, Why};

/// Why a law that looks at the output as it is written is not asked.
const REPLACED: &str = "the program puts a new file in the output's place";

/// Of whom a law is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Asked {
    /// Of every program.
    All,
    /// Of a program that goes on until it is asked to stop.
    Followers,
}

/// A promise of a merge that can be seen from outside.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Law {
    /// Its name; where it is the same law, that of the suite.
    pub name: &'static str,
    /// The law in one sentence.
    pub sentence: &'static str,
    /// Of whom it is asked.
    pub asked: Asked,
    #[serde(skip)]
    pub(crate) function: fn(&Judging<'_>) -> Result<(), Why>,
}

impl Law {
    /// Finds a law by its name.
    pub fn named(name: &str) -> Option<&'static Law> {
        LAWS.iter().find(|law| law.name == name)
    }
}

macro_rules! laws {
    ($($theme:ident $asked:ident { $($name:ident: $sentence:literal)+ })+) => {
        &[$($(Law {
            name: stringify!($name),
            sentence: $sentence,
            asked: Asked::$asked,
            function: $theme::$name,
        }),+),+]
    };
}

/// All laws, by theme.
pub static LAWS: &[Law] = laws! {
    lines All {
        every_line_is_merged_once: "Every line of every file is in the output once."
        each_source_keeps_its_order: "The lines of a file are in the order of the file."
        no_line_is_torn_or_mixed: "Every line is whole, and no other stands in the middle of it."
        nothing_is_added: "Nothing is in the output that is in no file."
        bytes_are_bytes: "NUL, CR, blanks, backslashes and what is not UTF-8 come through."
        a_last_line_without_a_newline_gets_one: "A last line without a newline gets one."
        a_line_longer_than_every_buffer_stays_whole: "A line of 1 MiB comes through whole."
        an_empty_source_holds_nothing_up: "A file without a line holds nothing up."
    }
    scale All {
        sixty_four_sources_all_make_progress: "64 files are all read from before the stop."
        six_hundred_sources_all_make_progress: "600 files are all read from before the stop."
    }
    following Followers {
        a_line_written_in_pieces_appears_whole: "A line that is written in halves appears whole."
        what_is_written_during_the_run_appears_before_the_stop:
            "What is appended while the program runs comes out while it runs."
        what_was_written_before_the_stop_is_merged: "What was written before SIGTERM is merged."
        a_stop_ends_the_run: "SIGTERM ends the run."
        a_stop_ends_the_run_although_the_writers_never_pause:
            "SIGTERM ends the run also while the files go on growing."
        a_renamed_file_is_read_to_its_end_before_its_successor:
            "A file that is rotated is read to its end, and then its successor."
        what_is_written_late_to_a_renamed_file_is_merged:
            "What is still written to a file that was rotated is merged, too."
        a_deleted_file_that_is_made_anew_is_followed:
            "A file that is deleted and made anew is read to its end, and then the new one."
        a_truncated_file_is_read_from_its_start: "A file that is truncated is read from its start."
    }
    pipes All {
        a_slow_reader_loses_nothing: "An output that is read slowly gets every line."
        a_reader_that_goes_away_ends_the_run:
            "An output that nobody reads any more ends the run, with an error."
    }
    failures All {
        a_missing_source_is_an_error_that_names_it: "A file that is missing is said, by its name."
        an_unreadable_source_is_an_error_that_names_it:
            "A file that cannot be read is an error with its name, and costs no line of another."
        a_full_disk_ends_the_run: "A disk that is full ends the run, with an error."
    }
};
