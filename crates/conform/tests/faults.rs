//! Each law is broken by a merger with one fault, and kept by the one without.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use conform::{Answer, Asked, Judged, LAWS, Law, Outcome, Template, UsageError, judge};

/// Each fault, a law that it breaks, and what its witness says.
const FAULTS: &[(&str, &str, &str)] = &[
    ("loses", "every_line_is_merged_once", "line 1 of source-0000.log is missing"),
    ("doubles", "every_line_is_merged_once", "is in the output twice"),
    ("reorders", "each_source_keeps_its_order", "line 1 of source-0000.log is out of order"),
    ("tears", "no_line_is_torn_or_mixed", "line 1 of source-0000.log is torn: at line "),
    ("adds", "nothing_is_added", "line 1, byte 0 of the output is a line of no file"),
    ("UTF-8", "bytes_are_bytes", "not UTF-8"),
    ("no newline", "a_last_line_without_a_newline_gets_one", "of source-000"),
    ("cuts", "a_line_longer_than_every_buffer_stays_whole", "line 4 of source-0000.log is torn"),
    ("nothing", "an_empty_source_holds_nothing_up", "nothing at all came out"),
    ("few", "sixty_four_sources_all_make_progress", "32 of 64 files have given no line"),
    ("few", "six_hundred_sources_all_make_progress", "the first of them is source-0032.log"),
    ("once", "a_slow_reader_loses_nothing", "is "),
    ("ignores what fails", "a_reader_that_goes_away_ends_the_run", "the program goes on after 2 s"),
    ("halves", "a_line_written_in_pieces_appears_whole", "line 11 of source-000"),
    ("late", "what_is_written_during_the_run_appears_before_the_stop", "not in the output after"),
    ("dies", "what_was_written_before_the_stop_is_merged", "line 11 of source-0000.log is missing"),
    ("hangs", "a_stop_ends_the_run", "it did not end: killed 2 s after SIGTERM"),
    ("never ends", "a_stop_ends_the_run_although_the_writers_never_pause", "it did not end"),
    (
        "not rotated",
        "a_renamed_file_is_read_to_its_end_before_its_successor",
        "line 31 of source-0000.log is missing",
    ),
    (
        "leaves the rotated",
        "what_is_written_late_to_a_renamed_file_is_merged",
        "line 21 of source-0000.log is missing",
    ),
    (
        "not rotated",
        "a_deleted_file_that_is_made_anew_is_followed",
        "line 21 of source-0000.log is missing",
    ),
    ("not truncated", "a_truncated_file_is_read_from_its_start", "line 11 of source-0000.log"),
    ("skips the unreadable", "a_missing_source_is_an_error_that_names_it", "missing.log is not"),
    ("skips the unreadable", "an_unreadable_source_is_an_error_that_names_it", "folder.log is not"),
    ("ignores what fails", "a_full_disk_ends_the_run", "the program goes on after 2 s"),
    ("silent", "a_full_disk_ends_the_run", "nothing is said on stderr"),
    ("fails", "every_line_is_merged_once", "the lines are right, and yet the program ended with"),
];

fn faulty(fault: &str, laws: &[&'static Law], within: u64) -> Judged {
    let words = [env!("CARGO_BIN_EXE_faulty"), fault, "{output}", "{inputs}"];
    let template = Template::new(words.map(str::to_owned).to_vec()).unwrap();
    judge(&template, laws, Duration::from_secs(within), &|| false).unwrap()
}

/// Tries all laws on what keeps them: a bound that only a hang reaches.
fn faultless(name: &str) -> Judged {
    faulty(name, &LAWS.iter().collect::<Vec<_>>(), 60)
}

fn answer<'a>(judged: &'a Judged, law: &str) -> &'a Outcome {
    let answer: Option<&Answer> = judged.laws.iter().find(|answer| answer.law == law);
    &answer.unwrap_or_else(|| panic!("there is no law {law}")).outcome
}

#[test]
fn a_merger_without_a_fault_keeps_every_law() {
    let judged = faultless("none");
    assert!(judged.follows && judged.is_right(), "{}", conform::text(&[judged]));
}

#[test]
fn a_merger_that_ends_by_itself_is_not_asked_what_followers_promise() {
    let judged = faultless("ends");
    assert!(!judged.follows && judged.is_right(), "{}", conform::text(&[judged]));
    for law in LAWS {
        let is_asked = !matches!(answer(&judged, law.name), Outcome::NotAsked { .. });
        assert_eq!(is_asked, law.asked == Asked::All, "{}", law.name);
    }
}

#[test]
fn each_fault_is_caught_by_its_law() {
    let missed = Mutex::new(Vec::new());
    let faults = Mutex::new(FAULTS.iter());
    thread::scope(|scope| {
        // Most of them wait for their bound.
        for _ in 0..9 {
            scope.spawn(|| {
                while let Some(&(fault, law, says)) = { faults.lock().unwrap().next() } {
                    let judged = faulty(fault, &[Law::named(law).unwrap()], 2);
                    match answer(&judged, law) {
                        Outcome::Broken { witness } if witness.contains(says) => {}
                        outcome => missed.lock().unwrap().push(format!("{fault}: {outcome:?}")),
                    }
                }
            });
        }
    });
    let missed = missed.into_inner().unwrap();
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn every_law_is_seen_broken() {
    for law in LAWS {
        assert!(FAULTS.iter().any(|(_, broken, _)| *broken == law.name), "{}", law.name);
    }
}

#[test]
fn the_laws_have_the_names_of_the_suite_but_for_those_that_only_an_outsider_asks() {
    const OWN: &[&str] = &[
        "sixty_four_sources_all_make_progress",
        "a_slow_reader_loses_nothing",
        "a_reader_that_goes_away_ends_the_run",
        "a_stop_ends_the_run",
        "a_full_disk_ends_the_run",
    ];
    for law in LAWS {
        let is_of_suite = conformance::Law::named(law.name).is_some();
        assert_ne!(is_of_suite, OWN.contains(&law.name), "{}", law.name);
    }
}

#[test]
fn a_mistake_in_what_is_typed_is_one_clear_line() {
    let said = |line: &str| Template::parse(line).unwrap_err().to_string();
    assert!(said("").contains("name a program"));
    assert!(said("cat a.log").contains("{inputs}"));
    assert!(said("cat '{inputs}").contains("quote"));
    let nobody = Template::parse("/no/such/program {inputs}").unwrap();
    let error = judge(&nobody, &[], Duration::from_secs(2), &|| false).unwrap_err();
    assert!(matches!(&error, UsageError::NotStarted { .. }), "{error}");
    assert!(error.to_string().contains("No such file"), "{error}");
}

#[test]
fn of_a_script_that_names_no_shell_it_is_said_how_to_run_it() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("merge.sh");
    fs::write(&script, "cat \"$@\"\n").unwrap();
    fs::set_permissions(&script, Permissions::from_mode(0o755)).unwrap();
    let script = Template::parse(&format!("{} {{inputs}}", script.display())).unwrap();
    let error = judge(&script, &[], Duration::from_secs(2), &|| false).unwrap_err();
    assert!(error.to_string().ends_with("without a `#!` line: put `sh` before it"), "{error}");
}
