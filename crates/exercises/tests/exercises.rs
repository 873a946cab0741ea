//! Each exercise begins with a stage that fails what is to be written, and nothing else,
//! and ends with one that holds all of it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use conformance::LAWS;
use exercises::{CHECKS, EXERCISES, Exercise};
use stages::{STAGES, Stage};

/// Nothing but a merge that hangs waits as long.
const BOUND: Duration = Duration::from_secs(30);

fn stage(number: usize) -> &'static Stage {
    &STAGES[number - 1]
}

/// Names the checks of an exercise that a stage does not hold.
fn failed(exercise: &Exercise, of: &Stage, within: Duration) -> Vec<String> {
    let checks = exercise.checks.iter();
    let failed = checks.filter(|asked| (asked.check().function)(of.merge, within).is_err());
    failed.map(|asked| asked.name.clone()).collect()
}

#[test]
fn there_is_an_exercise_for_each_step_of_the_lesson() {
    let steps = stages::taught().flat_map(|to| {
        let from = to.said().follows.into_iter().map(|name| stages::find(&name).unwrap().number);
        from.map(|from| (from, to.number))
    });
    let exercises: BTreeSet<_> = EXERCISES.iter().map(|it| (it.from, it.to)).collect();
    assert_eq!(exercises, steps.collect());
}

#[test]
fn the_file_that_an_exercise_begins_with_fails_what_is_to_be_written_and_nothing_else() {
    for (from, to, expected) in [
        (1, 2, &["each_tail_is_a_job_of_one_loop"][..]),
        (1, 3, &["each_tail_has_a_runtime_of_its_own", "a_tail_that_waits_leaves_its_loop_free"]),
        (2, 4, &["a_few_threads_read_for_all", "the_loop_itself_writes"]),
        (3, 4, &["a_few_threads_read_for_all", "the_loop_itself_writes"]),
        (
            4,
            5,
            &["a_thread_that_does_nothing_else_writes", "many_chunks_on_their_way_hold_up_no_task"],
        ),
    ] {
        let exercise = Exercise::to(to, Some(from)).unwrap();
        assert_eq!(failed(exercise, stage(from), BOUND), expected, "{from} → {to}");
    }
}

#[test]
fn the_stage_that_is_to_be_written_holds_every_check() {
    for exercise in EXERCISES.iter() {
        let failed = failed(exercise, stage(exercise.to), BOUND);
        assert_eq!(failed, [""; 0], "{} → {}", exercise.from, exercise.to);
    }
}

#[test]
fn every_check_fails_for_some_merge_and_says_what_was_seen() {
    for check in CHECKS {
        let mut merges = STAGES.iter().map(|stage| stage.merge).chain([tributary::merge as _]);
        let seen = merges.find_map(|merge| (check.function)(merge, BOUND).err());
        let seen = seen.unwrap_or_else(|| panic!("every merge holds {}", check.name));
        // And it is no accident.
        assert!(!seen.contains("the merge"), "{}: {seen}", check.name);
    }
}

#[test]
fn every_check_is_asked_and_told_apart_by_two_hints() {
    let asked = EXERCISES.iter().flat_map(|it| &it.checks);
    let asked: BTreeSet<_> = asked
        .map(|asked| {
            assert!(asked.first != asked.second && !asked.means.is_empty(), "{}", asked.name);
            asked.check().name
        })
        .collect();
    assert_eq!(asked, CHECKS.iter().map(|check| check.name).collect());
}

#[test]
fn something_is_said_of_each_law_in_each_step_and_of_no_other() {
    let themes: BTreeSet<_> = LAWS.iter().map(|law| law.theme).collect();
    for exercise in EXERCISES.iter() {
        for law in LAWS.iter() {
            assert!(!exercise.means(law).is_empty());
        }
        assert!(!exercise.helps(None, "").is_empty());
        let (means, _) = exercise.said();
        for name in means {
            let is_known =
                themes.contains(&**name) || LAWS.iter().any(|law| law.name == name.as_str());
            assert!(is_known, "{name} is neither a law nor a theme");
        }
    }
}

#[test]
fn every_page_that_a_hint_names_is_in_the_book() {
    let book = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/src");
    let summary = fs::read_to_string(book.join("SUMMARY.md")).unwrap();
    let of_checks = EXERCISES.iter().flat_map(|it| &it.checks).map(|asked| &*asked.page);
    for page in LAWS.iter().map(|law| law.hints().page).chain(of_checks) {
        assert!(summary.contains(&format!("({page})")), "{page} is no page of the book");
    }
}

#[test]
fn a_panic_has_the_help_that_fits_it_and_any_other_one_at_least() {
    assert!(exercises::helps_with_panic("RefCell already borrowed").contains("`.await`"));
    assert!(exercises::helps_with_panic("index out of bounds").contains("that line"));
}
