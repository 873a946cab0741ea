//! The guards of the lesson: the shape of the stages, and the size of each step. `tidy`
//! in `crates/book-tests` holds the size of each file, and which crate knows which.

use stages::find;
use teacher::diff;

/// The most lines of code that a taught step may add.
const STEP: usize = 60;

/// The items that a taught stage may have, in their order. A new name is a decision
/// for all stages.
const ITEMS: [&str; 13] = [
    "READERS",
    "merge",
    "merge_async",
    "tail",
    "tail_async",
    "Writer",
    "Writer::write",
    "Writer::write_async",
    "WriteThread",
    "Request",
    "WriteThread::start",
    "WriteThread::write",
    "WriteThread::stop",
];

#[test]
fn every_taught_stage_declares_the_same_items_in_the_same_order() {
    for stage in stages::taught() {
        let items = steps::names(stage.source);
        let expected = ITEMS.iter().filter(|name| items.iter().any(|item| item == *name));
        assert_eq!(items, expected.copied().collect::<Vec<_>>(), "{}", stage.name);
        for name in ["merge", "tail"] {
            assert!(items.iter().any(|item| item == name), "{} has no {name}", stage.name);
        }
        assert!(items.iter().any(|item| item.ends_with("::write")), "{}: who writes?", stage.name);
    }
}

#[test]
fn no_taught_step_adds_more_than_sixty_lines_of_code() {
    for stage in stages::taught() {
        for step in diff::steps(stage) {
            let (added, _) = step.code_lines();
            let (from, to) = (step.from.name, step.to.name);
            assert!(added <= STEP, "{from} to {to} adds {added} lines of code, {STEP} are allowed");
            assert!(added > 0, "{from} to {to} adds nothing: what does it teach?");
        }
    }
}

/// The marks let a reader of the file alone see the step.
#[test]
fn what_is_marked_as_new_is_new_and_every_taught_step_has_some_marks() {
    for stage in stages::taught() {
        let follows = stage.said().follows;
        let before: Vec<_> =
            follows.iter().map(|name| find(name).expect("it follows one")).collect();
        let new: Vec<_> = steps::new_lines(stage.source).map(str::trim).collect();
        let allowed = if before.is_empty() { 0..=0 } else { 2..=9 };
        assert!(allowed.contains(&new.len()), "{}: {new:#?}", stage.name);
        for line in new {
            let is_old = |line_of: &str| line_of.trim() == line;
            let old = before.iter().find(|it| steps::without_new(it.source).lines().any(is_old));
            assert!(old.is_none(), "{}: `{line}` is no news", stage.name);
        }
    }
}
