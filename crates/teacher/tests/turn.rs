//! `cargo compare your-turn`, `check-mine` and `solution`: a learner takes a step.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use clap::Parser;
use exercises::EXERCISES;
use runner::Interrupt;
use service::Version;
use teacher::Lesson;
use testkit::until;

/// A law that every merge keeps, and within moments.
const A_LAW: &str = "every_line_is_merged_once";
/// A law that every version of the service keeps.
const A_LAW_OF_THE_SERVICE: &str = "each_line_is_answered_with_its_number";

/// The command line behind `cargo compare`.
#[derive(Debug, Parser)]
struct Asked {
    #[command(subcommand)]
    lesson: Lesson,
}

/// The exercise of one test. All tests share a folder: to cargo another one would be a
/// crate of its own, whose builds stay.
struct Turn {
    folder: PathBuf,
    _alone: MutexGuard<'static, ()>,
}

impl Turn {
    fn begin(to: &str, from: &str) -> Turn {
        static ALONE: Mutex<()> = Mutex::new(());
        let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("your-turn");
        let turn = Turn { folder, _alone };
        turn.holds(&["your-turn", to, "--from", from, "--force"]);
        turn
    }

    /// Runs a command line, and returns what it says and how it ends.
    fn take(&self, typed: &[&str]) -> (String, anyhow::Result<bool>) {
        let folder = ["--folder", self.folder()];
        let asked = Asked::try_parse_from([&["compare"], typed, &folder].concat()).unwrap();
        let mut said = String::new();
        let ended = asked.lesson.take(
            || Ok(Interrupt::default()),
            |text| {
                said += &anstream::adapter::strip_str(text).to_string();
                Ok(())
            },
        );
        (said, ended)
    }

    fn folder(&self) -> &str {
        self.folder.to_str().expect("it is plain")
    }

    #[track_caller]
    fn holds(&self, typed: &[&str]) -> String {
        let (said, ended) = self.take(typed);
        assert!(ended.unwrap(), "{said}");
        said
    }

    #[track_caller]
    fn refused(&self, typed: &[&str], path: &str, what: &str) {
        let said = format!("{:#}", self.take(typed).1.unwrap_err());
        assert!(said.starts_with(path) && said.contains(what) && !said.contains('\n'), "{said}");
    }

    /// Checks some laws and checks. Each either holds at once, or breaks within a tenth
    /// of the bound.
    #[track_caller]
    fn check(&self, only: &[&str], holds: bool) -> String {
        let (said, ended) = self.take(&["check-mine", "--within", "20", "--only", &only.join(",")]);
        assert_eq!(ended.unwrap(), holds, "{said}");
        said
    }

    fn write(&self, text: &str) {
        fs::write(self.folder.join("src/lib.rs"), text).unwrap();
    }

    fn text(&self) -> String {
        fs::read_to_string(self.folder.join("src/lib.rs")).unwrap()
    }
}

/// Returns the text of the file that an exercise leads to, changed so that it compiles
/// in another crate.
fn written(to: &str) -> String {
    match to.strip_prefix("service/") {
        Some(version) => {
            Version::named(version).unwrap().source.replace("use crate::", "use service::")
        }
        None => stages::find(to).unwrap().source.to_owned(),
    }
}

/// One law and the checks are enough here: the stages and the versions, with whose code
/// an exercise begins and ends, have the laws in their own tests.
#[test]
fn each_exercise_goes_from_a_file_that_fails_to_the_one_that_holds_all() {
    for exercise in EXERCISES.iter() {
        let turn = Turn::begin(&exercise.to, &exercise.from);
        let is_merge = !exercise.to.starts_with("service/");
        let law = if is_merge { A_LAW } else { A_LAW_OF_THE_SERVICE };
        // Other checks of the service would let two clients wait in vain, each for the
        // whole bound.
        let checks = exercise.checks.iter().map(|check| &*check.name);
        let checks =
            checks.filter(|name| is_merge || *name == "each_client_is_a_task_for_many_workers");
        let only: Vec<_> = [law].into_iter().chain(checks).collect();
        let said = turn.check(&only, false);
        assert!(said.contains("1 of 1 hold"), "{said}");
        let is_first = |check: &&str| said.contains(&format!("does not hold: {check}\n"));
        assert!(only[1..].iter().any(is_first), "{said}");
        turn.write(&written(&exercise.to));
        let said = turn.check(&only, true);
        assert!(said.contains("What was asked holds."), "{said}");
    }
}

