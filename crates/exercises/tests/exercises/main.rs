//! Each exercise begins with a stage that fails what is to be written, and nothing else,
//! and ends with one that holds all of it.

mod mistakes;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use conformance::LAWS;
use exercises::{CHECKS, Check, EXERCISES, Exercise, Mine};
use service::Version;
use stages::STAGES;

use mistakes::{EARLY_RETURN, JOIN_ON_THE_LOOP, UNHEARD_ANSWER};

/// Nothing but a merge that hangs waits as long.
const BOUND: Duration = Duration::from_secs(20);
/// What is waited in vain where something is to fail.
const BRIEF: Duration = Duration::from_secs(1);

/// Returns the program at one end of an exercise.
fn program(name: &str) -> Mine {
    match name.strip_prefix("service/") {
        Some(version) => Mine::Serve(Version::named(version).unwrap().serve),
        None => Mine::Merge(stages::find(name).unwrap().merge),
    }
}

fn of_stages() -> impl Iterator<Item = &'static Exercise> {
    EXERCISES.iter().filter(|exercise| matches!(program(&exercise.to), Mine::Merge(_)))
}

/// Names the checks of an exercise that a program does not hold, of which these are to
/// fail.
fn failed<'a>(exercise: &'a Exercise, of: Mine, expected: &[&str]) -> Vec<&'a str> {
    let within = |name: &str| if expected.contains(&name) { BRIEF } else { BOUND };
    let names = exercise.checks.iter().map(|asked| (&*asked.name, asked.check()));
    let failed = names.filter(|(name, check)| check.hold(of, within(name)).is_err());
    failed.map(|(name, _)| name).collect()
}

#[test]
fn there_is_an_exercise_for_each_step_of_the_lesson() {
    let steps = stages::taught().flat_map(|to| {
        let from = to.said().follows.into_iter().map(|name| stages::find(&name).unwrap().number);
        from.map(|from| (from.to_string(), to.number.to_string()))
    });
    let of_service = ("service/tasks".to_owned(), "service/fully_async".to_owned());
    let exercises = EXERCISES.iter().map(|it| (it.from.clone(), it.to.clone()));
    assert_eq!(exercises.collect::<BTreeSet<_>>(), steps.chain([of_service]).collect());
}

#[test]
fn the_file_that_an_exercise_begins_with_fails_what_is_to_be_written_and_nothing_else() {
    for (from, to, expected) in [
        ("1", "2", &["each_tail_is_a_job_of_one_loop"][..]),
        (
            "1",
            "3",
            &["each_tail_has_a_runtime_of_its_own", "a_tail_that_waits_leaves_its_loop_free"],
        ),
        ("2", "4", &["a_few_threads_read_for_all", "the_loop_itself_writes"]),
        ("3", "4", &["a_few_threads_read_for_all", "the_loop_itself_writes"]),
        (
            "4",
            "5",
            &[
                "a_thread_that_does_nothing_else_writes",
                "many_chunks_on_their_way_hold_up_no_task",
                "the_loop_rests_while_the_output_is_finished",
            ],
        ),
    ] {
        let exercise = Exercise::to(to, Some(from)).unwrap();
        assert_eq!(failed(exercise, program(from), expected), expected, "{from} → {to}");
    }
}

#[test]
fn the_program_that_is_to_be_written_holds_every_check() {
    for exercise in of_stages() {
        let failed = failed(exercise, program(&exercise.to), &[]);
        assert_eq!(failed, [""; 0], "{} → {}", exercise.from, exercise.to);
    }
}

/// One test for all of it: who waits for a stop is noted for the whole process, so two
/// services at once would be seen as one.
#[test]
fn the_step_of_the_service_begins_with_what_fails_and_ends_with_what_holds_all() {
    let exercise = Exercise::to("service/fully_async", None).unwrap();
    let expected = [
        "each_client_is_a_task_for_many_workers",
        "a_slow_disk_keeps_no_client_waiting",
        "one_client_too_many_is_told",
    ];
    assert_eq!(failed(exercise, program(&exercise.from), &expected), expected);
    assert_eq!(failed(exercise, program(&exercise.to), &[]), [""; 0]);
}

