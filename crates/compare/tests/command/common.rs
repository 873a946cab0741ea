//! What the tests of the command share.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::{PoisonError, RwLock};

use serde_json::Value;
use tempfile::TempDir;

/// A user has 128 inotify instances.
static INSTANCES: RwLock<()> = RwLock::new(());

/// For a test whose merges are notified: they take an instance each.
pub(crate) fn some_instances() -> impl Drop {
    INSTANCES.read().unwrap_or_else(PoisonError::into_inner)
}

/// For a test that takes all of them.
pub(crate) fn all_instances() -> impl Drop {
    INSTANCES.write().unwrap_or_else(PoisonError::into_inner)
}

/// The command, with a target folder of its own.
pub(crate) fn compare() -> Command {
    of(Command::new(env!("CARGO_BIN_EXE_compare")))
}

/// The command, started by a shell that first runs `shell`.
pub(crate) fn compare_after(shell: &str) -> Command {
    let mut command = of(Command::new("sh"));
    command.args(["-c", &format!("{shell}; exec \"$0\" \"$@\"")]);
    command.arg(env!("CARGO_BIN_EXE_compare"));
    command
}

fn of(mut command: Command) -> Command {
    // Does not replace the results of a person's own runs.
    command.env("CARGO_TARGET_DIR", env!("CARGO_TARGET_TMPDIR"));
    command.env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE").stdin(Stdio::null());
    command
}

/// Runs the command to its end.
pub(crate) fn run(arguments: &[&str]) -> Output {
    compare().args(arguments).output().expect("the command starts")
}

/// Runs the command to its end, in a folder.
pub(crate) fn run_in(folder: &TempDir, arguments: &[&str]) -> Output {
    compare().current_dir(folder).args(arguments).output().expect("the command starts")
}

/// A folder with two logs, `a.log` and `b.log`.
pub(crate) fn two_logs() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.log"), "one\ntwo\nthree").unwrap();
    fs::write(folder.path().join("b.log"), "eins\nzwei\n\ntwo\n").unwrap();
    folder
}

/// A path as it is typed.
pub(crate) fn shown(path: &Path) -> &str {
    path.to_str().expect("a temporary path is plain")
}

/// Asserts the exit code, and returns the stdout.
#[track_caller]
pub(crate) fn printed(output: Output, code: i32) -> String {
    let said = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{errors}{said}");
    said
}

/// Asserts exit code 2, and one line on stderr that begins with the path.
#[track_caller]
pub(crate) fn assert_refused(output: &Output, path: &str, what: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.starts_with(&format!("error: {path}")), "{said}");
    assert!(said.contains(what), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

/// Reads a file of JSON.
pub(crate) fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// The elements of a JSON array.
#[track_caller]
pub(crate) fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("{value} is no list"))
}