#[test]
fn who_asks_again_is_told_more_and_at_the_end_shown_the_stage() {
    let turn = Turn::begin("4", "2");
    let once = turn.check(&["a_few_threads_read_for_all"], false);
    assert!(once.contains("Asked again, I say more.") && !once.contains("And more:"), "{once}");
    let twice = turn.check(&["a_few_threads_read_for_all"], false);
    assert!(twice.contains("And more:"), "{twice}");
    // The help with another check begins with its first hint.
    let other = turn.check(&["the_loop_itself_writes"], false);
    assert!(other.contains("Asked again"), "{other}");

    let said = turn.holds(&["solution", "4"]);
    assert!(said.contains("\n-    // TODO 1."), "{said}");
    assert!(said.contains("\n+    output: RefCell<Output>,"), "{said}");
    // No exercise here leads to this stage, so the step from its predecessor is shown.
    let said = turn.holds(&["solution", "2"]);
    assert!(said.starts_with("stage1-threads → stage2-mixed"), "{said}");
}

#[test]
fn what_does_not_compile_hangs_or_panics_is_told_with_its_help() {
    let turn = Turn::begin("3", "1");
    let text = turn.text();
    turn.write(&text.replace("wait_timeout(interval);", "await;"));
    let said = turn.check(&[A_LAW], false);
    assert!(said.contains("error[E0728]") && said.contains("in `tail_async`"), "{said}");

    turn.write(&text.replace("Read::Closed => return Ok(())", "Read::Closed => continue"));
    let (said, _) = turn.take(&["check-mine", "--within", "1", "--only", A_LAW]);
    assert!(said.contains("waited 1s in vain for this: the merge ends"), "{said}");
    assert!(said.contains("In this step: The merge does not come to its end"), "{said}");

    turn.write(&text.replace("Read::Closed => return Ok(())", "Read::Closed => todo!()"));
    let said = turn.check(&[A_LAW], false);
    let line = said.lines().find(|line| line.contains("your code has panicked, at ")).unwrap();
    assert!(line.contains("/your-turn/src/lib.rs:"), "a place that can be opened: {said}");
    assert!(said.contains("This is where you go on writing."), "{said}");

    let refused = "Read::Closed => {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        return Ok(runtime.block_on(async { drop(tokio::task::spawn_local(async {})) }));
    }";
    turn.write(&text.replace("Read::Closed => return Ok(())", refused));
    let said = turn.check(&[A_LAW], false);
    assert!(said.contains("at a call of tokio: `spawn_local` called from outside"), "{said}");
}

#[test]
fn the_watch_checks_again_when_the_file_is_saved_and_ends_when_all_holds() {
    let turn = Turn::begin("3", "1");
    let new = "each_tail_has_a_runtime_of_its_own";
    let typed = ["check-mine", "--watch", "--within", "60", "--only", new];
    let said = thread::scope(|scope| {
        let watch = scope.spawn(|| turn.holds(&typed));
        until("the first check is told", || {
            let asked = fs::read_to_string(turn.folder.join(".asked"));
            asked.is_ok_and(|asked| asked.starts_with(new))
        });
        turn.write(&written("3"));
        watch.join().unwrap()
    });
    let parts = ["does not hold", "src/lib.rs was saved", "What was asked holds."];
    let parts = parts.map(|part| said.find(part));
    assert!(parts.iter().all(Option::is_some) && parts.is_sorted(), "{said}");
}

#[test]
fn what_was_written_is_replaced_only_if_that_is_said() {
    let turn = Turn::begin("2", "1");
    turn.holds(&["your-turn", "3"]);
    turn.write("// mine");
    turn.refused(&["your-turn", "3"], turn.folder(), "replace it with --force");
    assert_eq!(turn.text(), "// mine");
    turn.holds(&["your-turn", "3", "--force"]);
    assert!(turn.text().starts_with("//! Your turn: from threads to an async leaf"));
}

#[test]
fn what_is_no_exercise_or_no_text_is_not_replaced_either() {
    let turn = Turn::begin("2", "1");
    let file = turn.folder.join("src/lib.rs");
    fs::write(&file, b"// caf\xe9").unwrap();
    turn.refused(&["your-turn", "3"], turn.folder(), "replace it with --force");
    assert_eq!(fs::read(&file).unwrap(), b"// caf\xe9");

    // A program of somebody's has no `lib.rs`.
    let folder = tempfile::tempdir().unwrap();
    let turn = Turn { folder: folder.path().to_owned(), ..turn };
    let program = folder.path().join("src/main.rs");
    fs::create_dir(folder.path().join("src")).unwrap();
    fs::write(&program, "fn main() {}").unwrap();
    turn.refused(&["your-turn", "3"], turn.folder(), "this is no file of an exercise");
    assert_eq!(fs::read_to_string(&program).unwrap(), "fn main() {}");
    assert!(!folder.path().join("Cargo.toml").exists());
}

#[test]
fn a_step_that_is_none_is_a_mistake() {
    let turn = Turn::begin("2", "1");
    turn.refused(&["your-turn", "1"], "stage1-threads", "4 from 3");
    let only = ["check-mine", "--only", "no_law"];
    turn.refused(&only, "no_law", "; scale: six_hundred_sources_all_make_progress, ");
    fs::remove_file(turn.folder.join("Cargo.toml")).unwrap();
    turn.refused(&["check-mine"], turn.folder(), "begin one with `your-turn N`");
}
