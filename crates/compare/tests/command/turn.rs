//! `cargo compare your-turn`, `check-mine` and `solution`: a learner takes a step.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use exercises::EXERCISES;
use stages::STAGES;
use testkit::{Folder, Running, until};

use crate::common::{assert_refused, compare, printed, shown};

/// A law that every merge keeps, and soon.
const A_LAW: &str = "every_line_is_merged_once";

/// The exercise of one test. All lie in the same folder: another one would be a crate of
/// its own to cargo, whose builds stay.
struct Turn {
    folder: PathBuf,
    _alone: MutexGuard<'static, ()>,
}

impl Turn {
    fn begin(to: usize, from: usize) -> Turn {
        static ALONE: Mutex<()> = Mutex::new(());
        let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("your-turn");
        let turn = Turn { folder, _alone };
        let (to, from) = (to.to_string(), from.to_string());
        printed(turn.run(&["your-turn", &to, "--from", &from, "--force"]), 0);
        turn
    }

    fn run(&self, typed: &[&str]) -> Output {
        self.command(typed).output().unwrap()
    }

    fn command(&self, typed: &[&str]) -> Command {
        let mut command = compare();
        command.args(typed).args(["--folder", shown(&self.folder)]);
        // What the tests have built is taken, and nothing is built anew for each.
        let built = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
        command.env("CARGO_TARGET_DIR", built);
        command
    }

    /// Checks some of what is wanted. What holds does so at once, and what breaks in one
    /// of these tests says so within a tenth of the bound.
    fn check(&self, only: &[&str], code: i32) -> String {
        printed(self.run(&["check-mine", "--within", "20", "--only", &only.join(",")]), code)
    }

    fn write(&self, text: &str) {
        fs::write(self.folder.join("src/lib.rs"), text).unwrap();
    }

    fn text(&self) -> String {
        fs::read_to_string(self.folder.join("src/lib.rs")).unwrap()
    }
}

/// The laws are those of the stages, tried by their own tests: an exercise begins with
/// the code of one, which a test beside it holds, and ends with that of another.
#[test]
fn each_exercise_goes_from_a_file_that_fails_to_the_stage_that_holds_all() {
    for exercise in EXERCISES.iter() {
        let turn = Turn::begin(exercise.to, exercise.from);
        let checks = exercise.checks.iter().map(|check| &*check.name);
        let only: Vec<_> = [A_LAW].into_iter().chain(checks).collect();
        let said = turn.check(&only, 1);
        assert!(said.contains("lines      1 of 1 hold"), "{said}");
        let is_first = |check: &&str| said.contains(&format!("does not hold: {check}\n"));
        assert!(only[1..].iter().any(is_first), "{said}");
        turn.write(STAGES[exercise.to - 1].source);
        let said = turn.check(&only, 0);
        assert!(said.contains("What was asked holds."), "{said}");
    }
}

#[test]
fn who_asks_again_is_told_more_and_at_the_end_shown_the_stage() {
    let turn = Turn::begin(4, 2);
    let once = turn.check(&["a_few_threads_read_for_all"], 1);
    assert!(once.contains("Asked again, I say more.") && !once.contains("And more:"), "{once}");
    let twice = turn.check(&["a_few_threads_read_for_all"], 1);
    assert!(twice.contains("And more:"), "{twice}");
    // Another question begins with its first hint.
    let other = turn.check(&["the_loop_itself_writes"], 1);
    assert!(other.contains("Asked again"), "{other}");

    let said = printed(turn.run(&["solution", "4"]), 0);
    assert!(said.contains("\n-    // TODO 1."), "{said}");
    assert!(said.contains("\n+    output: RefCell<Output>,"), "{said}");
    // Nothing is written to this stage here, so the step is shown.
    let said = printed(turn.run(&["solution", "2"]), 0);
    assert!(said.starts_with("stage1-threads → stage2-mixed"), "{said}");
}

#[test]
fn what_does_not_compile_hangs_or_panics_is_told_with_its_help() {
    let turn = Turn::begin(3, 1);
    let text = turn.text();
    turn.write(&text.replace("wait_timeout(interval);", "await;"));
    let said = turn.check(&[A_LAW], 1);
    assert!(said.contains("error[E0728]") && said.contains("in `tail_async`"), "{said}");

    turn.write(&text.replace("Read::Closed => return Ok(())", "Read::Closed => continue"));
    let hangs = turn.run(&["check-mine", "--within", "1", "--only", A_LAW]);
    let said = printed(hangs, 1);
    assert!(said.contains("waited 1s in vain for this: the merge ends"), "{said}");
    assert!(said.contains("In this step: The merge does not come to its end"), "{said}");

    turn.write(&text.replace("Read::Closed => return Ok(())", "Read::Closed => todo!()"));
    let said = turn.check(&[A_LAW], 1);
    assert!(said.contains("your code has panicked, at src/lib.rs:"), "{said}");
    assert!(said.contains("This is where you go on writing."), "{said}");
}

#[test]
fn the_watch_checks_again_when_the_file_is_saved_and_ends_when_all_holds() {
    let turn = Turn::begin(3, 1);
    let new = "each_tail_has_a_runtime_of_its_own";
    let typed = ["check-mine", "--watch", "--within", "60", "--only", new];
    let folder = Folder::new();
    let watch = Running::start(&folder, turn.command(&typed).stdout(Stdio::piped()));
    until("the first check is told", || {
        let asked = fs::read_to_string(turn.folder.join(".asked"));
        asked.is_ok_and(|asked| asked.starts_with(new))
    });
    turn.write(STAGES[2].source);
    let said = watch.end().out();
    assert!(said.contains("does not hold") && said.contains("What was asked holds."), "{said}");
}

#[test]
fn what_was_written_is_replaced_only_if_that_is_said() {
    let turn = Turn::begin(2, 1);
    printed(turn.run(&["your-turn", "3"]), 0);
    turn.write("// mine");
    let refused = turn.run(&["your-turn", "3"]);
    assert_refused(&refused, shown(&turn.folder), "replace it with --force");
    assert_eq!(turn.text(), "// mine");
    printed(turn.run(&["your-turn", "3", "--force"]), 0);
    assert!(turn.text().starts_with("//! Your turn: from threads to an async leaf"));
}

#[test]
fn a_step_that_is_none_is_a_mistake() {
    let turn = Turn::begin(2, 1);
    let folder = shown(&turn.folder);
    assert_refused(&turn.run(&["your-turn", "1"]), "stage1-threads", "4 from 3");
    assert_refused(&turn.run(&["check-mine", "--only", "no_law"]), "no_law", "no law");
    fs::remove_file(turn.folder.join("Cargo.toml")).unwrap();
    assert_refused(&turn.run(&["check-mine"]), folder, "begin one with `your-turn N`");
}