#[test]
fn a_mistake_that_every_law_lets_pass_fails_the_check_that_is_made_for_it_and_no_other() {
    for (merge, expected) in [
        (mistakes::merge::<0> as tributary::MergeFn, &[][..]),
        (mistakes::merge::<UNHEARD_ANSWER>, &["a_tail_hears_that_its_lines_are_not_written"]),
        (mistakes::merge::<JOIN_ON_THE_LOOP>, &["the_loop_rests_while_the_output_is_finished"]),
        (mistakes::merge::<EARLY_RETURN>, &["a_tail_that_fails_is_not_the_end_of_the_others"]),
    ] {
        let exercise = Exercise::to("5", None).unwrap();
        assert_eq!(failed(exercise, Mine::Merge(merge), expected), expected);
    }
}

#[test]
fn a_thread_for_each_look_is_no_thread_of_its_own() {
    let of = Mine::Merge(mistakes::a_thread_for_each_look);
    let check = Check::named("each_source_keeps_a_thread_of_its_own").unwrap();
    let seen = check.hold(of, BOUND).unwrap_err();
    assert!(seen.starts_with("one source was read by "), "{seen}");
}

#[test]
fn every_check_of_a_stage_fails_for_some_merge_and_says_what_was_seen() {
    let merges = STAGES.iter().map(|stage| stage.merge).chain([tributary::merge as _]);
    let merges = merges.chain([mistakes::merge::<UNHEARD_ANSWER> as _]).map(Mine::Merge);
    let merges: Vec<_> = merges.collect();
    // Of a check of the service that is no merge's.
    for check in CHECKS {
        let seen = merges.iter().find_map(|merge| check.hold(*merge, BOUND).err());
        let seen = seen.unwrap_or_else(|| panic!("every program holds {}", check.name));
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
    let of_service = service_laws::LAWS.iter().map(|law| law.name);
    assert_eq!(asked, CHECKS.iter().map(|check| check.name).chain(of_service).collect());
}

#[test]
fn something_is_said_of_each_law_in_each_step_and_of_no_other() {
    let themes: BTreeSet<_> = LAWS.iter().map(|law| law.theme).collect();
    for exercise in of_stages() {
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

#[test]
fn an_error_of_the_compiler_has_the_help_of_the_longest_piece_that_fits_it() {
    let exercise = Exercise::to("service/fully_async", None).unwrap();
    let of_value = exercise.helps(None, "`Rc<u8>` cannot be sent between threads safely");
    let of_future = exercise.helps(None, "future cannot be sent between threads safely");
    assert!(of_future != of_value && of_future.contains("at each `.await`"), "{of_future}");
    // Both have the code of many other mistakes.
    let said = "error[E0277]: `Rc<u8>` cannot be sent between threads safely";
    assert_eq!(exercise.helps(Some("E0277"), said), of_value);
    let exercise = Exercise::to("3", None).unwrap();
    let help = exercise.helps(Some("E0277"), "error[E0277]: `Error` is not a future");
    assert!(help.contains("`async fn tail_async`"), "{help}");
}

#[test]
fn who_forgets_to_await_is_told_so_in_each_step_that_has_tasks_or_jobs() {
    for exercise in of_stages() {
        let help = exercise.helps(Some("E0599"), "no method named `unwrap_or_else` found");
        // Step 3 has a runtime and neither tasks nor jobs.
        assert!(help.contains("`.await` first") || exercise.to == "3", "{}: {help}", exercise.to);
        let said = "the `?` operator can only be applied … consider `await`ing on the `Future`";
        let help = exercise.helps(Some("E0277"), said);
        assert!(help.contains("`.await` it"), "{}: {help}", exercise.to);
    }
}
